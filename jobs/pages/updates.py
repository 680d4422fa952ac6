"""Results that decisions made outdated: what was decided, what that changes in each, accepting it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from detect.comparison import BrandTotal
from detect.errors import MediaprocError
from jobs.branches.comparisons import results_compare
from jobs.choices import JobStatus
from jobs.exports.words import length, plural
from jobs.models import AcceptedResult, DetectJob
from jobs.pages.accept import accepted_message
from jobs.pages.actions import way_back
from jobs.pages.shown import HEAVY, abilities, accepted_words, job_name, job_row, job_word, person, signed, when
from jobs.results.accepted import FIRST_STAGE, result_accept
from jobs.results.stakes import Stake, stakes_of
from jobs.results.updates import Outdated, outdated_load, results_outdated, update_accept, update_begin
from mediaproc.principal import principal_of

MOST_AT_ONCE = 500
_PER_PAGE, _DECISIONS, _TOTALS, _LATELY = 10, 4, 6, 5
_UNDER_WAY = (JobStatus.PENDING, JobStatus.RUNNING, JobStatus.PAUSED)


@require_safe
def updates_page(request: HttpRequest) -> HttpResponse:
    """The results, those with the newest decisions first; the changes of those that are worked out."""
    outdated = results_outdated()
    last = max(1, -(-len(outdated) // _PER_PAGE))
    number = min(last, max(1, int(text))) if (text := request.GET.get("page", "")).isdecimal() and len(text) < 6 else 1
    page = outdated_load(outdated[(number - 1) * _PER_PAGE : number * _PER_PAGE])
    rows = [_row(one, stake) for one, stake in zip(page, stakes_of(page), strict=True)]
    context = {
        "total": len(outdated),
        "to_work_out": sum(one.update_id is None for one in outdated),
        "rows": rows,
        "ready": [row["result"].id for row in rows if row["change"] and not row["change"]["problem"]],
        "lately": _lately(),
        "number": number,
        "last": last,
        "here": "review",
        **abilities(request),
    }
    return render(request, "jobs/updates.html", context)


@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Work out the changes of the ``results`` named, or of ``all`` where nobody has yet."""
    chosen = _chosen(request)
    if request.POST.get("all"):
        chosen = _results([one.result_id for one in results_outdated() if one.update_id is None])
    begun = 0
    for result in chosen:
        try:
            update_begin(result=result, by=principal_of(request).name)
            begun += 1
        except MediaprocError as error:
            messages.error(request, f"{job_name(result.job)}: {error.message}")
    if begun:
        messages.info(request, f"The changes of {plural(begun, 'result')} are being worked out.")
    return redirect(way_back(request))


@require_POST
def accept(request: HttpRequest) -> HttpResponse:
    """Accept what was worked out for the ``results`` named; the reports before stay as they are."""
    back, by = way_back(request), principal_of(request).name
    done: list[tuple[UUID, DetectJob]] = []
    for result in _chosen(request):
        try:
            job = update_accept(result=result)
            result_accept(job=job, by=by)
            done.append((result.job_id, job))
        except MediaprocError as error:
            messages.error(request, f"{job_name(result.job)}: {error.message}")
    if len(done) == 1:
        former, job = done[0]
        messages.success(request, accepted_message(request, job, former=former, back=back))
    elif done:
        messages.success(request, f"{plural(len(done), 'result')} are up to date; those before are kept.")
    return redirect(back)


def _chosen(request: HttpRequest) -> list[AcceptedResult]:
    texts = request.POST.getlist("results")
    return _results([int(text) for text in texts if text.isdecimal() and len(text) < 18])


def _results(ids: Sequence[int]) -> list[AcceptedResult]:
    found = AcceptedResult.objects.filter(id__in=ids[:MOST_AT_ONCE]).select_related("job__source_asset")
    return list(found.defer(*(f"job__{name}" for name in HEAVY)).order_by("id"))


def _row(one: Outdated, stake: Stake) -> dict[str, Any]:
    update = one.update
    return {
        "result": one.result,
        "job": one.result.job,
        "name": job_name(one.result.job),
        "accepted": accepted_words(one.result),
        "decisions": [
            {"sentence": decision.sentence, "by": person(decision.by), "when": when(decision.created_at)}
            for decision in one.decisions[:_DECISIONS]
        ],
        "more": max(0, len(one.decisions) - _DECISIONS),
        "stake": _stake_words(stake),
        "overtaken": one.overtaken,
        "under_way": job_row(update) if update is not None and update.status in _UNDER_WAY else None,
        "failed": update if update is not None and update.status == JobStatus.FAILED else None,
        "change": _change(one.result.job_id, update.id) if update is not None and one.is_ready else None,
    }


def _stake_words(stake: Stake) -> str:
    parts = [
        plural(stake.texts, "text") if stake.texts else "",
        plural(stake.brands, "brand") if stake.brands else "",
    ]
    about = " and ".join(part for part in parts if part)
    return f"About {about}, {length(stake.seconds)} on screen" if about else ""


def _change(before: UUID, after: UUID) -> dict[str, Any]:
    """What accepting would change, in numbers; ``problem`` where that cannot be told."""
    address = f"?left={before}&right={after}"
    try:
        compared = results_compare(before, after)
    except MediaprocError as error:
        return {"problem": error.message, "address": address}
    shown, (was, now) = compared.shown, compared.undecided
    counts = [
        ("gained", len(shown.gained)),
        ("lost", len(shown.lost)),
        ("renamed", len(shown.renamed)),
        ("moved", len(shown.moved)),
    ]
    changed = [total for total in shown.totals if total.difference or not (total.left_seconds and total.right_seconds)]
    return {
        "problem": "",
        "address": address,
        "counts": counts,
        "counted": any(count for _, count in counts),
        "confirmed": ", ".join(compared.confirmed),
        "unconfirmed": ", ".join(compared.unconfirmed),
        "undecided": f"{was} before, {now} after" if was != now else "",
        "same": not (changed or was != now or compared.confirmed or compared.unconfirmed or any(n for _, n in counts)),
        "totals": [_total(total) for total in changed[:_TOTALS]],
        "more": max(0, len(changed) - _TOTALS),
    }


def _total(total: BrandTotal) -> dict[str, str]:
    return {
        "brand": total.brand,
        "before": f"{total.left_seconds:.1f} s" if total.left_seconds else "–",
        "after": f"{total.right_seconds:.1f} s" if total.right_seconds else "–",
        "difference": signed(total.difference, "s"),
        "tone": "gained" if total.difference > 0 else "lost" if total.difference < 0 else "",
    }


def _lately() -> list[dict[str, Any]]:
    """Results that were brought up to date last, each with the report it took the place of."""
    found = AcceptedResult.objects.filter(
        job__replay_from_stage=FIRST_STAGE, job__call_limit=0, job__parent_job__isnull=False
    )
    heavy = [f"{job}__{name}" for job in ("job", "job__parent_job") for name in HEAVY]
    rows = found.select_related("job__source_asset", "job__parent_job").defer(*heavy).order_by("-accepted_at")
    return [
        {
            "name": job_name(result.job),
            "job": result.job,
            "former": result.job.parent_job,
            "former_word": job_word(result.job.parent_job) if result.job.parent_job else "",
            "accepted": accepted_words(result),
        }
        for result in rows[:_LATELY]
    ]
