"""A pipeline that is one function of somebody's own: it is given a video and a folder, and leaves files there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from detect.artifacts.base import Artifact
from detect.errors import MediaprocError
from detect.parameters import Parameter
from detect.stages.base import FileStore, Needs, Options, StageContext, StageOutput, Video
from detect.types import SourceInfo, StoredFile

if TYPE_CHECKING:
    from detect.resources import Resources


class EntryPointError(MediaprocError):
    """An entry point listed a file that it did not write, or one outside its folder."""


@dataclass(frozen=True)
class Annotation:
    """What an entry point works with.

    ``params`` are the declared parameters with their values, ``models`` the declared models that are there, and
    ``folder`` is where files are left. ``progress`` takes the share 0-1 that is done; it raises ``CancelledError`` once
    the work is to stop.
    """

    video: Path
    source: SourceInfo
    params: Mapping[str, Any]
    models: Mapping[str, Path]
    folder: Path
    progress: Callable[[float], None]


EntryPoint = Callable[[Annotation], Sequence[Artifact]]


class EntryPointInput(msgspec.Struct, frozen=True):
    video: Video


class EntryPointOutput(StageOutput, frozen=True):
    """What the function left, each with the file it is stored as."""

    artifacts: list[Artifact]

    @property
    def files(self) -> list[StoredFile]:
        return [one.stored for one in self.artifacts if one.stored is not None]


class RunEntryPoint:
    """Run a function of an installed package."""

    name = "annotate"
    scope: Literal["chunk", "asset"] = "asset"
    uses_known_brands = False
    needs: Needs = "gpu"
    Input = EntryPointInput
    Output = EntryPointOutput

    def __init__(self, pipeline: str, version: int, run: EntryPoint, options: type[Options]) -> None:
        self.version = version
        self.Options = options
        self._pipeline, self._run = pipeline, run

    def model_digests(self, options: Any, resources: Resources) -> tuple[str, ...]:
        return (self._pipeline, *(model.digest for model in resources.models_of(self._pipeline).values()))

    def run(self, ctx: StageContext, data: EntryPointInput) -> EntryPointOutput:
        """Raises ``EntryPointError`` for a file that is listed and not there; whatever the function raises."""
        assert ctx.files is not None

        def progress(share: float) -> None:
            ctx.checkpoint()
            ctx.progress(round(1000 * min(1.0, max(0.0, share))), 1000)

        with ctx.files.folder() as folder:
            models = {name: model.path for name, model in ctx.resources.models_of(self._pipeline).items()}
            work = Annotation(
                video=Path(data.video.path),
                source=ctx.source,
                params=msgspec.to_builtins(ctx.options),
                models=models,
                folder=folder,
                progress=progress,
            )
            listed = self._run(work)
            return EntryPointOutput(
                artifacts=[_keep(ctx.files, artifact, folder) for artifact in listed],
                stats={"files": len(listed)},
            )


def entry_point_stage(pipeline: str, version: int, run: EntryPoint, params: Mapping[str, Parameter]) -> RunEntryPoint:
    """The stage of a pipeline that is one function; its options are the pipeline's parameters."""
    kinds = {"int": int, "float": float, "bool": bool, "string": str, "enum": Any}
    options = msgspec.defstruct(
        f"{pipeline.title().replace('_', '')}Options",
        [(name, kinds[one.type], one.default) for name, one in params.items()],
        bases=(Options,),
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )
    return RunEntryPoint(pipeline, version, run, cast(type[Options], options))


def _keep(files: FileStore, artifact: Artifact, folder: Path) -> Artifact:
    path = PurePosixPath(artifact.path)
    if path.is_absolute() or ".." in path.parts or not (folder / path).is_file() or (folder / path).is_symlink():
        raise EntryPointError(f"the entry point lists '{artifact.path}', which it did not write into its folder")
    return msgspec.structs.replace(artifact, stored=files.keep(folder / path))
