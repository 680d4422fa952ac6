"""Score a report against truth, by seconds and by brand.

The rule: an instant within :data:`EDGE_TOLERANCE` seconds of a true edge, or inside an uncertain span, is left out.
Of what remains, precision is correct seconds / reported seconds and recall is correct seconds / true seconds, summed
over all brands of a clip. Names are compared casefolded, letters and digits only. A brand without any certain span
is not scored, nor is one marked ``ignore``; a reported brand that truth does not know counts as reported and wrong.

All arithmetic is on exact fractions, so adding or splitting spans never moves a figure by rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import msgspec

from detect.errors import MediaprocError
from detect.geometry import covered_length, merge_intervals

EDGE_TOLERANCE = 0.3

Interval = tuple[Fraction, Fraction]
Intervals = list[Interval]


class TruthError(MediaprocError):
    """A truth entry that cannot be read."""


class BrandScore(msgspec.Struct, frozen=True):
    """Seconds of one brand after the left-out instants are gone.

    ``in_truth`` is false for a brand that was reported and that truth does not know.
    """

    brand: str
    true_seconds: float
    reported_seconds: float
    correct_seconds: float
    in_truth: bool = True

    @property
    def precision(self) -> float:
        return _ratio(self.correct_seconds, self.reported_seconds)

    @property
    def recall(self) -> float:
        return _ratio(self.correct_seconds, self.true_seconds)


class Score(msgspec.Struct, frozen=True):
    """Precision, recall and F1 over a clip, 0 to 1, with the seconds of each scored brand, by name."""

    precision: float
    recall: float
    f1: float
    per_brand: dict[str, BrandScore]


def normalise_name(name: str) -> str:
    """``name`` casefolded, letters and digits only: what two names are compared by."""
    return "".join(character for character in name.casefold() if character.isalnum())


def score(
    report_exposures: Mapping[str, Sequence[tuple[float, float]]],
    truth_spans: Sequence[Mapping[str, Any]],
    *,
    aliases: Mapping[str, str] | None = None,
    edge_tolerance: float = EDGE_TOLERANCE,
) -> Score:
    """Score ``{reported brand: [(start, end), …]}`` against truth entries ``{brand, t_start, t_end, uncertain?}``.

    Seconds of video; overlapping intervals of a brand count once, and empty ones not at all. ``aliases`` maps a
    reported name to the name that truth uses. Several truth entries of one brand are one presence: only where their
    union begins or ends is there a true edge. An uncertain span leaves its instants out even where a certain one of the
    same brand covers them. With nothing reported precision is 1, with nothing true recall is 1.

    Raises :class:`TruthError` for an entry without a brand, or with times that are not numbers in order.
    """
    certain, uncertain, names = _read_truth(truth_spans)
    unscored = {key for key in names if not certain.get(key)}
    reported: dict[str, Intervals] = {}
    renamed = {normalise_name(name): normalise_name(truth_name) for name, truth_name in (aliases or {}).items()}
    for name, spans in report_exposures.items():
        key = renamed.get(normalise_name(name), normalise_name(name))
        reported.setdefault(key, []).extend(_span(*span) for span in spans)
        names.setdefault(key, name)

    tolerance = _exact(edge_tolerance)
    per_brand: dict[str, BrandScore] = {}
    all_true = all_claimed = all_correct = Fraction(0)
    for key in sorted(set(certain) | set(reported)):
        if key in unscored:
            continue
        true, claimed = merge_intervals(certain.get(key, [])), merge_intervals(reported.get(key, []))
        left_out = merge_intervals(
            uncertain.get(key, []) + [_around(edge, tolerance) for span in true for edge in span]
        )
        true, claimed = subtract(true, left_out), subtract(claimed, left_out)
        true_length, length, correct = _length(true), _length(claimed), _length(intersect(true, claimed))
        all_true, all_claimed, all_correct = all_true + true_length, all_claimed + length, all_correct + correct
        per_brand[names[key]] = BrandScore(
            names[key], float(true_length), float(length), float(correct), in_truth=key in certain
        )
    precision, recall = _ratio(all_correct, all_claimed), _ratio(all_correct, all_true)
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return Score(precision=precision, recall=recall, f1=f1, per_brand=per_brand)


def _read_truth(
    entries: Sequence[Mapping[str, Any]],
) -> tuple[dict[str, Intervals], dict[str, Intervals], dict[str, str]]:
    """Certain spans, uncertain spans and the name to show, each by compared name. Ignored brands have no spans."""
    certain: dict[str, Intervals] = {}
    uncertain: dict[str, Intervals] = {}
    names: dict[str, str] = {}
    ignored: set[str] = set()
    for position, entry in enumerate(entries):
        try:
            name, start, end = str(entry["brand"]), _exact(entry["t_start"]), _exact(entry["t_end"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise TruthError(f"truth entry {position} needs brand, t_start and t_end in seconds: {error!r}") from error
        key = normalise_name(name)
        if end < start:
            raise TruthError(f"truth entry {position} ({name}) ends at {float(end)} before it starts at {float(start)}")
        names.setdefault(key, name)
        if entry.get("ignore") or key == "ignore":
            ignored.add(key)
        if start < end:
            (uncertain if entry.get("uncertain") else certain).setdefault(key, []).append((start, end))
    for key in ignored:
        certain.pop(key, None)
    return certain, uncertain, names


def _exact(seconds: float) -> Fraction:
    """The decimal that was written, not the binary fraction nearest to it: 0.3 is 3/10."""
    return Fraction(repr(float(seconds)))


def _span(start: float, end: float) -> Interval:
    return _exact(start), max(_exact(start), _exact(end))


def _length(spans: Intervals) -> Fraction:
    return Fraction(covered_length(spans))


def _around(edge: Fraction, tolerance: Fraction) -> Interval:
    return edge - tolerance, edge + tolerance


def _ratio(part: float | Fraction, whole: float | Fraction) -> float:
    return float(part / whole) if whole else 1.0


def intersect(first: Intervals, second: Intervals) -> Intervals:
    """Instants in both; arguments and result are sorted and disjoint."""
    common: Intervals = []
    i = j = 0
    while i < len(first) and j < len(second):
        start, end = max(first[i][0], second[j][0]), min(first[i][1], second[j][1])
        if start < end:
            common.append((start, end))
        if first[i][1] <= second[j][1]:
            i += 1
        else:
            j += 1
    return common


def subtract(spans: Intervals, removed: Intervals) -> Intervals:
    """Instants in ``spans`` and not in ``removed``; arguments and result are sorted and disjoint."""
    rest: Intervals = []
    for start, end in spans:
        left = start
        for gone_start, gone_end in removed:
            if gone_end <= left or gone_start >= end:
                continue
            if gone_start > left:
                rest.append((left, gone_start))
            left = max(left, gone_end)
        if left < end:
            rest.append((left, end))
    return rest
