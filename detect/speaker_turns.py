"""Who speaks when, from voices described in windows of speech: voices are grouped, then each moment goes to one group.

Grouping is average-linkage clustering on the cosine distance of the voices. A window near a change of speakers holds
both; so a moment is not given to the group of one window but to that which all windows over it resemble most, those in
whose middle it lies counting most.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from detect.types import Value

Floats = npt.NDArray[np.float32]
Span = tuple[float, float]

# Distances of all pairs are kept at once: of longer videos as many voices are grouped, spread evenly, the rest follows.
_MOST_GROUPED = 2000
# Seconds of speech from which a voice is clear. One that is not may be this much further from its like, and two of
# them twice that.
_CLEAR = 1.0
_BLUR = 0.05
# Windows that hold two speakers reach over less than this around a change, seconds.
_CHANGE = 2.3
# Length of a moment, seconds.
_MOMENT = 0.1
# Speech of one speaker with a shorter break than this is one turn, and a word this far from a turn may belong to it.
_BREAK = 0.5
# A run shorter than this between others that it touches is no turn but doubt.
_SHORTEST = 0.5


class Turn(Value, frozen=True):
    """One speaker over one stretch of time, seconds of the video. Speakers are numbered from 1 by their first turns."""

    speaker: int
    start: float
    end: float


@dataclass(frozen=True)
class Voices:
    """Voices heard in windows of the video, ``(n,)`` seconds each, and their vectors ``(n, size)`` of length 1."""

    starts: npt.NDArray[np.float64]
    ends: npt.NDArray[np.float64]
    vectors: Floats

    def __len__(self) -> int:
        return len(self.starts)

    def within(self, start: float, end: float) -> Voices:
        """Those whose windows begin in ``[start, end)``."""
        chosen = (self.starts >= start) & (self.starts < end)
        return Voices(self.starts[chosen], self.ends[chosen], self.vectors[chosen])


def tell_turns(
    voices: Voices,
    passages: Sequence[Sequence[Span]],
    *,
    distance: float,
    max_speakers: int | None,
    min_seconds: float,
) -> list[Turn]:
    """Turns in order, none of which overlaps another.

    ``passages`` are the stretches of speech of each passage, in order. Voices further apart than ``distance`` on
    average are two speakers; who speaks for less than ``min_seconds`` in all is taken for the one they resemble most.
    """
    if not len(voices):
        return []
    groups = _centres(voices, distance, max_speakers, min_seconds)
    while True:
        runs = [run for spans in passages for run in _passage_runs(voices, spans, groups)]
        spoken = np.zeros(len(groups))
        for run in runs:
            spoken[run.speaker] += run.end - run.start
        least = int(spoken.argmin())
        if len(groups) == 1 or spoken[least] >= min_seconds:
            return _numbered(_joined(runs))
        groups = np.delete(groups, least, axis=0)


def speaker_at(turns: Sequence[Turn], seconds: float) -> int:
    """Who speaks at a moment, or nearly; 0 where nobody does. ``turns`` are in order."""
    after = bisect_left(turns, seconds, key=lambda turn: turn.end)
    near = [
        (max(turn.start - seconds, seconds - turn.end, 0.0), turn.speaker)
        for turn in turns[max(0, after - 1) : after + 1]
    ]
    away, speaker = min(near, default=(_BREAK + 1, 0))
    return speaker if away <= _BREAK else 0


def _centres(voices: Voices, distance: float, max_speakers: int | None, min_seconds: float) -> Floats:
    """The middle of each group, ``(groups, size)`` of length 1.

    A voice heard for a moment is blurred: it makes no group where it resembles one of those that were heard for longer.
    """
    lengths = voices.ends - voices.starts
    clear = lengths >= _CLEAR
    if not clear.any():
        return _grouped(voices.vectors, distance, max_speakers)
    centres = _without_mixtures(voices, _grouped(voices.vectors[clear], distance, max_speakers))
    strange = ~clear & ((voices.vectors @ centres.T).max(axis=1) < 1 - distance - _BLUR)
    others, seconds = voices.vectors[strange], float(lengths[strange].sum())
    if seconds < min_seconds or not seconds or (max_speakers is not None and len(centres) >= max_speakers):
        return centres
    room = None if max_speakers is None else max_speakers - len(centres)
    return np.concatenate([centres, _grouped(others, distance + 2 * _BLUR, room)])


def _without_mixtures(voices: Voices, centres: Floats) -> Floats:
    """The groups without those that are two speakers in one window.

    A group is a speaker's if it is heard by itself once: for longer than a change of speakers takes, or where no window
    of another group overlaps.
    """
    labels = (voices.vectors @ centres.T).argmax(axis=1).tolist()
    overlaps = [*(voices.starts[1:] < voices.ends[:-1]).tolist(), False]
    heard = set()
    at = 0
    for label, run in groupby(labels):
        last = at + len(list(run)) - 1
        shared = overlaps[last] or (at > 0 and overlaps[at - 1])
        if not shared or voices.ends[last] - voices.starts[at] >= _CHANGE:
            heard.add(label)
        at = last + 1
    return centres[sorted(heard)] if heard else centres


def _grouped(vectors: Floats, distance: float, most: int | None) -> Floats:
    """Middles of the groups that vectors fall into, at most so many."""
    from scipy.cluster.hierarchy import fcluster, linkage  # slow to import, and for this alone

    count = len(vectors)
    if count == 1:
        return vectors
    chosen = (
        vectors if count <= _MOST_GROUPED else vectors[np.linspace(0, count - 1, _MOST_GROUPED).round().astype(int)]
    )
    tree = linkage(chosen.astype(np.float64), method="average", metric="cosine")
    labels = fcluster(tree, distance, criterion="distance")
    if most is not None and labels.max() > most:
        labels = fcluster(tree, most, criterion="maxclust")
    centres = np.stack([chosen[labels == label].mean(axis=0) for label in range(1, labels.max() + 1)])
    return np.asarray(centres / np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-9), np.float32)


def _passage_runs(voices: Voices, spans: Sequence[Span], groups: Floats) -> list[Turn]:
    """Stretches of a passage with one speaker each, those that are too short to be true given to their neighbours."""
    heard = voices.within(spans[0][0] - 0.01, spans[-1][1])
    if not len(heard):
        return []
    likeness = heard.vectors @ groups.T
    middles, halves = (heard.starts + heard.ends) / 2, (heard.ends - heard.starts) / 2
    runs: list[Turn] = []
    for start, end in spans:
        moments = start + _MOMENT * (np.arange(max(1, round((end - start) / _MOMENT))) + 0.5)
        weights = np.maximum(1 - np.abs(moments[:, None] - middles) / (halves + _MOMENT), 0)
        # A moment under no window goes to the nearest.
        bare = weights.sum(axis=1) == 0
        weights[bare, np.abs(moments[bare, None] - middles).argmin(axis=1)] = 1
        speakers = (weights @ likeness).argmax(axis=1).tolist()
        at = start
        position = 0
        for speaker, run in groupby(speakers):
            position += len(list(run))
            until = end if position == len(speakers) else round(start + position * _MOMENT, 3)
            runs.append(Turn(speaker, at, until))
            at = until
    return _without_doubts(runs)


def _without_doubts(runs: list[Turn]) -> list[Turn]:
    settled = _touching_joined(runs)
    while True:
        doubts = [
            (run.end - run.start, index)
            for index, run in enumerate(settled)
            if run.end - run.start < _SHORTEST and _neighbours(settled, index)
        ]
        if not doubts:
            return settled
        _, index = min(doubts)
        heir = max(_neighbours(settled, index), key=lambda other: settled[other].end - settled[other].start)
        run = settled[index]
        settled[index] = Turn(settled[heir].speaker, run.start, run.end)
        settled = _touching_joined(settled)


def _neighbours(runs: Sequence[Turn], index: int) -> list[int]:
    """Runs that touch one: nobody pauses where another breaks in only for a moment."""
    before = [index - 1] if index and runs[index - 1].end == runs[index].start else []
    after = [index + 1] if index + 1 < len(runs) and runs[index + 1].start == runs[index].end else []
    return before + after


def _touching_joined(runs: Sequence[Turn]) -> list[Turn]:
    return _joined(runs, apart=0.0)


def _joined(runs: Sequence[Turn], apart: float = _BREAK) -> list[Turn]:
    """Runs of one speaker with at most this much between them as one."""
    joined: list[Turn] = []
    for run in runs:
        if joined and joined[-1].speaker == run.speaker and run.start - joined[-1].end <= apart:
            joined[-1] = Turn(run.speaker, joined[-1].start, run.end)
        else:
            joined.append(run)
    return joined


def _numbered(turns: Sequence[Turn]) -> list[Turn]:
    """The turns with speakers numbered from 1 in the order in which they begin to speak."""
    numbers: dict[int, int] = {}
    return [Turn(numbers.setdefault(turn.speaker, len(numbers) + 1), turn.start, turn.end) for turn in turns]
