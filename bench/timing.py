"""How far the edges of what was reported are from the edges of what is true."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import msgspec

from detect.geometry import merge_intervals
from detect.scoring import EDGE_TOLERANCE, normalise_name

WINDOW = 1.5
"""Seconds around a true edge within which a reported one is taken for it."""
ROUNDING = 0.001
"""Seconds that an error may exceed the stated uncertainty by: reports give both to a thousandth."""

Spans = list[tuple[float, float]]


@dataclass(frozen=True)
class EdgeError:
    """A true edge and what was reported for it: ``error`` is reported − true seconds, None when nothing was.

    ``stated`` is the uncertainty the report gives for that edge, None where it gives none.
    """

    error: float | None
    stated: float | None = None


class EdgeFigures(msgspec.Struct, frozen=True):
    """Errors over many edges, seconds. ``missed`` edges have no reported one within the window.

    ``covered`` is the share of errors that are no larger than the uncertainty stated with them.
    """

    edges: int
    missed: int
    median_error: float
    p95_error: float
    bias: float
    covered: float | None


def edge_errors(
    truth: Sequence[Mapping[str, Any]],
    reported: Mapping[str, Spans],
    *,
    length: float,
    uncertainty: Mapping[str, Mapping[tuple[str, float], float]] | None = None,
) -> tuple[list[EdgeError], list[EdgeError]]:
    """Errors of starts and of ends, over all brands.

    An edge counts where truth is sure of it: not within the tolerance of the video's beginning or end (``length``
    seconds), nor of an uncertain span of the same brand. ``uncertainty`` maps brand to ``{("start"|"end", seconds):
    stated}``.
    """
    claimed = {normalise_name(name): merge_intervals(spans) for name, spans in reported.items()}
    stated = {normalise_name(name): values for name, values in (uncertainty or {}).items()}
    starts: list[EdgeError] = []
    ends: list[EdgeError] = []
    for key, (certain, uncertain) in _by_brand(truth).items():
        for side, kind, errors in ((0, "start", starts), (1, "end", ends)):
            true = [span[side] for span in certain if _is_sure(span[side], uncertain, length)]
            found = [span[side] for span in claimed.get(key, [])]
            for edge, nearest in _paired(true, found):
                known = stated.get(key, {}).get((kind, nearest)) if nearest is not None else None
                errors.append(EdgeError(None if nearest is None else nearest - edge, known))
    return starts, ends


def summarise(errors: Iterable[EdgeError]) -> EdgeFigures:
    """Figures over edges; zeros where there is none."""
    found = list(errors)
    values = [item.error for item in found if item.error is not None]
    sizes = sorted(abs(value) for value in values)
    within = [
        abs(item.error) <= item.stated + ROUNDING
        for item in found
        if item.error is not None and item.stated is not None
    ]
    return EdgeFigures(
        edges=len(found),
        missed=len(found) - len(values),
        median_error=round(median(sizes), 3) if sizes else 0.0,
        p95_error=round(sizes[math.ceil(0.95 * len(sizes)) - 1], 3) if sizes else 0.0,
        bias=round(sum(values) / len(values), 3) if values else 0.0,
        covered=round(sum(within) / len(within), 3) if within else None,
    )


def _by_brand(truth: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Spans, Spans]]:
    """Certain and uncertain spans of each brand that is scored, joined and in order."""
    spans: dict[str, tuple[Spans, Spans]] = {}
    ignored = {normalise_name(str(entry["brand"])) for entry in truth if entry.get("ignore")}
    for entry in truth:
        key = normalise_name(str(entry["brand"]))
        if key not in ignored:
            certain, uncertain = spans.setdefault(key, ([], []))
            (uncertain if entry.get("uncertain") else certain).append((float(entry["t_start"]), float(entry["t_end"])))
    return {key: (merge_intervals(certain), uncertain) for key, (certain, uncertain) in spans.items()}


def _is_sure(edge: float, uncertain: Spans, length: float) -> bool:
    inside = EDGE_TOLERANCE < edge < length - EDGE_TOLERANCE
    return inside and not any(start - EDGE_TOLERANCE <= edge <= end + EDGE_TOLERANCE for start, end in uncertain)


def _paired(true: list[float], found: list[float]) -> list[tuple[float, float | None]]:
    """Each true edge with its own reported one, nearest pairs first."""
    pairs = sorted((abs(here - there), here, there) for here in true for there in found if abs(here - there) <= WINDOW)
    chosen: dict[float, float] = {}
    for _, here, there in pairs:
        if here not in chosen and there not in chosen.values():
            chosen[here] = there
    return [(edge, chosen.get(edge)) for edge in true]
