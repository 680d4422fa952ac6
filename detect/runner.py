"""Runs a pipeline: every stage, chunk by chunk, reusing whatever is stored already."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from detect.checkpoints import serde
from detect.checkpoints.keys import incomplete_key, output_key
from detect.checkpoints.outputs import (
    StoredParts,
    add_stage_checkpoint,
    load_manifest,
    load_stage_output,
    make_ref,
    merge_stats,
    run_stats,
)
from detect.checkpoints.store import CheckpointRecord, CheckpointStore, Manifest, OutputRef
from detect.config import ResolvedConfig
from detect.events import RunListener, SilentListener, StageResult
from detect.options import Overrides
from detect.planner import input_fields, reads_video, stage_chunks
from detect.providers.limits import ModelLimits
from detect.registry import Pipeline
from detect.resources import Resources
from detect.stages.base import Chunk, FileStore, FrameSource, Stage, StageContext, Video
from detect.types import KnownBrands, SourceInfo

T = TypeVar("T")


@dataclass(frozen=True)
class RunRequest:
    """One execution of a pipeline for a job.

    ``parent`` is the checkpoint the run goes on from (None starts at the first stage): a replay branches off it, a
    resumed run continues at it. ``limits`` bound what models are asked and are part of no key.
    """

    job_id: UUID
    timeline_id: UUID
    source: SourceInfo
    config: ResolvedConfig
    overrides: Overrides
    known_brands: KnownBrands
    parent: CheckpointRecord | None = None
    limits: ModelLimits | None = None


@dataclass(frozen=True)
class RunResult:
    """The last checkpoint, the last stage's output and how each stage that was gone through went."""

    checkpoint: CheckpointRecord
    output: Any
    stages: list[StageResult]


@dataclass
class Runner:
    """Executes requests against one store. ``checkpoint`` is called between units and frames of work and may raise."""

    pipeline: Pipeline
    store: CheckpointStore
    frames: FrameSource
    resources: Resources
    listener: RunListener = field(default_factory=SilentListener)
    checkpoint: Callable[[], None] = lambda: None
    files: FileStore | None = None

    def run(self, request: RunRequest) -> RunResult:
        """Run from the stage after ``request.parent`` to the end, one unit after another.

        Raises whatever a stage raises; everything that was finished until then is stored and found again.
        """
        node = request.parent
        first = 0 if node is None else node.stage_index + 1
        results = []
        for index in range(first, len(self.pipeline.stages)):
            node, result = self._run_stage(self.stage_run(request, index, node))
            results.append(result)
        if node is None:
            raise ValueError(f"pipeline '{self.pipeline.key}' has no stages")
        return RunResult(checkpoint=node, output=self.load(node, node.stage)[0], stages=results)

    def load(self, node: CheckpointRecord, stage: str) -> Sequence[Any]:
        """All parts of a stage's output at a checkpoint, in order, each loaded when it is looked at."""
        return load_stage_output(self.store, node, stage, self.pipeline.stage(stage).Output)

    def stage_run(self, request: RunRequest, index: int, parent: CheckpointRecord | None) -> StageRun:
        """One stage of a request behind the checkpoint ``parent``, ready to be run unit by unit."""
        return StageRun(runner=self, request=request, index=index, parent=parent)

    def _run_stage(self, run: StageRun) -> tuple[CheckpointRecord, StageResult]:
        name, total = run.stage.name, len(run.units)
        self.listener.stage_started(name, run.index, total)
        started, refs, reused = time.perf_counter(), [], 0
        for number in range(total):
            self.checkpoint()
            ref, found = run.run_unit(number, _unit_progress(self.listener, name, number, total))
            refs.append(ref)
            reused += found
            self.listener.stage_progress(name, (number + 1) / total)
        node, result = run.finish(refs, reused=reused, seconds=time.perf_counter() - started)
        self.listener.stage_finished(result)
        return node, result


@dataclass(frozen=True)
class StageRun:
    """One stage of a request: the units it falls into, each run by itself, in any order and process, and their join."""

    runner: Runner
    request: RunRequest
    index: int
    parent: CheckpointRecord | None

    @property
    def stage(self) -> Stage:
        return self.runner.pipeline.stages[self.index]

    @property
    def options(self) -> Any:
        return self.request.config.options[self.stage.name]

    @cached_property
    def units(self) -> list[Chunk | None]:
        """The whole asset, the windows a first stage reads, or the pieces an earlier stage left."""
        if self.stage.scope == "asset":
            return [None]
        pipeline = self.runner.pipeline
        chunked = [read for name, read in self._inputs.items() if pipeline.stage(name).scope == "chunk"]
        return [
            *stage_chunks(
                self.stage,
                pieces=len(chunked[0].keys) if chunked else None,
                duration=self.request.source.duration,
                chunk_seconds=self.request.config.options[pipeline.stages[0].name].chunk_seconds,
            )
        ]

    def find_stored(self) -> dict[int, OutputRef]:
        """Units whose output is stored already, by number, in one query."""
        keys = {self._key(chunk): number for number, chunk in enumerate(self.units)}
        return {keys[key]: ref for key, ref in self.runner.store.find_outputs(list(keys)).items()}

    def run_unit(
        self,
        number: int,
        progress: Callable[[int, int], None] = lambda done, total: None,
        keep: Callable[[OutputRef, bytes], None] | None = None,
    ) -> tuple[OutputRef, bool]:
        """The output of a unit and whether it was found stored; else it is computed now and given to ``keep``.

        ``keep`` stores the output, or raises to refuse it; by default it goes into the runner's store.
        """
        chunk = self.units[number]
        key = self._key(chunk)
        stored = self.runner.store.find_output(key)
        if stored is not None:
            return stored, True
        context = StageContext(
            source=self.request.source,
            options=self.options,
            frames=self.runner.frames,
            known_brands=self.request.known_brands,
            resources=self.runner.resources,
            chunk=chunk,
            progress=progress,
            checkpoint=self.runner.checkpoint,
            remember=self._remember,
            limits=self.request.limits,
            files=self.runner.files,
        )
        started = time.perf_counter()
        output = self.stage.run(context, self._decode_input(chunk))
        ref, packed = make_ref(key, self.stage.name, output, seconds=time.perf_counter() - started)
        if ref.incomplete:
            ref = msgspec.structs.replace(ref, key=incomplete_key(key, ref.digest))
        (keep or self.runner.store.put_output)(ref, packed)
        return ref, False

    def finish(self, refs: Sequence[OutputRef], *, reused: int, seconds: float) -> tuple[CheckpointRecord, StageResult]:
        """Join the outputs of all units, in their order, into the stage's checkpoint."""
        stats = merge_stats([ref.stats for ref in refs])
        result = StageResult(
            stage=self.stage.name,
            index=self.index,
            units=len(refs),
            reused=reused,
            seconds=seconds,
            stats=stats,
            skipped=refs[0].skipped,
            incomplete=any(ref.incomplete for ref in refs),
        )
        node = add_stage_checkpoint(
            self.runner.store,
            stage=self.stage.name,
            refs=refs,
            stats={**stats, **run_stats(seconds=seconds, refs=refs, reused=reused)},
            timeline_id=self.request.timeline_id,
            job_id=self.request.job_id,
            parent=self.parent,
            overrides=self.request.overrides,
            snapshot=self.request.config.snapshot(),
        )
        return node, result

    @cached_property
    def _inputs(self) -> dict[str, Manifest]:
        if self.parent is None:
            return {}
        return {name: load_manifest(self.runner.store, self.parent, name) for name in input_fields(self.stage)}

    def _key(self, chunk: Chunk | None) -> str:
        return output_key(
            self.stage,
            options=self.options,
            models=self._models,
            source_sha256=self.request.source.sha256,
            chunk=chunk,
            inputs={name: serde.digest(self._part(name, chunk).digests) for name in self._inputs},
            known_brands=self.request.known_brands if self.stage.uses_known_brands else None,
        )

    @cached_property
    def _models(self) -> tuple[str, ...]:
        return self.stage.model_digests(self.options, self.runner.resources)

    def _decode_input(self, chunk: Chunk | None) -> Any:
        loaded: dict[str, Any] = {}
        for name, many in input_fields(self.stage).items():
            keys = self._part(name, chunk).keys
            values = StoredParts(self.runner.store, keys, self.runner.pipeline.stage(name).Output)
            loaded[name] = values if many else values[0]
        path = self.request.source.path
        if reads_video(self.stage) and path:
            loaded["video"] = Video(path) if chunk is None else Video(path, chunk.start, chunk.end)
        return self.stage.Input(**loaded)

    def _part(self, name: str, chunk: Chunk | None) -> Manifest:
        """What of an upstream output one unit reads: its own chunk, or all of it."""
        manifest = self._inputs[name]
        if chunk is None or self.runner.pipeline.stage(name).scope == "asset":
            return manifest
        return Manifest(keys=[manifest.keys[chunk.index]], digests=[manifest.digests[chunk.index]])

    def _remember(self, part: str, depends_on: Any, kind: type[T], compute: Callable[[], T]) -> T:
        store, stage = self.runner.store, self.stage
        key = serde.digest({"stage": stage.name, "version": stage.version, "part": part, "depends_on": depends_on})
        if store.find_output(key) is not None:
            return serde.unpack(store.load_output(key), kind)
        started = time.perf_counter()
        value = compute()
        store.put_output(*make_ref(key, f"{stage.name}.{part}", value, seconds=time.perf_counter() - started))
        return value


def _unit_progress(listener: RunListener, stage: str, done: int, units: int) -> Callable[[int, int], None]:
    def progress(current: int, total: int) -> None:
        listener.stage_progress(stage, (done + current / max(1, total)) / units)

    return progress
