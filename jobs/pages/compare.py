"""Two results of one video side by side: what one shows and the other does not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from detect.comparison import BrandTotal, Comparison, Sighting
from detect.errors import MediaprocError, NotFoundError
from detect.report import ReportEvidence
from jobs.branches.comparisons import Side, SidesCompared, results_compare
from jobs.choices import RunType
from jobs.exports.words import PLACEMENT_WORDS, length, moment, money, plural
from jobs.pages.options import as_text
from jobs.pages.pictures import SitePictures
from jobs.pages.query import text_of
from jobs.pages.shown import abilities, job_name, stage_word, when, words

_MOST_SHOWN = 60


@require_safe
def compare_page(request: HttpRequest) -> HttpResponse:
    """``left`` and ``right`` are ids of jobs or of checkpoints."""
    texts = [text_of(request.GET, name) for name in ("left", "right")]
    common = {"here": "jobs", **abilities(request)}
    try:
        left, right = (UUID(text) for text in texts)
    except ValueError:
        problem = "Choose two results to compare: in a job's tree, as A and B."
        status = 400 if any(texts) else 200
        return render(request, "jobs/compare.html", {"problem": problem, **common}, status=status)
    try:
        compared = results_compare(left, right)
    except MediaprocError as error:
        status = 404 if isinstance(error, NotFoundError) else 400
        return render(request, "jobs/compare.html", {"problem": error.message, **common}, status=status)
    return render(request, "jobs/compare.html", {**_context(compared, left, right), **common})


def _context(compared: SidesCompared, left: UUID, right: UUID) -> dict[str, Any]:
    shown = compared.shown
    return {
        "name": job_name(compared.left.job),
        "job": compared.right.job,
        "sides": [_side("A", compared.left), _side("B", compared.right)],
        "swapped": f"?left={right}&right={left}",
        "stage_word": stage_word(compared.stage),
        "final": compared.stage == "compile_report",
        "tiles": _tiles(compared),
        "totals": _totals(shown.totals),
        "options": [
            (stage_word(stage), words(option), as_text(before) or "none", as_text(after) or "none")
            for stage, values in compared.config_differences.items()
            for option, (before, after) in values.items()
        ],
        "sections": _sections(compared, shown),
        "same": not (shown.gained or shown.lost or shown.renamed or shown.moved),
    }


def _side(letter: str, side: Side) -> dict[str, Any]:
    return {
        "letter": letter,
        "job": side.job,
        "word": "First run" if side.job.run_type == RunType.INITIAL else side.job.get_run_type_display().capitalize(),
        "when": when(side.job.created_at),
        "from": stage_word(side.job.replay_from_stage) if side.job.replay_from_stage else "",
    }


def _tiles(compared: SidesCompared) -> list[tuple[str, str, str]]:
    """``(name, value, tone)``; more seconds are neither good nor bad, less work and money are good."""
    shown = compared.shown
    cost, work = compared.cost_difference_usd, compared.time_difference_seconds
    return [
        ("Gained", str(len(shown.gained)), "gained" if shown.gained else ""),
        ("Lost", str(len(shown.lost)), "lost" if shown.lost else ""),
        ("Renamed", str(len(shown.renamed)), ""),
        ("Moved", str(len(shown.moved)), ""),
        ("Brand seconds", _signed(shown.seconds_difference, "s"), ""),
        ("Work", _signed(work, "s"), ""),
        ("Models", ("+" if cost > 0 else "−" if cost < 0 else "") + money(str(abs(cost))), ""),
    ]


def _totals(totals: list[BrandTotal]) -> list[dict[str, Any]]:
    """Rows with bars: both seconds as shares of the longest, the difference to the left or right of the middle."""
    longest = max((max(one.left_seconds, one.right_seconds) for one in totals), default=0.0) or 1.0
    reach = max((abs(one.difference) for one in totals), default=0.0) or 1.0
    return [
        {
            "brand": one.brand,
            "left": f"{one.left_seconds:.1f}",
            "right": f"{one.right_seconds:.1f}",
            "difference": _signed(one.difference, "s"),
            "left_width": f"{100 * one.left_seconds / longest:.2f}",
            "right_width": f"{100 * one.right_seconds / longest:.2f}",
            "bar_x": f"{50 if one.difference > 0 else 50 - 50 * abs(one.difference) / reach:.2f}",
            "bar_width": f"{50 * abs(one.difference) / reach:.2f}",
            "tone": "gained" if one.difference > 0 else "lost" if one.difference < 0 else "",
        }
        for one in totals
    ]


def _sections(compared: SidesCompared, shown: Comparison) -> list[dict[str, Any]]:
    before, after = (SitePictures(side.job.id) for side in (compared.left, compared.right))
    sections: list[tuple[str, str, str, int, list[dict[str, Any]]]] = [
        (
            "gained",
            "Gained",
            "only in B",
            len(shown.gained),
            [{"right": _sighting(one, after)} for one in shown.gained[:_MOST_SHOWN]],
        ),
        (
            "lost",
            "Lost",
            "only in A",
            len(shown.lost),
            [{"left": _sighting(one, before)} for one in shown.lost[:_MOST_SHOWN]],
        ),
        (
            "renamed",
            "Renamed",
            "the same place and time under another name",
            len(shown.renamed),
            [
                {"left": _sighting(one.left, before), "right": _sighting(one.right, after)}
                for one in shown.renamed[:_MOST_SHOWN]
            ],
        ),
        (
            "moved",
            "Moved",
            "begins, ends or lies elsewhere",
            len(shown.moved),
            [
                {
                    "left": _sighting(one.left, before),
                    "right": _sighting(one.right, after),
                    "shift": f"starts {_signed(one.start_shift, 's')}, ends {_signed(one.end_shift, 's')}",
                }
                for one in shown.moved[:_MOST_SHOWN]
            ],
        ),
    ]
    return [
        {
            "key": key,
            "title": title,
            "help": told,
            "count": plural(count, "sighting"),
            "entries": entries,
            "more": count - len(entries),
        }
        for key, title, told, count, entries in sections
        if entries
    ]


def _sighting(sighting: Sighting, pictures: SitePictures) -> dict[str, Any]:
    exposure = sighting.exposure
    best: ReportEvidence | None = max(exposure.evidence, key=lambda shown: shown.confidence, default=None)
    return {
        "brand": sighting.brand,
        "time": f"{moment(sighting.start)} to {moment(sighting.end)}",
        "seconds": length(sighting.end - sighting.start),
        "place": f"{PLACEMENT_WORDS.get(exposure.placement, exposure.placement)}, {words(exposure.position)}",
        "text": best.text if best else "",
        "picture": pictures.crop(best.sequence, best.box, best.crop) if best else "",
        "frame": pictures.frame(best.sequence) if best else "",
    }


def _signed(value: float, unit: str) -> str:
    """``+1.2 s``, ``−0.4 s``, ``0.0 s``; a rounded nothing has no sign."""
    text = f"{abs(value):.1f} {unit}"
    return text if float(f"{value:.1f}") == 0 else f"{'+' if value > 0 else '−'}{text}"
