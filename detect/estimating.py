"""What a run would find stored and what it would have to compute, told without running anything.

The keys of outputs are made from the content of their inputs, so they are known as far as everything before them is
stored. Behind the first unit that is not, contents are unknown: what reads it is counted as to be computed, though a
run may find that nothing changed and reuse it. The forecast is an upper bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from detect.checkpoints import serde
from detect.checkpoints.keys import output_key
from detect.checkpoints.outputs import load_manifest
from detect.checkpoints.store import CheckpointStore, OutputRef
from detect.planner import input_fields, stage_chunks
from detect.registry import Pipeline
from detect.resources import Resources
from detect.runner import RunRequest
from detect.stages.base import Chunk, Stage

Part = tuple[str, str]
"""Key and content digest of a stored output."""


@dataclass(frozen=True)
class StageForecast:
    """One stage of a run: its units (chunks, or one), and those that are stored, by number."""

    stage: Stage
    index: int
    units: int
    stored: dict[int, OutputRef]

    @property
    def missing(self) -> int:
        return self.units - len(self.stored)


class Forecast:
    """The stages that a request would go through, and what of their outputs is known."""

    def __init__(
        self, *, pipeline: Pipeline, store: CheckpointStore, resources: Resources, request: RunRequest
    ) -> None:
        self._pipeline = pipeline
        self._store = store
        self._resources = resources
        self._request = request
        self._parts: dict[str, list[Part | None]] = {}
        if request.parent is not None:
            for stage in request.parent.outputs:
                manifest = load_manifest(store, request.parent, stage)
                self._parts[stage] = list(zip(manifest.keys, manifest.digests, strict=True))
        self.stages = list(self._stages())

    def known(self, stage: str) -> list[Any] | None:
        """The outputs of a stage, in order; None where one of them has yet to be computed."""
        keys = [part[0] for part in self._parts[stage] if part is not None]
        if len(keys) < len(self._parts[stage]):
            return None
        kind = self._pipeline.stage(stage).Output
        return [serde.unpack(self._store.load_output(key), kind) for key in keys]

    def _stages(self) -> Iterator[StageForecast]:
        parent = self._request.parent
        for index in range(0 if parent is None else parent.stage_index + 1, len(self._pipeline.stages)):
            stage = self._pipeline.stages[index]
            units = self._units(stage)
            keys = {key: number for number, key in enumerate(self._keys(stage, units)) if key is not None}
            stored = {keys[key]: ref for key, ref in self._store.find_outputs(list(keys)).items()}
            self._parts[stage.name] = [
                (stored[number].key, stored[number].digest) if number in stored else None
                for number in range(len(units))
            ]
            yield StageForecast(stage, index, len(units), stored)

    def _units(self, stage: Stage) -> list[Chunk | None]:
        if stage.scope == "asset":
            return [None]
        chunked = [name for name in input_fields(stage) if self._pipeline.stage(name).scope == "chunk"]
        first = self._request.config.options[self._pipeline.stages[0].name]
        return [
            *stage_chunks(
                stage,
                pieces=len(self._parts[chunked[0]]) if chunked else None,
                duration=self._request.source.duration,
                chunk_seconds=first.chunk_seconds,
            )
        ]

    def _keys(self, stage: Stage, units: Sequence[Chunk | None]) -> Iterator[str | None]:
        """The key of each unit, None where one of its inputs is not known."""
        options = self._request.config.options[stage.name]
        models = stage.model_digests(options, self._resources)
        for chunk in units:
            inputs = {name: self._digests(name, chunk) for name in input_fields(stage)}
            known = {name: serde.digest(digests) for name, digests in inputs.items() if digests is not None}
            if len(known) < len(inputs):
                yield None
                continue
            yield output_key(
                stage,
                options=options,
                models=models,
                source_sha256=self._request.source.sha256,
                chunk=chunk,
                inputs=known,
                known_brands=self._request.known_brands if stage.uses_known_brands else None,
            )

    def _digests(self, name: str, chunk: Chunk | None) -> list[str] | None:
        """Content digests of what a unit reads of an earlier stage: the same chunk of it, or all of it."""
        parts = self._parts[name]
        if chunk is not None and self._pipeline.stage(name).scope == "chunk":
            parts = [parts[chunk.index]]
        digests = [part[1] for part in parts if part is not None]
        return digests if len(digests) == len(parts) else None
