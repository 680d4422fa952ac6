"""Which frames of a job to try settings on: spread over the video, or where a brand was found, or was not."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial

from detect.byte_cache import ByteCache
from detect.checkpoints.outputs import load_stage_output
from detect.checkpoints.store import CheckpointRecord
from detect.persistence import DatabaseCheckpointStore
from detect.registry import load_pipeline
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.tuning import spread
from jobs.branches.trials import last_node
from jobs.models import DetectJob

_KEPT_BYTES = 32 << 20
_FRAME_BYTES = 120  # that a frame takes in a list of them, about


@dataclass(frozen=True)
class FrameTimes:
    """When each sampled frame was on screen, in seconds of the video; those ``kept`` for analysis, and the cuts."""

    seconds: dict[int, float]
    kept: list[int]
    cuts: list[float]

    @property
    def end(self) -> float:
        return max(self.seconds.values(), default=0.0)

    def between(self, start: float, end: float, count: int) -> list[int]:
        """At most ``count`` kept frames of ``start`` to ``end``, spread evenly."""
        first, last = bisect_left(self._kept_seconds, start), bisect_right(self._kept_seconds, end)
        return spread(self.kept[first:last], count)

    def shot(self, sequence: int) -> int:
        """The number of the shot that a frame is in."""
        return bisect_right(self.cuts, self.seconds[sequence])

    @cached_property
    def _kept_seconds(self) -> list[float]:
        return [self.seconds[sequence] for sequence in self.kept]


def job_frame_times(job: DetectJob) -> FrameTimes | None:
    """The frames of a job; None before they were filtered."""
    node = last_node(job)
    if node is None or "filter_scenes" not in node.outputs:
        return None
    key = (node.outputs["extract_frames"], node.outputs["filter_scenes"])
    return _times().get(key, partial(_load_times, node))


def job_brand_frames(job: DetectJob) -> dict[str, list[int]]:
    """The frames on which each brand was found by all stages so far, in order; most often found brands first."""
    node = last_node(job)
    if node is None:
        return {}
    stages = [stage for stage in load_pipeline(job.pipeline).stages if "detections" in stage.Output.__struct_fields__]
    names = [stage.name for stage in stages if stage.name in node.outputs]
    if not names:
        return {}
    key = tuple(node.outputs[name] for name in names)
    return _brands().get(key, partial(_load_brands, node, job.pipeline, names))


def missed_frames(times: FrameTimes, found: Sequence[int], count: int) -> list[int]:
    """At most ``count`` kept frames on which a brand may have been missed, in order.

    These are frames of the shots in which it was ``found`` on others, the nearest to those in time; as many lie
    equally near, some spread over the video.
    """
    known = [sequence for sequence in found if sequence in times.seconds]
    shots, taken = {times.shot(sequence) for sequence in known}, set(known)
    at = sorted(times.seconds[sequence] for sequence in known)
    candidates = [one for one in times.kept if one not in taken and times.shot(one) in shots]
    distances = {one: _distance(at, times.seconds[one]) for one in candidates}
    ranked = sorted(distances.values())[:count]
    if not ranked:
        return []
    nearer = [one for one in candidates if distances[one] < ranked[-1]]
    as_near = [one for one in candidates if distances[one] == ranked[-1]]
    return sorted([*nearer, *spread(as_near, count - len(nearer))])


def _distance(moments: list[float], second: float) -> float:
    """Rounded to a tenth of a second: sampling instants are not exactly one interval apart."""
    place = bisect_left(moments, second)
    return round(min(abs(second - moment) for moment in moments[max(0, place - 1) : place + 1]), 1)


@cache
def _times() -> ByteCache[tuple[str, str], FrameTimes]:
    return ByteCache(_KEPT_BYTES, lambda times: _FRAME_BYTES * len(times.seconds))


@cache
def _brands() -> ByteCache[tuple[str, ...], dict[str, list[int]]]:
    return ByteCache(_KEPT_BYTES, lambda found: _FRAME_BYTES * (len(found) + sum(map(len, found.values()))))


def _load_times(node: CheckpointRecord) -> FrameTimes:
    store = DatabaseCheckpointStore()
    extracted = load_stage_output(store, node, "extract_frames", ExtractFramesOutput)
    seconds = {sample.sequence: sample.timestamp for part in extracted for sample in part.samples}
    scenes = list(load_stage_output(store, node, "filter_scenes", FilterScenesOutput))
    return FrameTimes(
        seconds=seconds,
        kept=[sequence for part in scenes for sequence in part.kept if sequence in seconds],
        cuts=sorted(cut for part in scenes for cut in part.cuts),
    )


def _load_brands(node: CheckpointRecord, pipeline: str, names: Sequence[str]) -> dict[str, list[int]]:
    store, found = DatabaseCheckpointStore(), dict[str, set[int]]()
    for name in names:
        for part in load_stage_output(store, node, name, load_pipeline(pipeline).stage(name).Output):
            for detection in part.detections:
                found.setdefault(detection.brand, set()).update(seen.sequence for seen in detection.observations)
    ordered = sorted(found, key=lambda brand: (-len(found[brand]), brand))
    return {brand: sorted(found[brand]) for brand in ordered}
