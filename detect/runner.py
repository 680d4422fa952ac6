"""Runs a pipeline: every stage, chunk by chunk, reusing whatever is stored already."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
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
from detect.config import Overrides, Pipeline, ResolvedConfig
from detect.events import RunListener, SilentListener, StageResult
from detect.planner import chunk_windows, input_fields
from detect.resources import Resources
from detect.stages.base import Chunk, FrameSource, Stage, StageContext
from detect.types import KnownBrands, SourceInfo

T = TypeVar("T")


@dataclass(frozen=True)
class RunRequest:
    """One execution of a pipeline for a job.

    ``parent`` is the checkpoint the run goes on from (None starts at the first stage): a replay branches off it, a
    resumed run continues at it.
    """

    job_id: UUID
    timeline_id: UUID
    source: SourceInfo
    config: ResolvedConfig
    overrides: Overrides
    known_brands: KnownBrands
    parent: CheckpointRecord | None = None


@dataclass(frozen=True)
class RunResult:
    """The last checkpoint, the last stage's output and how each stage that was gone through went."""

    checkpoint: CheckpointRecord
    output: Any
    stages: list[StageResult]


@dataclass
class Runner:
    """Executes requests against one store. ``should_stop`` is asked between units and frames of work."""

    pipeline: Pipeline
    store: CheckpointStore
    frames: FrameSource
    resources: Resources
    listener: RunListener = field(default_factory=SilentListener)
    checkpoint: Callable[[], None] = lambda: None

    def run(self, request: RunRequest) -> RunResult:
        """Run from the stage after ``request.parent`` to the end.

        Raises whatever a stage raises; everything that was finished until then is stored and found again.
        """
        node = request.parent
        first = 0 if node is None else node.stage_index + 1
        results = []
        for index in range(first, len(self.pipeline.stages)):
            node, result = self._run_stage(request, index, node)
            results.append(result)
        if node is None:
            raise ValueError(f"pipeline '{self.pipeline.key}' has no stages")
        return RunResult(checkpoint=node, output=self.load(node, node.stage)[0], stages=results)

    def load(self, node: CheckpointRecord, stage: str) -> Sequence[Any]:
        """All parts of a stage's output at a checkpoint, in order, each loaded when it is looked at."""
        return load_stage_output(self.store, node, stage, self.pipeline.stage(stage).Output)

    def _run_stage(
        self, request: RunRequest, index: int, parent: CheckpointRecord | None
    ) -> tuple[CheckpointRecord, StageResult]:
        stage = self.pipeline.stages[index]
        inputs = (
            {name: load_manifest(self.store, parent, name) for name in input_fields(stage)}
            if parent is not None
            else {}
        )
        units = self._units(request, stage, inputs)
        self.listener.stage_started(stage.name, index, len(units))
        started, refs, reused = time.perf_counter(), [], 0
        for done, chunk in enumerate(units):
            self.checkpoint()
            progress = _unit_progress(self.listener, stage.name, done, len(units))
            ref, found = self._run_unit(request, stage, chunk, inputs, progress)
            refs.append(ref)
            reused += found
            self.listener.stage_progress(stage.name, (done + 1) / len(units))
        seconds = time.perf_counter() - started
        stats = merge_stats([ref.stats for ref in refs])
        result = StageResult(
            stage=stage.name,
            index=index,
            units=len(units),
            reused=reused,
            seconds=seconds,
            stats=stats,
            skipped=refs[0].skipped,
            incomplete=any(ref.incomplete for ref in refs),
        )
        node = add_stage_checkpoint(
            self.store,
            stage=stage.name,
            refs=refs,
            stats={**stats, **run_stats(seconds=seconds, refs=refs, reused=reused)},
            timeline_id=request.timeline_id,
            job_id=request.job_id,
            parent=parent,
            overrides=request.overrides,
            snapshot=request.config.snapshot(),
        )
        self.listener.stage_finished(result)
        return node, result

    @staticmethod
    def _units(request: RunRequest, stage: Stage, inputs: dict[str, Manifest]) -> list[Chunk | None]:
        """The whole asset, the windows a first stage reads, or the pieces an earlier stage left."""
        if stage.scope == "asset":
            return [None]
        if inputs:
            return [Chunk(index) for index in range(len(next(iter(inputs.values())).keys))]
        return list(chunk_windows(request.source.duration, request.config.options[stage.name].chunk_seconds))

    def _run_unit(
        self,
        request: RunRequest,
        stage: Stage,
        chunk: Chunk | None,
        inputs: dict[str, Manifest],
        progress: Callable[[int, int], None],
    ) -> tuple[OutputRef, bool]:
        options = request.config.options[stage.name]
        parts = {name: _part(manifest, chunk) for name, manifest in inputs.items()}
        key = output_key(
            stage,
            options=options,
            models=stage.model_digests(options, self.resources),
            source_sha256=request.source.sha256,
            chunk=chunk,
            inputs={name: serde.digest(part.digests) for name, part in parts.items()},
            known_brands=request.known_brands if stage.uses_known_brands else None,
        )
        stored = self.store.find_output(key)
        if stored is not None:
            return stored, True
        context = StageContext(
            source=request.source,
            options=options,
            frames=self.frames,
            known_brands=request.known_brands,
            resources=self.resources,
            chunk=chunk,
            progress=progress,
            checkpoint=self.checkpoint,
            remember=partial(self._remember, stage),
        )
        started = time.perf_counter()
        output = stage.run(context, self._decode_input(stage, parts))
        return self._store(stage, key, output, time.perf_counter() - started), False

    def _decode_input(self, stage: Stage, parts: dict[str, Manifest]) -> Any:
        loaded: dict[str, Any] = {}
        for name, many in input_fields(stage).items():
            values = StoredParts(self.store, parts[name].keys, self.pipeline.stage(name).Output)
            loaded[name] = values if many else values[0]
        return stage.Input(**loaded)

    def _store(self, stage: Stage, key: str, output: Any, seconds: float) -> OutputRef:
        ref, packed = make_ref(key, stage.name, output, seconds=seconds)
        if ref.incomplete:
            ref = msgspec.structs.replace(ref, key=incomplete_key(key, ref.digest))
        self.store.put_output(ref, packed)
        return ref

    def _remember(self, stage: Stage, part: str, depends_on: Any, kind: type[T], compute: Callable[[], T]) -> T:
        key = serde.digest({"stage": stage.name, "version": stage.version, "part": part, "depends_on": depends_on})
        if self.store.find_output(key) is not None:
            return serde.unpack(self.store.load_output(key), kind)
        started = time.perf_counter()
        value = compute()
        self.store.put_output(*make_ref(key, f"{stage.name}.{part}", value, seconds=time.perf_counter() - started))
        return value


def _part(manifest: Manifest, chunk: Chunk | None) -> Manifest:
    """What of an upstream output one unit reads: its own chunk, or all of it."""
    if chunk is None:
        return manifest
    return Manifest(keys=[manifest.keys[chunk.index]], digests=[manifest.digests[chunk.index]])


def _unit_progress(listener: RunListener, stage: str, done: int, units: int) -> Callable[[int, int], None]:
    def progress(current: int, total: int) -> None:
        listener.stage_progress(stage, (done + current / max(1, total)) / units)

    return progress
