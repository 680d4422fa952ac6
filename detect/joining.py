"""Names set in two pieces: words that detection split, beside or above one another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from detect.types import Box, Edge, TextTrack

_MAX_PAIRS_A_FRAME = 40


def adjacent_pairs(tracks: list[TextTrack]) -> Iterator[tuple[TextTrack, TextTrack, list[int]]]:
    """Pairs of tracks that stand side by side or one above the other, with the sequences in which they do.

    The first of a pair is read first: left of, or above, the second.
    """
    together: dict[tuple[int, int], list[int]] = defaultdict(list)
    frames: dict[int, list[tuple[int, Box]]] = defaultdict(list)
    for index, track in enumerate(tracks):
        for seen in track.observations:
            frames[seen.sequence].append((index, seen.box))
    for sequence in sorted(frames):
        pairs = ((a, b) for a in frames[sequence] for b in frames[sequence] if a[0] != b[0] and _follows(a[1], b[1]))
        for number, (first, second) in enumerate(pairs):
            if number >= _MAX_PAIRS_A_FRAME:
                break
            together[first[0], second[0]].append(sequence)
    for (first_index, second_index), sequences in sorted(together.items()):
        yield tracks[first_index], tracks[second_index], sequences


def joined_edges(first: TextTrack, second: TextTrack, sequences: list[int]) -> tuple[Edge | None, Edge | None]:
    """When a pair that was seen on ``sequences`` came and went: it is whole while both halves are there.

    None where not both were seen first, or last, on the pair's first or last sequence.
    """
    came = [half.appears for half in (first, second) if half.observations[0].sequence == sequences[0]]
    went = [half.vanishes for half in (first, second) if half.observations[-1].sequence == sequences[-1]]
    starts = [edge for edge in came if edge is not None]
    ends = [edge for edge in went if edge is not None]
    return (
        max(starts, key=lambda edge: edge.time) if len(starts) == 2 else None,
        min(ends, key=lambda edge: edge.time) if len(ends) == 2 else None,
    )


def union(box: Box, other: Box) -> Box:
    """Smallest box around both."""
    return Box(min(box.x1, other.x1), min(box.y1, other.y1), max(box.x2, other.x2), max(box.y2, other.y2))


def _follows(box: Box, other: Box) -> bool:
    """Whether ``other`` continues ``box``: on the same line a gap to the right, or right below it."""
    height = min(box.height, other.height)
    if height == 0 or max(box.height, other.height) > 2 * height:
        return False
    same_line = abs((box.y1 + box.y2) - (other.y1 + other.y2)) <= height
    if same_line:
        return -0.5 * height <= other.x1 - box.x2 <= 1.5 * height
    overlap = min(box.x2, other.x2) - max(box.x1, other.x1)
    return overlap >= 0.5 * min(box.width, other.width) and -0.3 * height <= other.y1 - box.y2 <= 0.8 * height
