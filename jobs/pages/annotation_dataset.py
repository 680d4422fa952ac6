"""A dataset's page: its videos, looking for them again, and asking for a batch over them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from detect.errors import MediaprocError, NotFoundError
from jobs.annotation.batches import VideoWanted, batch_submit
from jobs.annotation.datasets import dataset_find, dataset_videos
from jobs.annotation.records import Dataset, DatasetVideo
from jobs.annotation.scanning import dataset_scan
from jobs.exports.words import length, plural
from jobs.pages.annotation import page_address, page_number
from jobs.pages.annotation_form import Sent, read_pipelines
from jobs.pages.annotation_launch import Offered, asked_of, launch_context, preset_filled
from jobs.pages.annotation_shown import batch_row, counted, sentence, size_words
from jobs.pages.query import text_of
from jobs.pages.shown import abilities, when
from mediaproc.principal import principal_of

_VIDEOS_PER_PAGE = 300
_MOST_VIDEOS = 10_000
_SHOWN_BATCHES = 10
_MOST_TAGS, _LONGEST_TAG = 50, 100


@require_http_methods(["GET", "HEAD", "POST"])
def dataset_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """The videos with the form; what was sent, when something in it cannot be used; the batch once it is made."""
    dataset, offered = found_dataset(dataset_id), Offered()
    data = request.POST
    if request.method != "POST" or "fill" in data:
        sent = preset_filled(offered.presets, text_of(data or request.GET, "preset"))
        return render(request, "annotation/dataset.html", _context(request, dataset, sent, offered, {}))
    sent = read_pipelines(offered.states, data)
    videos = _chosen(dataset, data)
    tags = [tag for part in text_of(data, "tags").split(",") if (tag := part.strip())]
    errors = _errors(sent, videos, tags)
    if not errors and not sent.errors:
        preset, overrides = asked_of(text_of(data, "preset"), sent, offered)
        try:
            job = batch_submit(
                dataset=dataset,
                videos=[VideoWanted(video.path, video.duration) for video in videos],
                preset=preset,
                overrides=overrides,
                tags=tags,
                requested_by=principal_of(request).name,
            )
        except MediaprocError as error:
            errors["form"] = sentence(error.message)
        else:
            messages.success(request, "The batch is made: this page follows it.")
            return redirect("batch-page", job.id)
    return render(request, "annotation/dataset.html", _context(request, dataset, sent, offered, errors), status=400)


@require_POST
def scan(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """Look for videos in a dataset's folder; leads back to its page, which says what was found."""
    dataset = found_dataset(dataset_id)
    try:
        dataset_scan(dataset=dataset)
    except MediaprocError as error:
        messages.error(request, sentence(error.message))
    else:
        wrong = dataset.videos.exclude(problem="").count()
        told = f", and {plural(wrong, 'file')} that cannot be used" if wrong else ""
        messages.success(request, f"Found {plural(dataset.videos.filter(problem='').count(), 'video')}{told}.")
    return redirect("batch-dataset", dataset.id)


def found_dataset(dataset_id: UUID) -> Dataset:
    try:
        return dataset_find(dataset_id)
    except NotFoundError as error:
        raise Http404(error.message) from error


def _chosen(dataset: Dataset, data: QueryDict) -> list[DatasetVideo]:
    """The ticked videos, or all that fit the search; what cannot be used is left out."""
    usable = dataset_videos(dataset).filter(problem="")
    if data.get("everything") == "yes":
        return list(_searched(usable, text_of(data, "search"))[: _MOST_VIDEOS + 1])
    ids = [int(text) for text in data.getlist("videos") if text.isascii() and text.isdigit() and len(text) < 19]
    return list(usable.filter(id__in=ids))


def _errors(sent: Sent, videos: Sequence[DatasetVideo], tags: Sequence[str]) -> dict[str, str]:
    errors = {}
    if not videos:
        errors["videos"] = "Tick at least one video."
    if len(videos) > _MOST_VIDEOS:
        errors["videos"] = f"A batch has at most {_MOST_VIDEOS:,} videos: search for some of them first."
    if not sent.chosen:
        errors["pipelines"] = "Tick at least one pipeline."
    if len(tags) > _MOST_TAGS or any(len(tag) > _LONGEST_TAG for tag in tags):
        errors["tags"] = f"At most {_MOST_TAGS} tags of {_LONGEST_TAG} letters."
    return errors


def _context(
    request: HttpRequest, dataset: Dataset, sent: Sent, offered: Offered, errors: dict[str, str]
) -> dict[str, Any]:
    data = request.POST if request.method == "POST" else request.GET
    search = text_of(data, "search")
    videos = _searched(dataset_videos(dataset), search)
    counts = videos.aggregate(
        all=Count("id"), usable=Count("id", filter=Q(problem="")), seconds=Sum("duration", filter=Q(problem=""))
    )
    number, last = page_number(text_of(data, "page"), counts["all"], _VIDEOS_PER_PAGE)
    ticked = set(data.getlist("videos"))
    shown = videos[(number - 1) * _VIDEOS_PER_PAGE : number * _VIDEOS_PER_PAGE]
    return {
        "dataset": dataset,
        "scanned": when(dataset.scanned_at),
        "videos": [_video_row(video, ticked) for video in shown],
        "total": counts["all"],
        "usable": counts["usable"],
        "unusable": counts["all"] - counts["usable"],
        "length": length(counts["seconds"]) if counts["seconds"] else "",
        "search": search,
        "everything": data.get("everything") == "yes",
        "number": number,
        "last": last,
        "newer": page_address(search=search, page=number - 1) if number > 1 else "",
        "older": page_address(search=search, page=number + 1) if number < last else "",
        "tags": text_of(data, "tags"),
        "errors": errors,
        "wrong": bool(errors or sent.errors),
        "rows": [batch_row(job) for job in counted(dataset.annotation_jobs.select_related("dataset"))[:_SHOWN_BATCHES]],
        "here": "batches",
        **launch_context(sent, offered, preset=text_of(data, "preset")),
        **abilities(request),
    }


def _searched(videos: QuerySet[DatasetVideo], search: str) -> QuerySet[DatasetVideo]:
    for word in search.split():
        videos = videos.filter(path__icontains=word)
    return videos


def _video_row(video: DatasetVideo, ticked: set[str]) -> dict[str, Any]:
    path = PurePosixPath(video.path)
    has = [word for word, there in (("pictures", video.has_pictures), ("sound", video.has_sound)) if there]
    return {
        "id": video.id,
        "name": path.name,
        "folder": "" if str(path.parent) == "." else f"{path.parent}/",
        "length": length(video.duration) if video.duration else "",
        "size": size_words(video.size_bytes),
        "has": " and ".join(has) if len(has) > 1 else f"{has[0]} only" if has else "",
        "problem": sentence(video.problem) if video.problem else "",
        "ticked": str(video.id) in ticked,
    }
