"""The decoded frames between samples, looked at once and in order, where a text came or went."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from detect.edge_search import Gap, Onward, Still, find_edge
from detect.in_order import in_order
from detect.media.ahead import read_ahead
from detect.media.reader import Shown, VideoReader
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.track_ends import Side, TrackEnd
from detect.types import Edge

# A frame on each side of a gap tells whether the text was there all along.
_MARGIN = 0.2
# Frames closer than this tell nothing new; of a long gap at most so many are looked at.
_STEP, _MOST_STILLS = 0.06, 16
# Reading on costs less than finding the place in the file again.
_SEEK_SECONDS = 2.0
# Seconds: to begin within a video, what lies before it from the last key frame on, often seconds, is decoded too.
_LEAST_SHARE = 8.0
# Frames that are decoded ahead of those that are looked at.
_AHEAD = 8


@dataclass(frozen=True)
class Between:
    """What the frames between samples tell: edges by track and side, and the texts that were there all along a gap."""

    edges: dict[tuple[int, Side], Edge] = field(default_factory=dict)
    onward: list[tuple[TrackEnd, Gap, Onward]] = field(default_factory=list)


def gaps_of(
    ends: Iterable[TrackEnd], extracted: ExtractFramesOutput, scenes: FilterScenesOutput
) -> dict[Gap, list[TrackEnd]]:
    """Which ends lie between which samples, in order of time; ends at a cut or at the chunk's own are left out.

    A near-duplicate shows what its kept frame shows.
    """
    samples = extracted.samples
    index_of = {sample.sequence: index for index, sample in enumerate(samples)}
    shown_until = {kept: dropped for dropped, kept in sorted(scenes.stands_for.items())}
    found: defaultdict[Gap, list[TrackEnd]] = defaultdict(list)
    for end in ends:
        if end.side == "appears":
            left = index_of[end.sequence] - 1
        else:
            left = index_of[shown_until.get(end.sequence, end.sequence)]
        if not 0 <= left < len(samples) - 1:
            continue
        before, after = samples[left], samples[left + 1]
        cut = bisect_right(scenes.cuts, before.timestamp)
        if before.until is None or (cut < len(scenes.cuts) and scenes.cuts[cut] <= after.timestamp):
            continue
        found[Gap(before.timestamp, before.until, after.timestamp)].append(end)
    return dict(sorted(found.items(), key=lambda item: item[0].since))


def find_edges(
    path: str,
    gaps: Mapping[Gap, Sequence[TrackEnd]],
    cuts: Sequence[float],
    scale: float,
    checkpoint: Callable[[], None],
    *,
    threads: int,
) -> Between:
    """What the frames of the gaps tell; grey levels are looked at ``scale`` times as large as the picture.

    Stretches of the video are decoded side by side, one a thread: what is found depends on no other.

    Raises:
        MediaError: the video at ``path`` cannot be read.
    """
    told = Between()
    if not gaps:
        return told
    shares = _shares(list(gaps), threads)

    def found(share: list[Gap]) -> Between:
        with VideoReader(path, threads=max(1, threads // len(shares)), thinned=True) as reader:
            return _find(reader, {gap: gaps[gap] for gap in share}, cuts, scale)

    for some in in_order(found, shares, threads):
        checkpoint()
        told.edges.update(some.edges)
        told.onward.extend(some.onward)
    return told


def _find(reader: VideoReader, gaps: Mapping[Gap, Sequence[TrackEnd]], cuts: Sequence[float], scale: float) -> Between:
    told = Between()
    for gap, stills in _stills(reader, list(gaps), scale):
        same_shot = [still for still in stills if not _cut_between(cuts, still.at, gap)]
        for end in gaps[gap]:
            found = find_edge(end, same_shot, gap)
            if isinstance(found, Edge):
                told.edges[end.track_id, end.side] = found
            elif found is not None:
                told.onward.append((end, gap, found))
    return told


def _shares(gaps: list[Gap], most: int) -> list[list[Gap]]:
    """The gaps of equal parts of the time from the first to the last, at most so many; few seconds are not shared."""
    start, end = gaps[0].since, gaps[-1].high
    parts = min(most, max(1, int((end - start) / _LEAST_SHARE)))
    shares: list[list[Gap]] = [[] for _ in range(parts)]
    for gap in gaps:
        shares[min(parts - 1, int((gap.since - start) / (end - start) * parts))].append(gap)
    return [share for share in shares if share]


def _stills(reader: VideoReader, gaps: list[Gap], scale: float) -> Iterator[tuple[Gap, list[Still]]]:
    """Each gap with its frames and those next to it, in one pass that leaves out what lies far from any gap."""
    waiting = gaps[::-1]
    while waiting:
        stretch = [waiting.pop()]
        while waiting and waiting[-1].since - stretch[-1].high < _SEEK_SECONDS:
            stretch.append(waiting.pop())
        yield from _stretch(reader, stretch, scale)


def _stretch(reader: VideoReader, gaps: list[Gap], scale: float) -> Iterator[tuple[Gap, list[Still]]]:
    start, end = max(0.0, gaps[0].since - _MARGIN), gaps[-1].high + _MARGIN
    held: list[Still] = []
    place = 0
    with read_ahead(_near(reader, reader.frames(_seconds(start), _seconds(end)), gaps, scale), _AHEAD) as stills:
        for still in stills:
            while place < len(gaps) and still.at > gaps[place].high + _MARGIN:
                yield gaps[place], _chosen(held, gaps[place])
                place += 1
            if place == len(gaps):
                return
            held = [other for other in held if other.at >= gaps[place].since - _MARGIN]
            held.append(still)
    for gap in gaps[place:]:
        yield gap, _chosen(held, gap)


def _near(reader: VideoReader, frames: Iterable[Shown], gaps: Sequence[Gap], scale: float) -> Iterator[Still]:
    """Those frames that lie in a gap or next to one."""
    waiting = deque(gaps)
    for shown in frames:
        at = round(float(shown.at * reader.time_base), 6)
        while waiting and at > waiting[0].high + _MARGIN:
            waiting.popleft()
        if waiting and at >= waiting[0].since - _MARGIN:
            yield Still(at, reader.luma(shown.frame, scale))


def _chosen(held: Sequence[Still], gap: Gap) -> list[Still]:
    """The frames of a gap that are looked at: not more of them than tell something, however the file is encoded."""
    step = max(_STEP, (gap.high - gap.low) / _MOST_STILLS)
    chosen: list[Still] = []
    for still in held:
        if gap.since - _MARGIN <= still.at <= gap.high + _MARGIN and (not chosen or still.at - chosen[-1].at >= step):
            chosen.append(still)
    return chosen


def _cut_between(cuts: Sequence[float], at: float, gap: Gap) -> bool:
    low, high = min(at, gap.since), max(at, gap.high)
    cut = bisect_right(cuts, low)
    return cut < len(cuts) and cuts[cut] <= high


def _seconds(value: float) -> Fraction:
    return Fraction(repr(value))
