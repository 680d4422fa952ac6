"""The tree of a job's checkpoints: what was tried, what came of it, and the way to try something else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from detect.config import resolve
from detect.errors import MediaprocError, NotFoundError, StorageError
from detect.options import merge
from detect.registry import Pipeline, load_pipeline
from jobs.assets.playing import asset_video_file
from jobs.branches.estimates import Estimate, replay_estimate
from jobs.branches.scenarios import bookmark_set, expectation_of
from jobs.branches.trees import JobTree, job_tree
from jobs.choices import JobStatus
from jobs.exports.words import length, money, plural
from jobs.models import DetectJob
from jobs.pages.options import SentOptions, differences, option_groups, read_options
from jobs.pages.shown import (
    abilities,
    accepted_mark,
    actions_for,
    asker,
    job_facts,
    job_name,
    job_word,
    stage_word,
    when,
    words,
)
from jobs.pages.tree_drawing import draw_tree
from jobs.services import Order, job_replay
from mediaproc.principal import principal_of

_LONGEST_LABEL = 200


@require_safe
def tree_page(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The drawing; with ``node`` a checkpoint's facts and what can be done from there."""
    return render(request, "jobs/tree.html", _context(request, _find(job_id), request.GET.get("node", "")))


@require_POST
def replay(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Estimate a replay (``do=estimate``), or start it. ``X-Part: estimate`` asks for that piece of the page alone."""
    job = _find(job_id)
    stage = request.POST.get("start_stage", "")
    pipeline = load_pipeline(job.pipeline)
    sent = read_options(pipeline, request.POST, _snapshot(job, pipeline))
    estimate, problem = None, ""
    if sent.errors:
        problem = " ".join(
            f"{words(place.partition('.')[2]).capitalize()}: {error}" for place, error in sent.errors.items()
        )
    try:
        if not problem:
            estimate = replay_estimate(parent=job, start_stage=stage, overrides=sent.overrides)
            if request.POST.get("do") != "estimate":
                return _begin(request, job, stage, sent, estimate)
    except MediaprocError as error:
        problem = error.message
    piece = {"estimate": _estimate_view(estimate), "estimate_problem": problem}
    if request.headers.get("X-Part") == "estimate":
        return render(request, "jobs/_estimate.html", piece)
    context = _context(request, job, request.POST.get("node", ""), start=stage, sent=sent)
    return render(request, "jobs/tree.html", {**context, **piece}, status=400 if problem else 200)


@require_POST
def bookmark(request: HttpRequest, checkpoint_id: UUID) -> HttpResponse:
    """Give a checkpoint a label, or take it away; ``expect`` keeps what its report shows as what it must show."""
    label = "" if request.POST.get("remove") else request.POST.get("label", "").replace("\0", "").strip()
    label = label[:_LONGEST_LABEL]
    try:
        if not label and not request.POST.get("remove"):
            messages.warning(request, "A bookmark needs a label.")
        else:
            expects = bool(label and request.POST.get("expect"))
            name = principal_of(request).name
            node = bookmark_set(checkpoint_id=checkpoint_id, label=label, from_report=expects, by=name)
            messages.success(request, f"Bookmarked as {label}." if label else "The bookmark is gone.")
            if request.POST.get("back") != "scenarios":
                return redirect(f"{reverse('page-tree', args=[node.job_id])}?node={checkpoint_id}#node")
    except MediaprocError as error:
        messages.error(request, error.message)
    return redirect("page-scenarios")


def _find(job_id: UUID) -> DetectJob:
    return get_object_or_404(DetectJob.objects.select_related("source_asset"), id=job_id)


def _begin(request: HttpRequest, job: DetectJob, stage: str, sent: SentOptions, estimate: Estimate) -> HttpResponse:
    """Start it; kept within the estimate where that was ticked."""
    keeps = request.POST.get("keep") == "yes"
    made = job_replay(
        parent=job,
        start_stage=stage,
        overrides=sent.overrides,
        order=Order(
            requested_by=principal_of(request).name,
            tags=job.tags,
            priority=job.priority,
            cost_limit_usd=estimate.usd if keeps else job.cost_limit_usd,
            call_limit=estimate.model_calls if keeps else job.call_limit,
            queued=True,
        ),
    )
    return redirect("job-page", made.id)


def _snapshot(job: DetectJob, pipeline: Pipeline) -> Any:
    """Every option as the job has it: what a replay leaves unchanged."""
    return resolve(pipeline, job.profile_name, merge(job.config_overrides)).snapshot()


def _estimate_view(estimate: Estimate | None) -> dict[str, Any] | None:
    if estimate is None:
        return None
    known = [one for one in estimate.stages if one.seconds is not None]
    return {
        "reused": f"{len(estimate.reused_stages)} of {len(estimate.stages)}",
        "calls": f"at most {plural(estimate.model_calls, 'question')}" if estimate.model_calls else "none",
        "usd": f"at most {money(str(estimate.usd))}" if estimate.usd else "USD 0.00",
        "seconds": length(estimate.seconds),
        "unknown": [stage_word(one.stage) for one in estimate.stages if one.seconds is None],
        "stages": [
            {
                "word": stage_word(one.stage),
                "seconds": length(one.seconds or 0.0) if one in known else "not known",
                "state": _reuse_word(one.reused_units, one.units),
                "calls": one.calls,
                "usd": money(str(one.usd)) if one.usd else "",
                "bound": not one.exact,
            }
            for one in estimate.stages
        ],
    }


def _video_is_gone(job: DetectJob) -> bool:
    """Whether a replay from the first stage on would find no video to read; storage in trouble is another matter."""
    try:
        asset_video_file(job.source_asset)
    except NotFoundError:
        return True
    except StorageError:
        return False
    return False


def _reuse_word(reused: int, units: int) -> str:
    if reused == units:
        return "reused"
    return f"{reused} of {plural(units, 'chunk')} reused" if reused else "runs"


def _context(
    request: HttpRequest, job: DetectJob, node_text: str, *, start: str = "", sent: SentOptions | None = None
) -> dict[str, Any]:
    tree = job_tree(job.id)
    assert tree is not None
    pipeline = load_pipeline(job.pipeline)
    stages = [stage.name for stage in pipeline.stages]
    drawing = draw_tree(tree, stages)
    node = next((node for node in tree.nodes if str(node["id"]) == node_text), None) if node_text else None
    if node_text and node is None:
        raise Http404(f"there is no checkpoint {node_text[:40]} in this tree")
    context = {
        "job": job,
        "name": job_name(job),
        "facts": job_facts(job),
        "asker": asker(job),
        "actions": actions_for(job),
        "drawing": drawing,
        "lanes": drawing.lanes,
        "mark": accepted_mark(job.source_asset_id),
        "stars": [dot for lane in drawing.lanes for dot in lane.dots if dot.star],
        "chosen": next((dot for lane in drawing.lanes for dot in lane.dots if str(dot.id) == node_text), None),
        "tries": plural(len(tree.jobs) - 1, "replay") if len(tree.jobs) > 1 else "no replay yet",
        "left": tree.root_id,
        "right": job.id if job.id != tree.root_id else max(tree.jobs, key=lambda one: one["created_at"])["id"],
        "first_stage": stages[0],
        "here": "jobs",
        **abilities(request),
    }
    beginning = start == stages[0] or request.GET.get("from") == stages[0]
    if node is not None or beginning:
        context |= _panel(pipeline, tree, node, job, start, sent)
    return context


def _panel(
    pipeline: Pipeline,
    tree: JobTree,
    node: dict[str, Any] | None,
    job: DetectJob,
    start: str,
    sent: SentOptions | None,
) -> dict[str, Any]:
    """A checkpoint and the replay that begins behind it; without one, a replay from the first stage."""
    owner = job if node is None or node["job_id"] == job.id else _find(node["job_id"])
    after = 0 if node is None else min(node["stage_index"] + 1, len(pipeline.stages) - 1)
    index = next((number for number, stage in enumerate(pipeline.stages) if stage.name == start), after)
    return {
        "node": node,
        "node_word": "" if node is None else stage_word(node["stage"]),
        "node_when": "" if node is None else when(node["created_at"]),
        "node_differences": [] if node is None else differences(node["own_overrides"]),
        "owner": owner,
        "owner_word": job_word(owner),
        "owner_done": owner.status == JobStatus.COMPLETED,
        "video_gone": node is None and _video_is_gone(job),
        "expectation": None if node is None else expectation_of(node["id"]),
        "start_stage": pipeline.stages[index].name,
        "start_word": stage_word(pipeline.stages[index].name),
        "groups": option_groups(pipeline.stages[index:], _snapshot(owner, pipeline), sent),
        "others": [
            {"id": one["id"], "word": f"{one['run_type']} of {when(one['created_at'])}"}
            for one in tree.jobs
            if one["id"] != owner.id
        ],
    }
