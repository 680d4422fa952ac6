"""Options of stages: their schemas, and values that people give checked against them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec
import yaml

from detect.errors import ConfigError
from detect.stages.base import Stage

Overrides = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class OptionSchema:
    """One option: ``type`` is JSON schema's word (integer, number, boolean, string, array); None where unlimited."""

    name: str
    type: str
    default: Any
    minimum: float | None
    maximum: float | None
    choices: list[Any] | None
    description: str


def merge(*layers: Overrides) -> Overrides:
    """Later layers win, option by option."""
    merged: Overrides = {}
    for layer in layers:
        for stage, values in layer.items():
            merged[stage] = {**merged.get(stage, {}), **values}
    return merged


def convert_options(stage: Stage, values: dict[str, Any]) -> Any:
    """Checked options of one stage. Raises ``ConfigError``."""
    allowed = stage.Options.__struct_fields__
    for name in values:
        if name not in allowed:
            raise ConfigError(f"unknown option '{stage.name}.{name}': allowed are {', '.join(sorted(allowed))}")
    try:
        return msgspec.convert(values, type=stage.Options, strict=False)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$.")
        path = path.rstrip("`")
        option = re.split(r"[.[]", path)[0]
        given = _given_at(values, path) if option in values else ""
        raise ConfigError(f"{stage.name}.{path}{given}: {reason}. {describe_option(stage, option)}") from error


def _given_at(values: Any, path: str) -> str:
    """What was given at a path such as ``zones[0].points[1][0]``, and the name of that which it is a part of."""
    owner = ""
    for key, index in re.findall(r"(\w+)|\[(\d+)\]", path):
        values = values[int(index)] if index else values[key]
        if isinstance(values, dict) and values.get("name"):
            owner = f" of '{values['name']}'"
    return f" = {values!r}{owner}"


def option_schemas(stage: Stage) -> list[OptionSchema]:
    """Every option of a stage as forms and documents need it."""
    schema = msgspec.json.schema(stage.Options)
    properties = schema["$defs"][stage.Options.__name__].get("properties", {})
    return [
        OptionSchema(
            name=name,
            type=described.get("type", "string"),
            default=described.get("default"),
            minimum=described.get("minimum"),
            maximum=described.get("maximum"),
            choices=described.get("enum"),
            description=described.get("description", ""),
        )
        for name, described in properties.items()
    ]


def describe_option(stage: Stage, option: str) -> str:
    """One sentence about an option: what it is, its allowed range or choices, its default."""
    schema = next(schema for schema in option_schemas(stage) if schema.name == option)
    limits = [
        text.format(limit)
        for text, limit in (
            ("at least {}", schema.minimum),
            ("at most {}", schema.maximum),
            ("one of {}", schema.choices),
        )
        if limit is not None
    ]
    parts = [schema.description, ", ".join(limits), f"default {schema.default!r}"]
    return f"Allowed: {'; '.join(part for part in parts if part)}"


def parse_assignments(assignments: list[str]) -> Overrides:
    """Overrides from ``stage.option=value`` texts; values are read as YAML. Raises ``ConfigError``."""
    overrides: Overrides = {}
    for text in assignments:
        target, equals, value = text.partition("=")
        stage, dot, option = target.strip().partition(".")
        if not (equals and dot and stage and option):
            raise ConfigError(f"'{text}' is not of the form stage.option=value, for example run_ocr.min_confidence=0.7")
        try:
            overrides.setdefault(stage, {})[option] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            reason = getattr(error, "problem", None) or "it is not YAML"
            raise ConfigError(f"'{text}': the value cannot be read: {reason}") from error
    return overrides
