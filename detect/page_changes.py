"""When a logo came and went, by the texts whose page of an LED board it took over or gave way to.

Texts are timed between samples by their looks (``detect/edge_search.py``), logos are not. But a board shows one page
after another: where a text went between two samples and a logo is seen in its place on the second, both happened at
once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from typing import Literal

from msgspec.structs import replace

from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.types import Box, BrandDetection, Edge, Observation, TextTrack

Side = Literal["appears", "vanishes"]

# Text and logo lie on one board where their rows share so much of the lower one.
_SAME_ROW = 0.5


class PageChanges:
    """Texts of one chunk that went, or came, between two kept frames of one shot."""

    def __init__(self, extracted: ExtractFramesOutput, scenes: FilterScenesOutput, tracks: Iterable[TextTrack]) -> None:
        times = {sample.sequence: sample.timestamp for sample in extracted.samples}
        self._neighbours: dict[tuple[int, Side], int] = {}
        for _, shot in groupby(scenes.kept, lambda sequence: bisect_right(scenes.cuts, times[sequence])):
            for before, after in pairwise(shot):
                self._neighbours[after, "appears"] = before
                self._neighbours[before, "vanishes"] = after
        self._went: defaultdict[int, list[tuple[Box, Edge]]] = defaultdict(list)
        self._came: defaultdict[int, list[tuple[Box, Edge]]] = defaultdict(list)
        for track in tracks:
            first, last = track.observations[0], track.observations[-1]
            if track.context == "overlay":
                continue
            if track.vanishes is not None:
                self._went[last.sequence].append((last.box, track.vanishes))
            if track.appears is not None:
                self._came[first.sequence].append((first.box, track.appears))

    def timed(self, found: BrandDetection) -> BrandDetection:
        """The detection with those edges that the board it is on tells; observations are in order of time."""
        sequences = [seen.sequence for seen in found.observations]
        return replace(
            found,
            appears=found.appears or self._edge(found.observations, min(sequences), "appears"),
            vanishes=found.vanishes or self._edge(found.observations, max(sequences), "vanishes"),
        )

    def _edge(self, observations: Sequence[Observation], sequence: int, side: Side) -> Edge | None:
        beyond = self._neighbours.get((sequence, side))
        if beyond is None:
            return None
        others = self._went[beyond] if side == "appears" else self._came[beyond]
        boxes = [seen.box for seen in observations if seen.sequence == sequence]
        edges = sorted((edge for box, edge in others if any(_in_place(box, logo) for logo in boxes)), key=_by_time)
        return edges[len(edges) // 2] if edges else None


def _in_place(text: Box, logo: Box) -> bool:
    """Whether a text stood where the logo is: in its row, and not beside it."""
    rows = min(text.y2, logo.y2) - max(text.y1, logo.y1)
    columns = min(text.x2, logo.x2) - max(text.x1, logo.x1)
    return columns > 0 and rows >= _SAME_ROW * min(text.height, logo.height)


def _by_time(edge: Edge) -> tuple[float, float]:
    return edge.time, edge.uncertainty
