"""Pipelines, profiles and options: what may be set, checked before anything runs."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Protocol

import msgspec
import yaml
from msgspec import Meta

from detect.checkpoints import serde
from detect.errors import ConfigError
from detect.report import ReportBody
from detect.stages.base import Stage

Overrides = dict[str, dict[str, Any]]
DEFAULT_PROFILE = "soccer_broadcast"
_own_pipelines: Path | None = None
_saved_profiles: ProfileSource | None = None


class Tells(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """After how many items (frames, crops) of a unit a worker tells of it at the latest, however fast they go.

    ``progress`` is the job's share of work done, ``log`` a line for people; None leaves it to the clock.
    """

    progress: Annotated[int, Meta(ge=1)] | None = None
    log: Annotated[int, Meta(ge=1)] | None = None


class _PipelineFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    label: str
    version: int
    stages: list[str]
    shares: dict[str, float] = msgspec.field(default_factory=dict)
    tells: Tells = Tells()


class _ProfileFile(msgspec.Struct, forbid_unknown_fields=True):
    label: str
    description: str
    pipeline: str = ""
    options: Overrides = msgspec.field(default_factory=dict)


@dataclass(frozen=True)
class Pipeline:
    """Stages in the order they run, as declared in ``detect/pipelines/<key>.yaml`` or a folder of one's own."""

    key: str
    label: str
    version: int
    stages: tuple[Stage, ...]
    shares: dict[str, float] = field(default_factory=dict)
    tells: Tells = field(default_factory=Tells)

    def progress(self, index: int, fraction: float) -> float:
        """Share 0-1 of the whole work that is done with ``fraction`` of the stage at ``index``."""
        shares = [self.shares.get(stage.name, 1.0) for stage in self.stages]
        return (sum(shares[:index]) + shares[index] * min(1.0, fraction)) / sum(shares)

    def index(self, stage: str) -> int:
        """Position of ``stage``. Raises ``ConfigError`` naming the stages there are."""
        names = [known.name for known in self.stages]
        if stage not in names:
            raise ConfigError(f"unknown stage '{stage}': the stages of '{self.key}' are {', '.join(names)}")
        return names.index(stage)

    def stage(self, name: str) -> Stage:
        return self.stages[self.index(name)]

    @property
    def gives_report(self) -> bool:
        """Whether a report of brands comes out of it."""
        return issubclass(self.stages[-1].Output, ReportBody)


@dataclass(frozen=True)
class ResolvedConfig:
    """Every option of every stage with its value: profile over defaults, overrides over the profile."""

    pipeline: str
    profile: str
    options: dict[str, Any]

    def snapshot(self) -> Overrides:
        """Plain values, for storing and showing."""
        return {stage: msgspec.to_builtins(options) for stage, options in self.options.items()}

    @property
    def digest(self) -> str:
        return serde.digest([self.pipeline, self.snapshot()])


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


@dataclass(frozen=True)
class Profile:
    """A kind of footage, as people choose it: values of options under a name.

    One that was ``saved`` is for the ``pipeline`` it was saved from; a built-in one that names none is for any that has
    its stages.
    """

    name: str
    label: str
    description: str
    options: Overrides = field(default_factory=dict)
    pipeline: str = ""
    saved: bool = False


class ProfileSource(Protocol):
    """Profiles that are kept elsewhere than with the program. What a name stands for never changes."""

    def find(self, name: str) -> Profile | None: ...

    def all(self) -> Sequence[Profile]: ...


def use_profiles_of(source: ProfileSource | None) -> None:
    """Know the profiles of ``source`` too. A built-in one is taken without asking for it there."""
    global _saved_profiles  # noqa: PLW0603 - an installation has one such place, named when a process starts
    _saved_profiles = source


def use_pipelines_of(folder: Path | None) -> None:
    """Take pipelines from a folder of one's own too; one with the name of a built-in one takes its place."""
    global _own_pipelines  # noqa: PLW0603 - an installation has one such folder, named when a process starts
    _own_pipelines = folder
    load_pipeline.cache_clear()


@cache
def load_pipeline(key: str) -> Pipeline:
    """Read a pipeline's declaration and import its stages. Raises ``ConfigError`` for an unknown key."""
    declared = _load_yaml("pipelines", key, _PipelineFile)
    return Pipeline(
        key=declared.key,
        label=declared.label,
        version=declared.version,
        stages=tuple(_load_stage(entry) for entry in declared.stages),
        shares=declared.shares,
        tells=declared.tells,
    )


def pipeline_names() -> list[str]:
    """Pipelines there are, sorted."""
    return sorted(_declared("pipelines"))


def report_pipelines() -> list[str]:
    """Names of the pipelines out of which a report of brands comes, sorted."""
    return [name for name in pipeline_names() if load_pipeline(name).gives_report]


@cache
def builtin_profiles() -> dict[str, Profile]:
    """Profiles that come with the program (``detect/profiles/*.yaml``), by name."""
    files = {name: _load_yaml("profiles", name, _ProfileFile) for name in sorted(_declared("profiles"))}
    return {
        name: Profile(name, file.label, file.description, file.options, file.pipeline) for name, file in files.items()
    }


def profiles(pipeline: str = "") -> list[Profile]:
    """Profiles there are, by name, built-in and saved; with ``pipeline`` those that can be used with it."""
    saved = {} if _saved_profiles is None else {one.name: one for one in _saved_profiles.all()}
    found = sorted({**saved, **builtin_profiles()}.values(), key=lambda one: one.name)
    return [one for one in found if not pipeline or one.pipeline in ("", pipeline)]


def profile_names(pipeline: str = "") -> list[str]:
    """Names of :func:`profiles`, sorted."""
    return [one.name for one in profiles(pipeline)]


def find_profile(name: str) -> Profile:
    """Raises ``ConfigError`` naming the profiles there are."""
    found = builtin_profiles().get(name) or (None if _saved_profiles is None else _saved_profiles.find(name))
    if found is None:
        raise ConfigError(f"unknown profile '{name}': there are {', '.join(profile_names())}")
    return found


def resolve(
    pipeline: Pipeline, profile: str | Profile = DEFAULT_PROFILE, overrides: Overrides | None = None
) -> ResolvedConfig:
    """Put defaults, profile and overrides together and check every value.

    Raises ``ConfigError`` naming the profile, stage, option or value that is wrong and what is allowed instead.
    """
    chosen = profile if isinstance(profile, Profile) else find_profile(profile)
    if chosen.pipeline not in ("", pipeline.key):
        raise ConfigError(f"the profile '{chosen.name}' is for the pipeline '{chosen.pipeline}', not '{pipeline.key}'")
    layers = [chosen.options, overrides or {}]
    for layer in layers:
        for stage in layer:
            pipeline.index(stage)
    merged = {
        stage.name: merge(*({stage.name: layer.get(stage.name, {})} for layer in layers)) for stage in pipeline.stages
    }
    options = {stage.name: convert_options(stage, merged[stage.name].get(stage.name, {})) for stage in pipeline.stages}
    return ResolvedConfig(pipeline=pipeline.key, profile=chosen.name, options=options)


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


def _load_stage(entry: str) -> Stage:
    module, _, name = entry.partition(":")
    stage: Stage = getattr(importlib.import_module(module), name)()
    return stage


def _declared(folder: str) -> dict[str, Traversable]:
    """Files of pipelines or profiles by their names."""
    places: list[Traversable] = [resources.files("detect").joinpath(folder)]
    if folder == "pipelines" and _own_pipelines is not None:
        places.append(_own_pipelines)
    return {
        file.name.removesuffix(".yaml"): file
        for place in places
        if place.is_dir()
        for file in place.iterdir()
        if file.name.endswith(".yaml")
    }


def _load_yaml(folder: str, name: str, kind: type[Any]) -> Any:
    files = _declared(folder)
    if name not in files:
        raise ConfigError(f"unknown {folder[:-1]} '{name}': there are {', '.join(sorted(files))}")
    try:
        return msgspec.convert(yaml.safe_load(files[name].read_text(encoding="utf-8")), type=kind)
    except (msgspec.ValidationError, yaml.YAMLError) as error:
        raise ConfigError(f"{files[name]}: {error}") from error
