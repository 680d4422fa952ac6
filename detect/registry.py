"""Pipelines: declared in files, the program's own and those of others, and checked as a whole before they are used.

Files are looked for in ``detect/pipelines``, in installed packages that name a package of theirs under the entry point
group ``mediaproc.pipelines``, and in a folder of one's own. One with the name of an earlier one takes its place.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from detect.artifacts.base import Writer
from detect.declarations import builtin_files, declared_in, read_declaration
from detect.errors import ConfigError
from detect.model_needs import ModelNeed
from detect.options import Overrides, convert_options
from detect.parameters import Parameter, check_parameter
from detect.planner import input_fields
from detect.report import ReportBody
from detect.stages.base import Stage

ENTRY_POINTS = "mediaproc.pipelines"
#: What the function of a pipeline has left by itself.
_LEFT_BY_FUNCTION = "detect.artifacts.kept:write"
#: Stages that take whichever object detector there is.
_DETECTORS = {"detect_objects", "detect_each_frame"}
_own_pipelines: Path | None = None


class Tells(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """After how many items (frames, crops) of a unit a worker tells of it at the latest, however fast they go.

    ``progress`` is the job's share of work done, ``log`` a line for people; None leaves it to the clock.
    """

    progress: Annotated[int, Meta(ge=1)] | None = None
    log: Annotated[int, Meta(ge=1)] | None = None


class _PipelineFile(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    key: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    label: str
    description: str = ""
    version: Annotated[int, Meta(ge=1)]
    inputs: tuple[str, ...] = ("pictures",)
    stages: list[str] = msgspec.field(default_factory=list)
    entry_point: str = ""
    options: Overrides = msgspec.field(default_factory=dict)
    profile: str = "defaults"
    models: dict[str, ModelNeed] = msgspec.field(default_factory=dict)
    params: dict[str, Parameter] = msgspec.field(default_factory=dict)
    artifacts: list[str] = msgspec.field(default_factory=list)
    viewer: tuple[str, ...] = ()
    shares: dict[str, float] = msgspec.field(default_factory=dict)
    tells: Tells = Tells()


@dataclass(frozen=True)
class Pipeline:
    """Stages in the order they run, and what people see of them.

    ``options`` are values that hold in this pipeline, under profiles; ``profile`` is the one it is run with where
    nobody names another. ``inputs`` is what a file must have: ``pictures``, ``sound`` or both. ``params`` are what may
    be set in a batch, ``artifacts`` write its files, and ``viewer`` orders their roles over a playing video.
    """

    key: str
    label: str
    version: int
    stages: tuple[Stage, ...]
    description: str = ""
    inputs: tuple[str, ...] = ("pictures",)
    options: Overrides = field(default_factory=dict)
    profile: str = "defaults"
    models: dict[str, ModelNeed] = field(default_factory=dict)
    params: dict[str, Parameter] = field(default_factory=dict)
    artifacts: tuple[Writer, ...] = ()
    viewer: tuple[str, ...] = ()
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

    @property
    def samples_frames(self) -> bool:
        """Whether it begins by sampling frames, which pages and later stages then have."""
        return self.stages[0].name == "extract_frames"


def use_pipelines_of(folder: Path | None) -> None:
    """Take pipelines from a folder of one's own too; one with the name of a built-in one takes its place."""
    global _own_pipelines  # noqa: PLW0603 - an installation has one such folder, named when a process starts
    _own_pipelines = folder
    load_pipeline.cache_clear()
    _installed.cache_clear()


@cache
def load_pipeline(key: str) -> Pipeline:
    """Read a pipeline's declaration and import what it names.

    Raises ``ConfigError`` for an unknown key, and for a declaration that cannot be used, naming the file and what is
    wrong with it.
    """
    files = _files()
    if key not in files:
        raise ConfigError(f"unknown pipeline '{key}': there are {', '.join(sorted(files))}")
    declared = read_declaration(files[key], _PipelineFile)
    try:
        if declared.key != key:
            raise ConfigError(f"its key is '{declared.key}': it must be that of the file's name")
        return _checked(declared)
    except ConfigError as error:
        raise ConfigError(f"{files[key]}: {error}") from error


def pipeline_names() -> list[str]:
    """Pipelines there are, sorted."""
    return sorted(_files())


def report_pipelines() -> list[str]:
    """Names of the pipelines out of which a report of brands comes, sorted."""
    return [name for name in pipeline_names() if _is_sound(name) and load_pipeline(name).gives_report]


def other_models() -> set[str]:
    """Names and patterns of files that are models of pipelines without a detector of objects, and so none either."""
    return {
        name
        for key in pipeline_names()
        if _is_sound(key) and not _DETECTORS & {stage.name for stage in load_pipeline(key).stages}
        for need in load_pipeline(key).models.values()
        for name in need.files
    }


def broken_pipelines() -> dict[str, str]:
    """Pipelines whose declaration cannot be used, with the reason; so are packages whose declarations are not found."""
    return {**_installed()[1], **{name: reason for name in pipeline_names() if (reason := _fault(name))}}


def _fault(name: str) -> str:
    try:
        load_pipeline(name)
    except ConfigError as error:
        return str(error)
    return ""


def _is_sound(name: str) -> bool:
    return not _fault(name)


def _checked(declared: _PipelineFile) -> Pipeline:
    if bool(declared.stages) == bool(declared.entry_point):
        raise ConfigError("needs either stages or an entry_point")
    _check_words("inputs", declared.inputs, ("pictures", "sound"))
    if declared.entry_point:
        from detect.stages.run_entry_point import entry_point_stage

        run = _import(declared.entry_point)
        stages: tuple[Stage, ...] = (entry_point_stage(declared.key, declared.version, run, declared.params),)
    else:
        stages = tuple(_import(entry)() for entry in declared.stages)
    _check_order(stages)
    written = declared.artifacts or ([_LEFT_BY_FUNCTION] if declared.entry_point else [])
    writers = tuple(_import(entry) for entry in written)
    pipeline = Pipeline(
        key=declared.key,
        label=declared.label,
        description=declared.description,
        version=declared.version,
        inputs=declared.inputs,
        stages=stages,
        options=declared.options,
        profile=declared.profile,
        models=declared.models,
        params=declared.params,
        artifacts=writers,
        viewer=declared.viewer,
        shares=declared.shares,
        tells=declared.tells,
    )
    for stage, values in declared.options.items():
        convert_options(pipeline.stage(stage), values)
    for name, parameter in declared.params.items():
        check_parameter(name, parameter, {stage.name: stage for stage in stages})
    for stage in declared.shares:
        pipeline.index(stage)
    return pipeline


def _check_order(stages: tuple[Stage, ...]) -> None:
    before: set[str] = set()
    for stage in stages:
        if stage.name in before:
            raise ConfigError(f"the stage '{stage.name}' is there twice")
        for read in input_fields(stage):
            if read not in before:
                raise ConfigError(f"the stage '{stage.name}' reads '{read}', which does not come before it")
        before.add(stage.name)


def _check_words(field: str, given: tuple[str, ...], known: tuple[str, ...]) -> None:
    for word in given or ("",):
        if word not in known:
            raise ConfigError(f"{field}: '{word}' is none of {', '.join(known)}")


def _import(entry: str) -> Callable[..., Any]:
    """What ``module:name`` names. Raises ``ConfigError`` where it cannot be had, whatever the module raises."""
    module, _, name = entry.partition(":")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except Exception as error:
        raise ConfigError(f"'{entry}' cannot be imported: {type(error).__name__}: {error}") from error
    return found


def _files() -> dict[str, Traversable]:
    """Declarations by their names."""
    own = [] if _own_pipelines is None else [_own_pipelines]
    return {**builtin_files("pipelines"), **declared_in([*_installed()[0], *own])}


@cache
def _installed() -> tuple[tuple[Traversable, ...], dict[str, str]]:
    """Folders with declarations of installed packages, and by the name of its entry point what is wrong with others."""
    folders, faults = [], {}
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        try:
            folders.append(_package(entry.name, entry.value))
        except ConfigError as error:
            faults[entry.name] = str(error)
    return tuple(folders), faults


def _package(name: str, package: str) -> Traversable:
    """Raises ``ConfigError`` where it cannot be imported, whatever it raises."""
    try:
        return resources.files(package)
    except Exception as error:
        raise ConfigError(
            f"the entry point '{name}' names the package {package}, which cannot be imported: "
            f"{type(error).__name__}: {error}"
        ) from error
