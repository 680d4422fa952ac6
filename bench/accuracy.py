"""Accuracy by seconds, ours beside plain OCR, on real clips and synthetic matches."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import msgspec

from bench.footage import REAL, Clip
from bench.installation import RUN_WITHIN, Analysis, exposures, installation
from bench.placements import PlacementFigures, placements, pooled_share
from bench.process import Measured, measure
from bench.results import Headline
from bench.timing import EdgeError, EdgeFigures, Spans, edge_errors, summarise
from detect.geometry import covered_length, merge_intervals
from detect.report import Report
from detect.scoring import Score, normalise_name, score, subtract


class BrandFigures(msgspec.Struct, frozen=True):
    """Seconds of one brand as the scoring rule counts them.

    ``off`` is (reported − true) / true of its total on screen, argued-about time apart, None for a brand that truth
    does not know.
    """

    true: float
    reported: float
    correct: float
    precision: float
    recall: float
    off: float | None


class ReaderFigures(msgspec.Struct, frozen=True):
    """How well one reader did on one clip or a group of them, and the seconds it took."""

    precision: float
    recall: float
    f1: float
    wall: float
    brands: dict[str, BrandFigures]
    starts: EdgeFigures
    ends: EdgeFigures


class ClipFigures(msgspec.Struct, frozen=True):
    """Both readers on one clip of ``seconds``. ``work`` is ours without start-up: stages, report and pictures.

    ``placed`` is how our exposures were placed, None where truth does not tell.
    """

    group: str
    seconds: float
    skipped: list[str]
    ours: ReaderFigures
    plain: ReaderFigures
    work: float
    placed: PlacementFigures | None


class GroupReader(msgspec.Struct, frozen=True):
    """One reader over all clips of a group; ``worst_seconds_off`` is the largest :attr:`BrandFigures.off`."""

    precision: float
    recall: float
    f1: float
    mean_f1: float
    lowest_f1: float
    worst_seconds_off: float
    starts: EdgeFigures
    ends: EdgeFigures


class GroupFigures(msgspec.Struct, frozen=True):
    """Clips of one kind: precision, recall and F1 over all their seconds together, mean and lowest of the clips' F1.

    ``real_time`` is our work without start-up over the clips' length, ``placed`` the share of our seconds that are said
    to be on the right kind of place, None where truth does not tell.
    """

    clips: int
    ours: GroupReader
    plain: GroupReader
    real_time: float
    placed: float | None


class AccuracyFigures(msgspec.Struct, frozen=True):
    """All clips, by name, and their groups: ``real`` and the levels."""

    clips: dict[str, ClipFigures]
    groups: dict[str, GroupFigures]

    def headlines(self) -> dict[str, Headline]:
        """What to compare from one measurement to the next."""
        lines = {}
        for name, group in self.groups.items():
            lines[f"{name}: precision"] = Headline(group.ours.precision, "", "higher")
            lines[f"{name}: recall"] = Headline(group.ours.recall, "", "higher")
            lines[f"{name}: F1"] = Headline(group.ours.f1, "", "higher")
            lines[f"{name}: F1 above plain"] = Headline(group.ours.f1 - group.plain.f1, "", "higher")
            lines[f"{name}: work over length"] = Headline(group.real_time, "×", "lower")
            if name == REAL:  # truth is written by hand there, its edges good to 0.3 s and its places not told
                lines[f"{name}: mean F1"] = Headline(group.ours.mean_f1, "", "higher")
                lines[f"{name}: lowest F1"] = Headline(group.ours.lowest_f1, "", "higher")
            else:
                lines.update(_of_exact_truth(name, group))
            lines[f"{name}: worst brand, seconds off"] = Headline(group.ours.worst_seconds_off, "share", "lower")
            lines[f"{name}: edges, median error"] = Headline(_median(group.ours), "s", "lower")
        for name, clip in self.clips.items():
            lines[f"clip {name}: F1"] = Headline(clip.ours.f1, "", "higher")
            if clip.group == REAL:
                lines[f"clip {name}: precision"] = Headline(clip.ours.precision, "", "higher")
                lines[f"clip {name}: F1 above plain"] = Headline(clip.ours.f1 - clip.plain.f1, "", "higher")
        return lines


def _of_exact_truth(name: str, group: GroupFigures) -> dict[str, Headline]:
    """What can be told where truth is known for every frame."""
    lines = {}
    for kind, edges in (("starts", group.ours.starts), ("ends", group.ours.ends)):
        if edges.covered is not None:
            lines[f"{name}: {kind} within stated uncertainty"] = Headline(edges.covered, "share", "higher")
    if group.placed is not None:
        lines[f"{name}: placed right"] = Headline(group.placed, "share", "higher")
    return lines


@dataclass(frozen=True)
class Reading:
    """What one reader reported about a clip, and what it took."""

    spans: Mapping[str, Spans]
    wall: float
    uncertainty: Mapping[str, Mapping[tuple[str, float], float]]


@dataclass(frozen=True)
class _Judged:
    figures: ReaderFigures
    starts: list[EdgeError]
    ends: list[EdgeError]


def measure_accuracy(clips: Iterable[Clip], *, progress: Callable[[str], None]) -> AccuracyFigures:
    """Run both readers on each clip, ours in a new installation each time. Raises ``BenchError``."""
    figures: dict[str, ClipFigures] = {}
    judged: dict[str, tuple[_Judged, _Judged]] = {}
    for clip in clips:
        progress(f"accuracy: {clip.name}")
        with installation() as here:
            analysis = here.analyze(clip.video, clip.brands, logos=clip.logos)
        progress(f"accuracy: {clip.name}, plain OCR")
        ours, plain = judge(clip, read_ours(analysis)), judge(clip, read_plain(clip)[0])
        judged[clip.name] = ours, plain
        figures[clip.name] = ClipFigures(
            group=clip.group,
            seconds=round(clip.seconds, 3),
            skipped=[stage.stage for stage in analysis.report.stages if stage.skipped],
            ours=ours.figures,
            plain=plain.figures,
            work=round(analysis.work, 2),
            placed=placements(analysis.report, clip.exact) if clip.exact else None,
        )
    return AccuracyFigures(figures, _groups(figures, judged))


def read_ours(analysis: Analysis) -> Reading:
    """What an analysis reports."""
    return Reading(exposures(analysis.report), analysis.measured.wall, stated_uncertainty(analysis.report))


def read_plain(clip: Clip) -> tuple[Reading, Measured]:
    """Plain OCR on the clip, as a process of its own."""
    measured = measure([sys.executable, "-m", "bench.plain_ocr", clip.video, clip.brands], timeout=RUN_WITHIN)
    found = json.loads(measured.output)["brands"]
    spans = {name: [(start, end) for start, end in spans] for name, spans in found.items()}
    return Reading(spans, measured.wall, {}), measured


def stated_uncertainty(report: Report) -> dict[str, dict[tuple[str, float], float]]:
    """``{brand: {("start"|"end", seconds): uncertainty}}``; where exposures share an edge, the largest."""
    stated: dict[str, dict[tuple[str, float], float]] = {}
    for brand in report.brands:
        edges = stated.setdefault(brand.name, {})
        for item in brand.exposures:
            for key, value in (
                (("start", item.start), item.start_uncertainty),
                (("end", item.end), item.end_uncertainty),
            ):
                edges[key] = max(value, edges.get(key, 0.0))
    return stated


def judge(clip: Clip, reading: Reading) -> _Judged:
    """Score a reading against the clip's truth."""
    scored = score(reading.spans, clip.truth)
    starts, ends = edge_errors(clip.truth, reading.spans, length=clip.seconds, uncertainty=reading.uncertainty)
    figures = ReaderFigures(
        precision=round(scored.precision, 4),
        recall=round(scored.recall, 4),
        f1=round(scored.f1, 4),
        wall=round(reading.wall, 2),
        brands=_brands(clip, reading, scored),
        starts=summarise(starts),
        ends=summarise(ends),
    )
    return _Judged(figures, starts, ends)


def _brands(clip: Clip, reading: Reading, scored: Score) -> dict[str, BrandFigures]:
    reported = {normalise_name(name): merge_intervals(spans) for name, spans in reading.spans.items()}
    figures = {}
    for name, brand in scored.per_brand.items():
        off = _seconds_off(clip, name, reported.get(normalise_name(name), [])) if brand.in_truth else None
        figures[name] = BrandFigures(
            true=round(brand.true_seconds, 3),
            reported=round(brand.reported_seconds, 3),
            correct=round(brand.correct_seconds, 3),
            precision=round(brand.precision, 4),
            recall=round(brand.recall, 4),
            off=None if off is None else round(off, 4),
        )
    return figures


def _seconds_off(clip: Clip, name: str, reported: Spans) -> float | None:
    """(reported − true) / true seconds of a brand outside its uncertain spans; None where nothing is certain."""
    certain: Spans = []
    argued: Spans = []
    for entry in clip.truth:
        if normalise_name(str(entry["brand"])) == normalise_name(name):
            (argued if entry.get("uncertain") else certain).append((float(entry["t_start"]), float(entry["t_end"])))
    true, claimed = (subtract(_exact(spans), _exact(argued)) for spans in (certain, reported))
    total = covered_length(true)
    return float((covered_length(claimed) - total) / total) if total else None


def _exact(spans: Spans) -> list[tuple[Fraction, Fraction]]:
    return merge_intervals((Fraction(start), Fraction(end)) for start, end in spans)


def _groups(
    figures: Mapping[str, ClipFigures], judged: Mapping[str, tuple[_Judged, _Judged]]
) -> dict[str, GroupFigures]:
    groups: dict[str, list[str]] = {}
    for name, clip in figures.items():
        groups.setdefault(clip.group, []).append(name)
    return {
        group: GroupFigures(
            clips=len(names),
            ours=_pooled([judged[name][0] for name in names]),
            plain=_pooled([judged[name][1] for name in names]),
            real_time=sum(figures[name].work for name in names) / sum(figures[name].seconds for name in names),
            placed=pooled_share(placed for name in names if (placed := figures[name].placed) is not None),
        )
        for group, names in groups.items()
    }


def _pooled(judged: list[_Judged]) -> GroupReader:
    brands = [brand for one in judged for brand in one.figures.brands.values()]
    true = sum(brand.true for brand in brands)
    reported = sum(brand.reported for brand in brands)
    correct = sum(brand.correct for brand in brands)
    precision, recall = correct / reported if reported else 1.0, correct / true if true else 1.0
    return GroupReader(
        precision=round(precision, 4),
        recall=round(recall, 4),
        f1=round(2 * precision * recall / (precision + recall), 4) if precision + recall else 0.0,
        lowest_f1=min(one.figures.f1 for one in judged),
        mean_f1=round(sum(one.figures.f1 for one in judged) / len(judged), 4),
        worst_seconds_off=max((abs(brand.off) for brand in brands if brand.off is not None), default=0.0),
        starts=summarise(edge for one in judged for edge in one.starts),
        ends=summarise(edge for one in judged for edge in one.ends),
    )


def _median(group: GroupReader) -> float:
    return max(group.starts.median_error, group.ends.median_error)
