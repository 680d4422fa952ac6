"""One stage on chosen frames of a finished run, with other options: fast, and nothing is stored.

A stage that looks at frames one by one gets each chosen frame by itself, with what the stages before it found there; so
``run_ocr`` reads a frame as the first of a shot, and options about following texts have no effect. A stage over the
whole asset runs on the stored outputs as it would in a replay, and what it finds on the chosen frames is shown.
Decoded frames and stored outputs that were used last stay in memory, for somebody drags a slider.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any
from uuid import uuid4

import msgspec
import numpy as np

from detect.byte_cache import ByteCache
from detect.checkpoints import serde
from detect.checkpoints.outputs import load_stage_output
from detect.checkpoints.store import CheckpointRecord, CheckpointStore, OutputRef
from detect.config import ResolvedConfig
from detect.engines.boards import find_boards
from detect.errors import ConfigError, ConflictError
from detect.frame_regions import EdgeOverlays, draw_overlays, regions_at, why_not_by_frame
from detect.geometry import iou_matrix
from detect.options import Overrides
from detect.planner import input_fields
from detect.registry import Pipeline
from detect.resources import Resources
from detect.runner import Runner, RunRequest
from detect.stages.base import FrameSource, Image, Stage, StageContext
from detect.types import KnownBrands, Region, SourceInfo

DEFAULT_FRAMES = 8
_FRAME_BYTES, _OUTPUT_BYTES, _INDEX_BYTES = 256 << 20, 64 << 20, 64 << 20
_INDEX_ENTRY = 200  # bytes a frame takes in an index, about
_SAME_SHARE = 0.5


@dataclass(frozen=True)
class TrialGround:
    """A run whose stages can be tried: its last checkpoint and what its stages were given.

    ``timeline`` names the frames: two runs on the same frames share what is kept of them in memory.
    """

    pipeline: Pipeline
    node: CheckpointRecord | None
    store: CheckpointStore
    frames: FrameSource
    timeline: str
    source: SourceInfo
    known_brands: KnownBrands
    resources: Resources


@dataclass(frozen=True)
class Trial:
    """What a stage found on the frames asked for; ``overlays`` only of ``detect_edges``, and only when asked for.

    ``skipped`` says by frame why the stage did nothing, where it did not.
    """

    regions: dict[int, list[Region]]
    overlays: dict[int, EdgeOverlays] = field(default_factory=dict)
    skipped: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Index:
    """Frames of a timeline: the chunk each sampled one is in, and those kept."""

    chunk_of: dict[int, int]
    kept: list[int]


def spread(sequences: Sequence[int], count: int) -> list[int]:
    """At most ``count`` of them, evenly."""
    taken = min(count, len(sequences))
    return [sequences[(2 * number + 1) * len(sequences) // (2 * taken)] for number in range(taken)]


def differing(before: Sequence[Region], after: Sequence[Region]) -> tuple[list[int], list[int]]:
    """Positions of what is ``before`` alone and of what is ``after`` alone.

    Two regions are the same where their labels are and their boxes overlap by half (IoU); the best pairs count first.
    """
    if not before or not after:
        return list(range(len(before))), list(range(len(after)))
    shares = iou_matrix([_corners(one) for one in before], [_corners(one) for one in after])
    pairs = sorted(
        (-float(shares[one, other]), one, other)
        for one, other in np.argwhere(shares >= _SAME_SHARE).tolist()
        if before[one].label == after[other].label
    )
    lost, gained = dict.fromkeys(range(len(before))), dict.fromkeys(range(len(after)))
    for _, one, other in pairs:
        if one in lost and other in gained:
            del lost[one], gained[other]
    return list(lost), list(gained)


def stage_overrides(pipeline: Pipeline, stage: str, given: dict[str, Any]) -> Overrides:
    """Overrides of one stage from ``{option: value}`` or ``{stage: {option: value}}``.

    Raises ``ConfigError`` for options of other stages, which could have no effect.
    """
    names = {known.name for known in pipeline.stages}
    if not names & set(given):
        return {stage: given}
    others = [name for name in given if name != stage]
    if others:
        raise ConfigError(f"options of {', '.join(others)} have no effect on {stage} alone: replay from there")
    if not isinstance(given[stage], dict):
        raise ConfigError(f"the options of {stage} must be an object, not {given[stage]!r}")
    return {stage: given[stage]}


class Tuner:
    """Runs trials in this process. Safe for use from several threads; models work for one at a time."""

    def __init__(self, *, frame_bytes: int = _FRAME_BYTES, output_bytes: int = _OUTPUT_BYTES) -> None:
        self._frames: ByteCache[tuple[str, int], Image] = ByteCache(frame_bytes, lambda image: int(image.nbytes))
        self._outputs: ByteCache[str, bytes] = ByteCache(output_bytes, len)
        self._indices: ByteCache[tuple[str, str], _Index] = ByteCache(
            _INDEX_BYTES, lambda index: _INDEX_ENTRY * len(index.chunk_of)
        )
        self._models = Lock()

    def run(
        self,
        ground: TrialGround,
        *,
        stage: str,
        config: ResolvedConfig,
        sequences: Sequence[int] | None = None,
        debug: bool = False,
    ) -> Trial:
        """Try ``stage`` with its options in ``config`` on ``sequences``, by default some spread over the kept frames.

        Raises ``ConfigError`` for an unknown stage, one that says nothing about single frames and a frame that is not
        in the timeline, ``ConflictError`` where the run did not get as far as the stage, ``StorageError`` where a
        frame is gone, and what the stage raises.
        """
        index = ground.pipeline.index(stage)
        chosen = ground.pipeline.stages[index]
        reason = why_not_by_frame(chosen)
        if reason:
            raise ConfigError(f"not tunable frame by frame: {stage}, for {reason}; replay from it instead")
        needed = {"extract_frames", "filter_scenes", *input_fields(chosen)}
        missing = [one.name for one in ground.pipeline.stages if one.name in needed - set(_outputs(ground))]
        if ground.node is None or missing:
            raise ConflictError(f"nothing to replay {stage} from: the job has no output of {', '.join(missing)} yet")
        frames = self._index(ground, ground.node)
        wanted = _wanted(frames, sequences)
        if chosen.scope == "asset":
            return self._over_asset(ground, index, config, wanted)
        work = partial(self._on_frames, ground, ground.node, chosen, config.options[stage], frames, wanted, debug=debug)
        if stage == "detect_edges":
            return work()
        with self._models:
            return work()

    def _on_frames(
        self,
        ground: TrialGround,
        node: CheckpointRecord,
        stage: Stage,
        options: Any,
        frames: _Index,
        wanted: list[int],
        *,
        debug: bool,
    ) -> Trial:
        source = _KeptFrames(ground, self._frames)
        context = StageContext(ground.source, options, source, ground.known_brands, ground.resources)
        trial = Trial({})
        for sequence in wanted:
            if debug and stage.name == "detect_edges":
                image = source.load(sequence)
                findings = find_boards(image, options)
                trial.regions[sequence] = findings.regions
                trial.overlays[sequence] = draw_overlays(image, findings)
            else:
                data = self._input(ground, node, stage, frames.chunk_of[sequence], sequence)
                output = stage.run(context, data)
                trial.regions[sequence] = regions_at(output, sequence)
                if output.skipped:
                    trial.skipped[sequence] = output.skipped
        return trial

    def _input(self, ground: TrialGround, node: CheckpointRecord, stage: Stage, chunk: int, sequence: int) -> Any:
        """What the stage gets where the chunk consists of one frame."""
        store = _KeptOutputs(ground.store, self._outputs)
        loaded = {
            name: load_stage_output(store, node, name, ground.pipeline.stage(name).Output)[chunk]
            for name in input_fields(stage)
        }
        if "filter_scenes" in loaded:
            loaded["filter_scenes"] = msgspec.structs.replace(
                loaded["filter_scenes"], kept=[sequence], stands_for={}, stats={}
            )
        return stage.Input(**loaded)

    def _over_asset(self, ground: TrialGround, index: int, config: ResolvedConfig, wanted: list[int]) -> Trial:
        assert ground.node is not None
        store = _KeptOutputs(ground.store, self._outputs)
        runner = Runner(ground.pipeline, store, _KeptFrames(ground, self._frames), ground.resources)
        request = RunRequest(
            job_id=uuid4(),
            timeline_id=ground.node.timeline_id,
            source=ground.source,
            config=config,
            overrides={},
            known_brands=ground.known_brands,
            parent=ground.node,
        )
        made: list[bytes] = []
        ref, found = runner.stage_run(request, index, ground.node).run_unit(
            0, keep=lambda _, packed: made.append(packed)
        )
        packed = store.load_output(ref.key) if found else made[0]
        output = serde.unpack(packed, ground.pipeline.stages[index].Output)
        return Trial({sequence: regions_at(output, sequence) for sequence in wanted})

    def _index(self, ground: TrialGround, node: CheckpointRecord) -> _Index:
        key = (node.outputs["extract_frames"], node.outputs["filter_scenes"])
        return self._indices.get(key, partial(_build_index, ground, node))


class _KeptFrames:
    """A :class:`~detect.stages.base.FrameSource` that decodes a frame once, and gives it out for reading only."""

    def __init__(self, ground: TrialGround, cache: ByteCache[tuple[str, int], Image]) -> None:
        self._ground, self._cache = ground, cache

    def load(self, sequence: int) -> Image:
        return self._cache.get((self._ground.timeline, sequence), partial(self._load, sequence))

    def load_jpeg(self, sequence: int) -> bytes:
        return self._ground.frames.load_jpeg(sequence)

    def save_jpeg(self, sequence: int, jpeg: bytes) -> None:
        raise ConflictError("a trial of a stage stores no frames")

    def _load(self, sequence: int) -> Image:
        image = np.asarray(self._ground.frames.load(sequence))
        image.flags.writeable = False
        return image


class _KeptOutputs:
    """The store of a run, from which outputs are read once and into which nothing is written."""

    def __init__(self, store: CheckpointStore, cache: ByteCache[str, bytes]) -> None:
        self._store, self._cache = store, cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def load_output(self, key: str) -> bytes:
        return self._cache.get(key, partial(self._store.load_output, key))

    def put_output(self, ref: OutputRef, packed: bytes) -> None:
        """What would be stored is dropped: whoever made it has it."""


def _corners(region: Region) -> tuple[int, int, int, int]:
    return (region.box.x1, region.box.y1, region.box.x2, region.box.y2)


def _outputs(ground: TrialGround) -> dict[str, str]:
    return {} if ground.node is None else ground.node.outputs


def _build_index(ground: TrialGround, node: CheckpointRecord) -> _Index:
    extracted, scenes = (
        load_stage_output(ground.store, node, name, ground.pipeline.stage(name).Output)
        for name in ("extract_frames", "filter_scenes")
    )
    return _Index(
        {sample.sequence: chunk for chunk, part in enumerate(extracted) for sample in part.samples},
        [sequence for part in scenes for sequence in part.kept],
    )


def _wanted(frames: _Index, sequences: Sequence[int] | None) -> list[int]:
    """The frames asked for, each once, in order; a spread over the kept ones where none were named."""
    if sequences is None:
        return spread(frames.kept, DEFAULT_FRAMES)
    unknown = [sequence for sequence in sequences if sequence not in frames.chunk_of]
    if unknown:
        last = max(frames.chunk_of, default=None)
        there = "it has none" if last is None else f"its {len(frames.chunk_of)} frames end with {last}"
        raise ConfigError(f"frame {unknown[0]} is not in the timeline: {there}")
    return sorted(set(sequences))
