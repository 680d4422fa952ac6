"""Presets: pipelines with values of their parameters under a name, and what a batch comes to with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any

import msgspec
from django.db import IntegrityError, transaction
from msgspec import Meta

from detect.config import find_profile
from detect.declarations import builtin_files, read_declaration
from detect.errors import ConfigError, ConflictError, NotFoundError
from detect.options import Overrides
from detect.parameters import PROFILE, Parameter, parameter_value
from detect.registry import Pipeline, load_pipeline
from jobs.annotation import records
from jobs.annotation.catalog import parameters_of

Chosen = Mapping[str, Mapping[str, Any]]


class _PresetFile(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    version: Annotated[int, Meta(ge=1)]
    description: str
    pipelines: Annotated[dict[str, dict[str, Any]], Meta(min_length=1)]


@dataclass(frozen=True)
class Preset:
    """``pipelines`` are those it runs, each with the parameters that it sets. One that was ``saved`` can be deleted."""

    name: str
    pipelines: Chosen
    version: int = 1
    description: str = ""
    saved: bool = False
    created_by: str = field(default="", compare=False)


@cache
def builtin_presets() -> dict[str, Preset]:
    """Presets that come with the program (``detect/presets/*.yaml``), by name.

    Raises ``ConfigError`` naming the file and what is wrong with it.
    """
    found = {}
    for name, file in sorted(builtin_files("presets").items()):
        declared = read_declaration(file, _PresetFile)
        if declared.name != name:
            raise ConfigError(f"{file}: its name is '{declared.name}': it must be that of the file")
        found[name] = Preset(name, declared.pipelines, declared.version, declared.description)
    return found


def presets_all() -> list[Preset]:
    """Built-in and saved ones, by name."""
    saved = {row.name: _of_row(row) for row in records.Preset.objects.all()}
    return sorted({**saved, **builtin_presets()}.values(), key=lambda preset: preset.name)


def preset_find(name: str) -> Preset:
    """Raises ``NotFoundError`` naming the presets there are."""
    built_in = builtin_presets().get(name)
    if built_in is not None:
        return built_in
    row = records.Preset.objects.filter(name=name).first() if name.isprintable() else None
    if row is None:
        raise NotFoundError(f"There is no preset {name[:100]!r}: there are {_names()}.")
    return _of_row(row)


def check_preset(preset: Preset) -> None:
    """Raises ``ConfigError`` where it names a pipeline, parameter or value that there is not. Which profiles there are
    is not looked up, as that takes a database.
    """
    for key, values in preset.pipelines.items():
        pipeline = load_pipeline(key)
        _check_names(pipeline, values)
        for name, value in values.items():
            parameter_value(f"{key}.{name}", pipeline.params[name], value)


def preset_create(*, name: str, pipelines: Chosen, description: str = "", created_by: str = "") -> Preset:
    """Save pipelines with parameters under a name.

    Raises ``ConfigError`` for unknown pipelines, parameters and values, ``ConflictError`` for a name that is taken.
    """
    if not pipelines:
        raise ConfigError("pipelines: name at least one")
    checked = {key: _checked(load_pipeline(key), values) for key, values in pipelines.items()}
    taken = ConflictError(f"there is a preset '{name}' already: choose another name")
    if name in builtin_presets():
        raise taken
    try:
        with transaction.atomic():
            row = records.Preset.objects.create(
                name=name, pipelines=checked, description=description, created_by=created_by
            )
    except IntegrityError as error:
        raise taken from error
    return _of_row(row)


def preset_delete(name: str) -> None:
    """Remove a saved preset; batches that were run with it keep what it stood for.

    Raises ``NotFoundError``, and ``ConflictError`` for one that comes with the program.
    """
    if not preset_find(name).saved:
        raise ConflictError(f"the preset '{name}' comes with the program: it cannot be deleted")
    records.Preset.objects.filter(name=name).delete()


def resolve_batch(preset: str, overrides: Chosen) -> dict[str, dict[str, Any]]:
    """The pipelines of a batch, each with every parameter's value.

    An override counts before the preset, that before what the chosen profile says, that before the default. A pipeline
    that overrides alone name is run too. Raises ``ConfigError`` for an unknown preset, pipeline, parameter or value,
    saying what is allowed, and where there is nothing to run.
    """
    chosen: Chosen = {}
    if preset:
        try:
            chosen = preset_find(preset).pipelines
        except NotFoundError as error:
            raise ConfigError(error.message) from error
    if not chosen and not overrides:
        raise ConfigError(f"name a preset, or pipelines in overrides: the presets are {_names()}")
    return {
        key: _values(load_pipeline(key), {**chosen.get(key, {}), **overrides.get(key, {})})
        for key in dict.fromkeys([*chosen, *overrides])
    }


def batch_overrides(pipeline: Pipeline, values: Mapping[str, Any]) -> tuple[str, Overrides]:
    """The profile and the options of stages that parameters' values stand for."""
    profile = pipeline.profile
    overrides: Overrides = {}
    for name, value in values.items():
        parameter = pipeline.params[name]
        if parameter.sets == PROFILE:
            profile = value
            continue
        stage, option = parameter.target if parameter.sets else (pipeline.stages[0].name, name)
        overrides.setdefault(stage, {})[option] = value
    return profile, overrides


def _values(pipeline: Pipeline, given: Mapping[str, Any]) -> dict[str, Any]:
    checked = _checked(pipeline, given)
    profile, _ = batch_overrides(pipeline, checked)
    for_footage = find_profile(profile).options
    return {
        name: checked[name] if name in checked else _unset(parameter, for_footage)
        for name, parameter in pipeline.params.items()
    }


def _unset(parameter: Parameter, for_footage: Overrides) -> Any:
    stage, option = parameter.target
    return for_footage.get(stage, {}).get(option, parameter.default)


def _checked(pipeline: Pipeline, given: Mapping[str, Any]) -> dict[str, Any]:
    _check_names(pipeline, given)
    known = parameters_of(pipeline)
    return {name: parameter_value(f"{pipeline.key}.{name}", known[name], value) for name, value in given.items()}


def _check_names(pipeline: Pipeline, given: Mapping[str, Any]) -> None:
    for name in given:
        if name not in pipeline.params:
            names = ", ".join(pipeline.params) or "none"
            raise ConfigError(f"unknown parameter {f'{pipeline.key}.{name}'[:200]!r}: there are {names}")


def _of_row(row: records.Preset) -> Preset:
    return Preset(row.name, row.pipelines, row.version, row.description, saved=True, created_by=row.created_by)


def _names() -> str:
    return ", ".join(preset.name for preset in presets_all())
