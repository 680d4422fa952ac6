"""What may be set of a pipeline in a batch: a few options of its stages under names of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from detect.errors import ConfigError
from detect.options import convert_options
from detect.stages.base import Stage

ParameterType = Literal["int", "float", "bool", "string", "enum"]
#: What a parameter sets that chooses the profile.
PROFILE = "profile"
_KINDS: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "string": (str,),
    "enum": (str, int, float),
}


class Parameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value that people may set. ``sets`` is the ``stage.option`` it stands for; an entry point gets it by name.

    ``min`` and ``max`` bound numbers, ``choices`` are those of an enum. One that sets ``profile`` chooses among those
    that fit the pipeline, which are looked up when it is set.
    """

    type: ParameterType
    default: Any
    sets: str = ""
    min: float | None = None
    max: float | None = None
    choices: tuple[Any, ...] = ()
    description: str = ""

    @property
    def target(self) -> tuple[str, str]:
        """Stage and option."""
        stage, _, option = self.sets.partition(".")
        return stage, option


def parameter_value(name: str, parameter: Parameter, value: Any) -> Any:
    """The value, of the declared type: 1 where 1.0 is meant is taken. Raises ``ConfigError`` saying what is allowed."""
    kinds = _KINDS[parameter.type]
    if not isinstance(value, kinds) or (isinstance(value, bool) and parameter.type != "bool"):
        raise ConfigError(f"{name} = {value!r}: {_allowed(parameter)}")
    if isinstance(value, str) and not _can_be_kept(value):
        raise ConfigError(f"{name} = {value!r}: has characters that cannot be kept")
    if parameter.choices and value not in parameter.choices:
        raise ConfigError(f"{name} = {value!r}: {_allowed(parameter)}")
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
        if not (parameter.min is None or number >= parameter.min) or not (
            parameter.max is None or number <= parameter.max
        ):
            raise ConfigError(f"{name} = {value!r}: {_allowed(parameter)}")
        return number if parameter.type == "float" else value
    return value


def check_parameter(name: str, parameter: Parameter, stages: Mapping[str, Stage]) -> None:
    """Raises ``ConfigError`` where what is declared does not agree with itself or with the option it sets."""
    where = f"params.{name}"
    if parameter.sets == PROFILE and (parameter.type != "enum" or parameter.choices):
        raise ConfigError(f"{where}: what sets the profile is an enum without choices: they are the profiles that fit")
    if parameter.type == "enum" and not parameter.choices and parameter.sets != PROFILE:
        raise ConfigError(f"{where}: an enum needs choices")
    parameter_value(f"{where}.default", parameter, parameter.default)
    if parameter.sets == PROFILE:
        return
    if not parameter.sets:
        if any(stage.name != "annotate" for stage in stages.values()):
            raise ConfigError(f"{where}: needs 'sets', the stage.option it stands for")
        return
    stage, option = parameter.target
    if stage not in stages or not option:
        raise ConfigError(f"{where}: sets '{parameter.sets}', but the stages are {', '.join(stages)}")
    bounds = [limit for limit in (parameter.min, parameter.max) if limit is not None]
    whole = parameter.type == "int"
    for value in (parameter.default, *parameter.choices, *(int(one) if whole else one for one in bounds)):
        try:
            convert_options(stages[stage], {option: value})
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from error


def _can_be_kept(text: str) -> bool:
    """Whether a database keeps it: no NUL, no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _allowed(parameter: Parameter) -> str:
    parts = [f"must be {'one of ' + ', '.join(map(repr, parameter.choices)) if parameter.choices else parameter.type}"]
    parts += [f"at least {parameter.min:g}"] if parameter.min is not None else []
    parts += [f"at most {parameter.max:g}"] if parameter.max is not None else []
    return f"{', '.join(parts)}; default {parameter.default!r}"
