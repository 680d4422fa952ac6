"""The form that asks for a batch: pipelines with their parameters, filled from a preset or by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import isfinite
from typing import Any

from django.http import QueryDict

from detect.errors import ConfigError
from detect.parameters import Parameter, parameter_value
from jobs.annotation.catalog import PipelineState
from jobs.pages.annotation_shown import sentence
from jobs.pages.options import OptionField, as_text

#: A pipeline's values: parameter: value.
Values = Mapping[str, Any]
_KINDS = {"bool": "switch", "int": "number", "float": "number", "enum": "choice", "string": "text"}
_NEEDS = {"pictures": "needs pictures", "sound": "needs sound"}
_STEPS = ((1, Decimal("0.01")), (20, Decimal("0.1")), (100, Decimal("0.5")))


@dataclass(frozen=True)
class PipelineChoice:
    """A pipeline in the form. ``reason`` is why it cannot be run here; empty where it can."""

    key: str
    label: str
    description: str
    version: int
    needs: str
    reason: str
    chosen: bool
    fields: list[OptionField]

    @property
    def changed(self) -> int:
        return sum(field.changed for field in self.fields)

    @property
    def wrong(self) -> bool:
        return any(field.error for field in self.fields)


@dataclass
class Sent:
    """What a form sent: the chosen pipelines with all their values, texts and errors by ``pipeline.parameter``."""

    chosen: dict[str, dict[str, Any]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def read_pipelines(pipelines: Iterable[PipelineState], data: QueryDict) -> Sent:
    """The ticked pipelines and every value that was sent, checked; unknown pipelines are passed over."""
    sent = Sent()
    ticked = set(data.getlist("pipelines"))
    for pipeline in pipelines:
        key = pipeline.key
        values: dict[str, Any] = {}
        for name, parameter in pipeline.params.items():
            given = data.getlist(f"option.{key}.{name}")
            if not given:
                continue
            place, text = f"{key}.{name}", given[-1].strip()
            sent.texts[place] = text
            try:
                values[name] = parameter_value(name, parameter, _value(text, parameter))
            except (ConfigError, ValueError):
                if key in ticked:
                    sent.errors[place] = _complaint(parameter)
        if key in ticked:
            sent.chosen[key] = values
    return sent


def filled(values: Mapping[str, Values]) -> Sent:
    """A form that has these pipelines ticked, with these values."""
    texts = {f"{key}.{name}": as_text(value) for key, own in values.items() for name, value in own.items()}
    return Sent(chosen={key: dict(own) for key, own in values.items()}, texts=texts)


def pipeline_choice(pipeline: PipelineState, sent: Sent) -> PipelineChoice:
    return PipelineChoice(
        key=pipeline.key,
        label=pipeline.label,
        description=pipeline.description,
        version=pipeline.version,
        needs=", ".join(_NEEDS.get(one, f"needs {one}") for one in pipeline.inputs),
        reason=sentence(pipeline.reason) if pipeline.reason else "",
        chosen=pipeline.key in sent.chosen and pipeline.available,
        fields=[_field(pipeline.key, name, parameter, sent) for name, parameter in pipeline.params.items()],
    )


def differing(values: Values, before: Values, pipeline: PipelineState) -> dict[str, Any]:
    """The values that are not those ``before``, nor where there are none the defaults."""
    return {name: value for name, value in values.items() if value != before.get(name, pipeline.params[name].default)}


def _field(key: str, name: str, parameter: Parameter, sent: Sent) -> OptionField:
    default = as_text(parameter.default)
    value = sent.texts.get(f"{key}.{name}", default)
    return OptionField(
        stage=key,
        name=name,
        kind=_KINDS[parameter.type],
        value=value,
        default=default,
        standard=default,
        description=parameter.description,
        error=sent.errors.get(f"{key}.{name}", ""),
        minimum=_bound(parameter.min),
        maximum=_bound(parameter.max),
        step=_step(parameter, value),
        choices=tuple(map(as_text, parameter.choices)),
    )


def _bound(value: float | None) -> str:
    return "" if value is None else as_text(value)


def _step(parameter: Parameter, value: str) -> str:
    """How far one press of an arrow goes: default and value are whole steps away from the least."""
    if parameter.type == "int":
        return "1"
    if parameter.min is None or parameter.max is None:
        return "any"
    least = Decimal(str(parameter.min))
    step = next((step for most, step in _STEPS if parameter.max - parameter.min <= most), Decimal(1))
    try:
        fits = all((Decimal(text) - least) % step == 0 for text in (as_text(parameter.default), value))
    except ArithmeticError:
        return "any"
    return f"{step:f}" if fits else "any"


def _value(text: str, parameter: Parameter) -> Any:
    """What a field's text stands for. Raises ``ValueError``."""
    if parameter.type == "bool":
        return text == "true"
    if parameter.type == "int":
        return int(text)
    if parameter.type == "float":
        number = float(text.replace(",", "."))
        if not isfinite(number):
            raise ValueError(text)
        return number
    if parameter.type == "enum":
        return next((choice for choice in parameter.choices if as_text(choice) == text), text)
    return text


def _complaint(parameter: Parameter) -> str:
    """One line for beside the field: what it must be."""
    if parameter.type in ("int", "float"):
        least, most = _bound(parameter.min), _bound(parameter.max)
        bounds = f" from {least} to {most}" if least and most else f", {least} or more" if least else ""
        if most and not least:
            bounds = f", {most} or less"
        return f"Must be {'a whole number' if parameter.type == 'int' else 'a number'}{bounds}."
    if parameter.choices:
        return f"Must be one of: {', '.join(as_text(choice) or '(empty)' for choice in parameter.choices)}."
    return "Cannot be used here."
