"""A pipeline run in memory over one video, and its artifacts as a writer leaves them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from detect.artifacts.base import Artifact
from detect.checkpoints.memory import MemoryCheckpointStore
from detect.config import resolve
from detect.engines.objects import WeightsError
from detect.media.probe import probe
from detect.options import Overrides
from detect.registry import load_pipeline
from detect.report import Report
from detect.resources import LocalModel, Resources
from detect.runner import Runner, RunRequest
from detect.types import KnownBrands, SourceInfo
from tests.stages.memory_files import FolderFiles
from tests.stages.memory_frames import MemoryFrames


@dataclass(frozen=True)
class Shelf:
    """Models by name: files that exist."""

    files: dict[str, Path] = field(default_factory=dict)

    def model(self, name: str) -> LocalModel:
        found = self.find(name)
        if found is None:
            raise WeightsError(f"there is no model '{name}'")
        return found

    def find(self, name: str) -> LocalModel | None:
        path = self.files.get(name)
        if path is None:
            return None
        return LocalModel(name, path, hashlib.sha256(path.read_bytes()).hexdigest())

    def models_of(self, pipeline: str) -> Mapping[str, LocalModel]:
        return {}


@dataclass(frozen=True)
class Finished:
    """A :class:`~detect.artifacts.base.FinishedRun`."""

    source: SourceInfo
    name: str
    pipeline: str
    options: dict[str, Any]
    outputs: dict[str, Sequence[Any]]
    files: FolderFiles
    path: Path

    def output(self, stage: str) -> Any:
        return self.outputs[stage][0]

    def parts(self, stage: str) -> Sequence[Any]:
        return self.outputs[stage]

    @contextmanager
    def video(self) -> Iterator[Path]:
        yield self.path

    def report(self) -> Report | None:
        return None

    def write(self, folder: Path) -> list[Artifact]:
        """What all writers of the pipeline leave, each in a folder of its own below ``folder``."""
        found = []
        for number, writer in enumerate(load_pipeline(self.pipeline).artifacts):
            own = folder / str(number)
            own.mkdir(parents=True)
            artifacts = writer(self, own)
            written = {artifact.path for artifact in artifacts if artifact.stored is None}
            assert written == {path.relative_to(own).as_posix() for path in own.rglob("*") if path.is_file()}
            found += artifacts
        return found


def run_pipeline(
    key: str,
    video: Path,
    folder: Path,
    *,
    models: dict[str, Path] | None = None,
    overrides: Overrides | None = None,
) -> Finished:
    """Run all stages; what they leave in files lies in ``folder``."""
    pipeline = load_pipeline(key)
    config = resolve(pipeline, pipeline.profile, overrides)
    store, files = MemoryCheckpointStore(), FolderFiles(folder / "files")
    runner = Runner(pipeline, store, MemoryFrames(), Resources(shelf=Shelf(models or {})), files=files)
    source = probe(video).source_info()
    request = RunRequest(uuid4(), uuid4(), source, config, overrides or {}, KnownBrands())
    last = runner.run(request).checkpoint
    return Finished(
        source=source,
        name=video.name,
        pipeline=key,
        options=config.options,
        outputs={stage.name: runner.load(last, stage.name) for stage in pipeline.stages},
        files=files,
        path=video,
    )
