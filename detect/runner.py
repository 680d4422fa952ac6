"""Runs a pipeline: every stage, chunk by chunk, reusing whatever is stored already."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from uuid import UUID, uuid4

from detect.checkpoints import serde
from detect.checkpoints.keys import incomplete_key, output_key
from detect.checkpoints.store import CheckpointRecord, CheckpointStore, Manifest, OutputRef
from detect.config import Overrides, Pipeline, ResolvedConfig
from detect.events import RunListener, SilentListener, StageResult
from detect.planner import chunk_windows, input_fields
from detect.resources import Resources
from detect.stages.base import Chunk, FrameSource, Stage, StageContext, Stats
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

    def load(self, node: CheckpointRecord, stage: str) -> list[Any]:
        """All parts of a stage's output at a checkpoint, in order."""
        return [
            serde.unpack(self.store.load_output(key), self.pipeline.stage(stage).Output)
            for key in self._manifest(node, stage).keys
        ]

    def _run_stage(
        self, request: RunRequest, index: int, parent: CheckpointRecord | None
    ) -> tuple[CheckpointRecord, StageResult]:
        stage = self.pipeline.stages[index]
        inputs = {name: self._manifest(parent, name) for name in input_fields(stage)} if parent is not None else {}
        units: list[Chunk | None] = [None]
        if stage.scope == "chunk":
            first_options = request.config.options[self.pipeline.stages[0].name]
            units = list(chunk_windows(request.source.duration, first_options.chunk_seconds))
        self.listener.stage_started(stage.name, index, len(units))
        started, refs, reused = time.perf_counter(), [], 0
        for done, chunk in enumerate(units):
            self.checkpoint()
            progress = _unit_progress(self.listener, stage.name, done, len(units))
            ref, found = self._run_unit(request, stage, chunk, inputs, progress)
            refs.append(ref)
            reused += found
            self.listener.stage_progress(stage.name, (done + 1) / len(units))
        result = StageResult(
            stage=stage.name,
            index=index,
            units=len(units),
            reused=reused,
            seconds=time.perf_counter() - started,
            stats=merge_stats([ref.stats for ref in refs]),
            skipped=refs[0].skipped,
            incomplete=any(ref.incomplete for ref in refs),
        )
        node = self._add_checkpoint(request, result, refs, parent)
        self.listener.stage_finished(result)
        return node, result

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
            kind = self.pipeline.stage(name).Output
            values = [serde.unpack(self.store.load_output(key), kind) for key in parts[name].keys]
            loaded[name] = values if many else values[0]
        return stage.Input(**loaded)

    def _store(self, stage: Stage, key: str, output: Any, seconds: float) -> OutputRef:
        body = serde.encode(output)
        content = serde.digest_bytes(body)
        ref = OutputRef(
            key=incomplete_key(key, content) if output.incomplete else key,
            stage=stage.name,
            digest=content,
            size=len(body),
            seconds=seconds,
            stats=output.stats,
            skipped=output.skipped,
            incomplete=output.incomplete,
        )
        self.store.put_output(ref, serde.pack(body))
        return ref

    def _remember(self, stage: Stage, part: str, depends_on: Any, kind: type[T], compute: Callable[[], T]) -> T:
        key = serde.digest({"stage": stage.name, "version": stage.version, "part": part, "depends_on": depends_on})
        if self.store.find_output(key) is not None:
            return serde.unpack(self.store.load_output(key), kind)
        started = time.perf_counter()
        value = compute()
        body = serde.encode(value)
        ref = OutputRef(
            key=key,
            stage=f"{stage.name}.{part}",
            digest=serde.digest_bytes(body),
            size=len(body),
            seconds=time.perf_counter() - started,
            stats={},
            skipped="",
            incomplete=False,
        )
        self.store.put_output(ref, serde.pack(body))
        return value

    def _add_checkpoint(
        self, request: RunRequest, result: StageResult, refs: list[OutputRef], parent: CheckpointRecord | None
    ) -> CheckpointRecord:
        manifest = Manifest(keys=[ref.key for ref in refs], digests=[ref.digest for ref in refs])
        body = serde.encode(manifest)
        key = serde.digest({"manifest": manifest})
        self.store.put_output(
            OutputRef(
                key=key,
                stage=result.stage,
                digest=serde.digest_bytes(body),
                size=len(body),
                seconds=sum(ref.seconds for ref in refs),
                stats=result.stats,
                skipped=result.skipped,
                incomplete=result.incomplete,
            ),
            serde.pack(body),
        )
        stats = {
            **result.stats,
            "seconds": round(result.seconds, 3),
            "units": result.units,
            "reused": result.reused,
            "skipped": result.skipped,
            "incomplete": result.incomplete,
        }
        return self.store.add_checkpoint(
            CheckpointRecord(
                id=uuid4(),
                timeline_id=request.timeline_id,
                job_id=request.job_id,
                parent_id=None if parent is None else parent.id,
                stage=result.stage,
                stage_index=result.index,
                outputs={**({} if parent is None else parent.outputs), result.stage: key},
                config_overrides=request.overrides,
                config_snapshot=request.config.snapshot(),
                stats={**({} if parent is None else parent.stats), result.stage: stats},
            )
        )

    def _manifest(self, node: CheckpointRecord, stage: str) -> Manifest:
        return serde.unpack(self.store.load_output(node.outputs[stage]), Manifest)


def merge_stats(parts: list[Stats]) -> Stats:
    """Add up the figures of a stage's chunks; texts are kept once where they agree."""
    merged: Stats = {}
    for part in parts:
        for name, value in part.items():
            known = merged.get(name)
            if isinstance(value, str) or isinstance(known, str) or known is None:
                merged[name] = value
            else:
                merged[name] = known + value
    return merged


def _part(manifest: Manifest, chunk: Chunk | None) -> Manifest:
    """What of an upstream output one unit reads: its own chunk, or all of it."""
    if chunk is None:
        return manifest
    return Manifest(keys=[manifest.keys[chunk.index]], digests=[manifest.digests[chunk.index]])


def _unit_progress(listener: RunListener, stage: str, done: int, units: int) -> Callable[[int, int], None]:
    def progress(current: int, total: int) -> None:
        listener.stage_progress(stage, (done + current / max(1, total)) / units)

    return progress
