"""Forms made from the stages' own option schemas: fields with their ranges, and what was sent back as overrides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from math import isfinite
from typing import Any

from django.http import QueryDict

from detect.errors import ConfigError
from detect.options import OptionSchema, Overrides, convert_options, option_schemas
from detect.registry import Pipeline
from detect.stages.base import Stage
from jobs.pages.shown import stage_word, words

_PREFIX = "option"
_STEPS = ((1, Decimal("0.01")), (6, Decimal("0.05")), (80, Decimal("0.5")))


@dataclass(frozen=True)
class OptionField:
    """One option as a form shows it, its numbers as text. ``kind``: number, switch, choice, text or list.

    ``default`` is what counts as unchanged, ``standard`` what the stage itself would take.
    """

    stage: str
    name: str
    kind: str
    value: str
    default: str
    standard: str
    description: str
    error: str = ""
    minimum: str = ""
    maximum: str = ""
    step: str = ""
    choices: tuple[str, ...] = ()

    @property
    def field_name(self) -> str:
        return f"{_PREFIX}.{self.stage}.{self.name}"

    @property
    def field_id(self) -> str:
        return f"{_PREFIX}-{self.stage}-{self.name}"

    @property
    def place(self) -> str:
        return f"{self.stage}.{self.name}"

    @property
    def word(self) -> str:
        return words(self.name).capitalize()

    @property
    def changed(self) -> bool:
        return self.value != self.default

    @property
    def limits(self) -> str:
        return f"{self.minimum} to {self.maximum}" if self.minimum and self.maximum else ""


@dataclass(frozen=True)
class StageOptions:
    """The fields of a stage."""

    stage: str
    word: str
    description: str
    fields: list[OptionField]

    @property
    def changed(self) -> int:
        return sum(field.changed for field in self.fields)

    @property
    def wrong(self) -> bool:
        return any(field.error for field in self.fields)


@dataclass
class SentOptions:
    """What a form sent: overrides where all is well, texts and errors by ``stage.option`` where not."""

    overrides: Overrides = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def option_groups(
    stages: Iterable[Stage], snapshot: Overrides, sent: SentOptions | None = None, *, shown: Overrides | None = None
) -> list[StageOptions]:
    """Fields of each stage. ``snapshot`` has what counts as unchanged; ``shown`` or what was sent is in the fields."""
    sent = sent or SentOptions(overrides=shown or {})
    return [
        StageOptions(
            stage=stage.name,
            word=stage_word(stage.name),
            description=(type(stage).__doc__ or "").strip().partition("\n")[0],
            fields=[_field(stage, schema, snapshot[stage.name], sent) for schema in _schemas(type(stage))],
        )
        for stage in stages
    ]


def read_options(pipeline: Pipeline, data: QueryDict, unchanged: Overrides) -> SentOptions:
    """Overrides from the fields that differ from ``unchanged``; every value is checked by its stage."""
    sent = SentOptions()
    for stage in pipeline.stages:
        for schema in _schemas(type(stage)):
            given = data.getlist(f"{_PREFIX}.{stage.name}.{schema.name}")
            if not given:
                continue
            place, text = f"{stage.name}.{schema.name}", given[-1].strip()
            sent.texts[place] = text
            before = unchanged.get(stage.name, {}).get(schema.name)
            if text == as_text(before):
                continue
            try:
                value = _value(text, schema.type)
                checked = getattr(convert_options(stage, {schema.name: value}), schema.name)
            except (ConfigError, ValueError) as error:
                sent.errors[place] = _complaint(error, schema)
                continue
            if _plain(checked) != _plain(before):
                sent.overrides.setdefault(stage.name, {})[schema.name] = _plain(checked)
    return sent


def differences(overrides: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """``(stage, option, value)`` of each override, as texts for people."""
    return [
        (stage_word(stage), words(name), as_text(value) or "none")
        for stage, values in overrides.items()
        for name, value in values.items()
    ]


@cache
def _schemas(kind: type[Stage]) -> list[OptionSchema]:
    """Reading a stage's schema takes milliseconds, and it never changes."""
    return option_schemas(kind())


def _field(stage: Stage, schema: OptionSchema, snapshot: Mapping[str, Any], sent: SentOptions) -> OptionField:
    place = f"{stage.name}.{schema.name}"
    default = as_text(snapshot.get(schema.name, schema.default))
    value = sent.texts.get(place)
    if value is None:
        own = sent.overrides.get(stage.name, {})
        value = as_text(own[schema.name]) if schema.name in own else default
    return OptionField(
        stage=stage.name,
        name=schema.name,
        kind=_kind(schema),
        value=value,
        default=default,
        standard=as_text(schema.default),
        description=schema.description,
        error=sent.errors.get(place, ""),
        minimum=as_text(schema.minimum) if schema.minimum is not None else "",
        maximum=as_text(schema.maximum) if schema.maximum is not None else "",
        step=_step(schema, snapshot.get(schema.name, schema.default)),
        choices=tuple(map(as_text, schema.choices or ())),
    )


def _kind(schema: OptionSchema) -> str:
    if schema.choices:
        return "choice"
    return {"boolean": "switch", "integer": "number", "number": "number", "array": "list"}.get(schema.type, "text")


def _step(schema: OptionSchema, value: Any) -> str:
    """How far one press of an arrow, or of a slider's key, goes: ``value`` and the limits are whole steps apart."""
    if schema.type == "integer":
        return "1"
    if schema.type != "number" or schema.minimum is None or schema.maximum is None:
        return "any"
    least = Decimal(str(schema.minimum))
    reach = Decimal(str(schema.maximum)) - least
    step = next((step for most, step in _STEPS if reach <= most), Decimal(1))
    for parts in (1, 2, 5, 10, 50, 100):
        if (Decimal(str(value)) - least) % (step / parts) == 0:
            return f"{(step / parts).normalize():f}"
    return "any"


def as_text(value: Any) -> str:
    """A value of an option as a field shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}" if value.is_integer() else repr(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _value(text: str, kind: str) -> Any:
    """The value that a field's text stands for. Raises ``ValueError``."""
    if kind == "boolean":
        return text == "true"
    if kind == "integer":
        return int(text)
    if kind == "number":
        number = float(text.replace(",", "."))
        if not isfinite(number):
            raise ValueError(text)
        return number
    if kind == "array":
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _complaint(error: Exception, schema: OptionSchema) -> str:
    """One line for beside the field: what it must be, in few words."""
    if schema.type in ("integer", "number") and schema.minimum is not None and schema.maximum is not None:
        whole = "a whole number" if schema.type == "integer" else "a number"
        return f"Must be {whole} from {as_text(schema.minimum)} to {as_text(schema.maximum)}."
    if schema.type in ("integer", "number"):
        return "Must be a whole number." if schema.type == "integer" else "Must be a number."
    return f"Cannot be used here. It is: {schema.description}." if schema.description else str(error)
