"""Options to try and their values, read from what people write and checked against the stages' options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
import yaml

from detect.config import ResolvedConfig
from detect.errors import ConfigError
from detect.options import Overrides, convert_options
from detect.registry import Pipeline

_MOST_VALUES = 200
_NUMBER = r"[-+]?\d*\.?\d+"
_RANGE = re.compile(rf"({_NUMBER}):({_NUMBER})(?::({_NUMBER}))?")
_EXAMPLE = "match_brands.min_similarity=0.75,0.8,0.85 or run_ocr.detect_side=960:1600:128"

#: One value for each choice, as its position in ``Choice.values``.
Setting = tuple[int, ...]


@dataclass(frozen=True)
class Choice:
    """An option and the ``values`` it can have in a search; ``present`` and ``tried`` are positions among them."""

    stage: str
    option: str
    values: tuple[Any, ...]
    present: int
    tried: tuple[int, ...]

    @property
    def name(self) -> str:
        return f"{self.stage}.{self.option}"


def read_choices(texts: Sequence[str], pipeline: Pipeline, present: ResolvedConfig) -> list[Choice]:
    """Options to try from texts of the form ``stage.option=VALUES``, in the order of the pipeline.

    ``VALUES`` are YAML values with commas between; ``first:last`` and ``first:last:step`` stand for numbers in even
    steps, the last among them where a step meets it. Raises ``ConfigError`` for anything else, an option that is
    unknown or given twice, and a value that it cannot have.
    """
    choices: dict[tuple[int, int], Choice] = {}
    for text in texts:
        target, equals, given = text.partition("=")
        name, dot, option = target.strip().partition(".")
        if not (equals and dot and name and option and given.strip()):
            raise ConfigError(f"'{text}' is not of the form stage.option=values, for example {_EXAMPLE}")
        stage = pipeline.stage(name)
        asked = _read_values(f"{name}.{option}", given)
        values = [getattr(convert_options(stage, {option: value}), option) for value in asked]
        place = (pipeline.index(name), stage.Options.__struct_fields__.index(option))
        if place in choices:
            raise ConfigError(f"{name}.{option} is given twice: put all its values into one --try")
        choices[place] = _choice(name, option, values, getattr(present.options[name], option))
    if not choices:
        raise ConfigError(f"there is nothing to try: give options and values as in --try {_EXAMPLE}")
    return [choices[place] for place in sorted(choices)]


def present_setting(choices: Sequence[Choice]) -> Setting:
    """Every option as it is."""
    return tuple(choice.present for choice in choices)


def changes(setting: Setting, choices: Sequence[Choice]) -> Overrides:
    """``{stage: {option: value}}`` that a setting changes, as plain values."""
    changed: Overrides = {}
    for position, choice in zip(setting, choices, strict=True):
        if position != choice.present:
            changed.setdefault(choice.stage, {})[choice.option] = msgspec.to_builtins(choice.values[position])
    return changed


def assignments(overrides: Overrides) -> list[str]:
    """Overrides as ``--set`` takes them, ``stage.option=value``."""
    return [
        f"{stage}.{option}={_written(value)}" for stage, values in overrides.items() for option, value in values.items()
    ]


def _choice(stage: str, option: str, given: list[Any], present: Any) -> Choice:
    values = [value for number, value in enumerate([*given, present]) if value not in [*given, present][:number]]
    if all(isinstance(value, int | float) for value in values):
        values.sort()
    if len(values) == 1:
        raise ConfigError(f"{stage}.{option} is {present!r} already: give other values to try")
    tried = tuple(position for position, value in enumerate(values) if value in given)
    return Choice(stage, option, tuple(values), values.index(present), tried)


def _read_values(name: str, text: str) -> list[Any]:
    """The values of one option. Raises ``ConfigError``."""
    if "[" in text or '"' in text or "'" in text:
        return _yaml(name, f"[{text}]")
    values: list[Any] = []
    for part in text.split(","):
        steps = _RANGE.fullmatch(part.strip())
        values += _steps(name, *steps.groups()) if steps else [_yaml(name, part)]
    return values


def _steps(name: str, first: str, last: str, step: str | None) -> Iterator[int | float]:
    start, end, width = Decimal(first), Decimal(last), Decimal(step or 1)
    if width <= 0 or end < start or (end - start) / width >= _MOST_VALUES:
        raise ConfigError(
            f"{name}: '{first}:{last}{f':{step}' if step else ''}' is no range: give first:last:step, from small to "
            f"large, with at most {_MOST_VALUES} values"
        )
    count = int((end - start) / width) + 1
    whole = not any(mark in f"{first}{step or ''}" for mark in ".")
    return (int(start + width * n) if whole else float(start + width * n) for n in range(count))


def _written(value: Any) -> str:
    """A value as YAML on one line, a plain text without quotes."""
    if isinstance(value, str) and value.isidentifier() and yaml.safe_load(value) == value:
        return value
    return msgspec.json.encode(value).decode()


def _yaml(name: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        reason = getattr(error, "problem", None) or "it is not YAML"
        raise ConfigError(f"{name}: the value '{text}' cannot be read: {reason}") from error
