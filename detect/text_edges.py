"""The texts of a chunk with what the frames between samples told of their ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from detect.between_samples import Between
from detect.edge_search import Gap, Onward
from detect.line_pairs import is_taken
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.text_following import FOLLOWED_CONFIDENCE
from detect.track_ends import TrackEnd
from detect.types import Box, Observation, TextTrack


def with_ends(
    tracks: Sequence[TextTrack], told: Between, extracted: ExtractFramesOutput, scenes: FilterScenesOutput, scale: float
) -> list[TextTrack]:
    """The tracks with the edges that were found, and with those samples that a text was followed to.

    A text that is on every frame between two samples is on the second one too, though it was not recognised there. Only
    where another track has it there it is that one's. ``scale`` is that of the pictures on which it was followed.
    """
    places: defaultdict[int, list[Box]] = defaultdict(list)
    for track in tracks:
        for seen in track.observations:
            places[seen.sequence].append(seen.box)
    sequence_at = {sample.timestamp: sample.sequence for sample in extracted.samples}
    won: defaultdict[int, list[Observation]] = defaultdict(list)
    for end, gap, onward in told.onward:
        sample = sequence_at[_behind(end, gap)]
        seen = _observation(onward, scenes.stands_for.get(sample, sample), scale)
        if seen.sequence in scenes.kept and seen.box.area and not is_taken(seen.box, places[seen.sequence]):
            places[seen.sequence].append(seen.box)
            won[end.track_id].append(seen)
    return [
        replace(
            track,
            observations=sorted([*track.observations, *won[track.track_id]], key=lambda seen: seen.sequence),
            appears=told.edges.get((track.track_id, "appears")),
            vanishes=told.edges.get((track.track_id, "vanishes")),
        )
        for track in tracks
    ]


def _behind(end: TrackEnd, gap: Gap) -> float:
    """When the sample at the far side of the gap appeared."""
    return gap.high if end.side == "vanishes" else gap.since


def _observation(onward: Onward, sequence: int, scale: float) -> Observation:
    box = Box.from_points([(float(x), float(y)) for x, y in onward.quad / np.float32(scale)])
    return Observation(sequence, box, round(FOLLOWED_CONFIDENCE * onward.alike, 4))
