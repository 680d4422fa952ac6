"""Two results of one video side by side: what one shows and the other does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from detect.comparison import BrandTotal, Comparison, Sighting
from detect.errors import MediaprocError, NotFoundError
from detect.report import ReportEvidence
from jobs.branches.comparisons import Side, SidesCompared, results_compare
from jobs.exports.words import PLACEMENT_WORDS, length, moment, money, plural
from jobs.pages.options import as_text
from jobs.pages.pictures import SitePictures
from jobs.pages.query import text_of
from jobs.pages.shown import abilities, accepted_mark, job_name, job_word, signed, stage_word, when, words

T = TypeVar("T")
_PER_PAGE = 24


@require_safe
def compare_page(request: HttpRequest) -> HttpResponse:
    """``left`` and ``right`` are ids of jobs or of checkpoints; ``gained``, ``lost`` … pages of what is much."""
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
    return render(request, "jobs/compare.html", {**_context(compared, request.GET), **common})


def _context(compared: SidesCompared, query: QueryDict) -> dict[str, Any]:
    shown = compared.shown
    final = compared.stage == "compile_report"
    totals = _totals(shown.totals)
    swapped = QueryDict(mutable=True)
    swapped.update({"left": text_of(query, "right"), "right": text_of(query, "left")})
    return {
        "name": job_name(compared.left.job),
        "job": compared.right.job,
        "sides": [_side("A", compared.left), _side("B", compared.right)],
        "mark": accepted_mark(compared.left.job.source_asset_id) if final else None,
        "swapped": f"?{swapped.urlencode()}",
        "stage_word": stage_word(compared.stage),
        "final": final,
        "tiles": _tiles(compared),
        "totals": [row for row in totals if row["differs"]],
        "same_totals": [row for row in totals if not row["differs"]],
        "confirmed": [("Confirmed in B alone", compared.confirmed), ("Confirmed in A alone", compared.unconfirmed)],
        "options": [
            (stage_word(stage), words(option), as_text(before) or "none", as_text(after) or "none")
            for stage, values in compared.config_differences.items()
            for option, (before, after) in values.items()
        ],
        "sections": _sections(compared, shown, query),
        "same": not (shown.gained or shown.lost or shown.renamed or shown.moved),
    }


def _side(letter: str, side: Side) -> dict[str, Any]:
    word = job_word(side.job)
    return {"letter": letter, "job": side.job, "word": word[:1].upper() + word[1:], "when": when(side.job.created_at)}


def _tiles(compared: SidesCompared) -> list[tuple[str, str, str]]:
    """``(name, value, tone)``; more seconds are neither good nor bad."""
    shown = compared.shown
    cost, (was, now) = compared.cost_difference_usd, compared.undecided
    return [
        ("Gained", f"{len(shown.gained):,}", "gained" if shown.gained else ""),
        ("Lost", f"{len(shown.lost):,}", "lost" if shown.lost else ""),
        ("Renamed", f"{len(shown.renamed):,}", ""),
        ("Moved", f"{len(shown.moved):,}", ""),
        ("Brand seconds", signed(shown.seconds_difference, "s"), ""),
        ("Left to decide", str(now) if now == was else f"{was} → {now}", ""),
        ("Work", signed(compared.time_difference_seconds, "s"), ""),
        ("Models", ("+" if cost > 0 else "−" if cost < 0 else "") + money(str(abs(cost))), ""),
    ]


def _totals(totals: list[BrandTotal]) -> list[dict[str, Any]]:
    """Rows with bars: both seconds as shares of the longest, the difference to the left or right of the middle."""
    longest = max((max(one.left_seconds, one.right_seconds) for one in totals), default=0.0) or 1.0
    reach = max((abs(one.difference) for one in totals), default=0.0) or 1.0
    return [
        {
            "brand": one.brand,
            "differs": bool(one.difference) or not (one.left_seconds and one.right_seconds),
            "left": f"{one.left_seconds:.1f} s" if one.left_seconds else "–",
            "right": f"{one.right_seconds:.1f} s" if one.right_seconds else "–",
            "difference": signed(one.difference, "s"),
            "left_width": f"{100 * one.left_seconds / longest:.2f}",
            "right_width": f"{100 * one.right_seconds / longest:.2f}",
            "bar_x": f"{50 if one.difference > 0 else 50 - 50 * abs(one.difference) / reach:.2f}",
            "bar_width": f"{50 * abs(one.difference) / reach:.2f}",
            "tone": "gained" if one.difference > 0 else "lost" if one.difference < 0 else "",
        }
        for one in totals
    ]


def _sections(compared: SidesCompared, shown: Comparison, query: QueryDict) -> list[dict[str, Any]]:
    before, after = (SitePictures(side.job.id) for side in (compared.left, compared.right))
    sections = [
        _section("gained", "only in B", shown.gained, lambda one: {"right": _sighting(one, after)}, query),
        _section("lost", "only in A", shown.lost, lambda one: {"left": _sighting(one, before)}, query),
        _section(
            "renamed",
            "the same place and time under another name",
            shown.renamed,
            lambda one: {"left": _sighting(one.left, before), "right": _sighting(one.right, after)},
            query,
        ),
        _section(
            "moved",
            "begins, ends or lies elsewhere",
            shown.moved,
            lambda one: {
                "left": _sighting(one.left, before),
                "right": _sighting(one.right, after),
                "shift": f"starts {signed(one.start_shift, 's')}, ends {signed(one.end_shift, 's')}",
            },
            query,
        ),
    ]
    return [section for section in sections if section["entries"]]


def _section(
    key: str, told: str, found: Sequence[T], entry: Callable[[T], dict[str, Any]], query: QueryDict
) -> dict[str, Any]:
    """One page of a kind of difference, with where its other pages are."""
    last = max(1, -(-len(found) // _PER_PAGE))
    text = text_of(query, key)
    number = min(last, max(1, int(text))) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    return {
        "key": key,
        "title": key.capitalize(),
        "help": told,
        "count": plural(len(found), "sighting"),
        "entries": [entry(one) for one in found[(number - 1) * _PER_PAGE : number * _PER_PAGE]],
        "number": number,
        "last": last,
        "newer": _page(query, key, number - 1) if number > 1 else "",
        "older": _page(query, key, number + 1) if number < last else "",
    }


def _page(query: QueryDict, key: str, number: int) -> str:
    changed = query.copy()
    changed[key] = str(number)
    return f"?{changed.urlencode()}#s-{key}"


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
