"""A batch's grid: a row for each video, a cell for each pipeline."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from django.db.models import Count, Prefetch, QuerySet, Sum

from jobs.annotation.records import AnnotationJob, AnnotationRun, AnnotationVideo, ArtifactFile
from jobs.annotation.selectors import pipelines_of
from jobs.annotation.states import ENDED, BatchState
from jobs.exports.words import length, percent, plural
from jobs.pages.annotation import page_address, page_number
from jobs.pages.annotation_shown import pipeline_word, size_words, state_tag

_VIDEOS_PER_PAGE = 100
_FAILED = "failed"


def grid(job: AnnotationJob, *, page: str, show: str) -> dict[str, Any]:
    """What the grid in ``templates/annotation/batch.html`` shows, a page of it; ``show`` is ``failed`` or empty."""
    videos = job.videos.order_by("position")
    failed = videos.filter(state=BatchState.FAILED)
    failed_count = failed.count()
    show = _FAILED if show == _FAILED and failed_count else ""
    found = failed if show else videos
    total = found.count()
    number, last = page_number(page, total, _VIDEOS_PER_PAGE)
    keys = pipelines_of(job)
    shown = _with_runs(found)[(number - 1) * _VIDEOS_PER_PAGE : number * _VIDEOS_PER_PAGE]
    return {
        "columns": [{"key": key, "label": pipeline_word(key)} for key in keys],
        "videos": [_row(video, keys) for video in shown],
        "show": show,
        "failed_videos": failed_count,
        "number": number,
        "last": last,
        "newer": page_address(show=show, page=number - 1) if number > 1 else "",
        "older": page_address(show=show, page=number + 1) if number < last else "",
    }


def files_of(job: AnnotationJob) -> tuple[int, str]:
    """How many files there are so far, and how large they are together."""
    files = ArtifactFile.objects.filter(run__video__job=job).aggregate(count=Count("id"), size=Sum("size_bytes"))
    return files["count"], size_words(files["size"] or 0)


def _with_runs(videos: QuerySet[AnnotationVideo]) -> QuerySet[AnnotationVideo]:
    runs = AnnotationRun.objects.order_by("position").annotate(file_count=Count("artifacts"))
    return videos.prefetch_related(Prefetch("runs", queryset=runs.select_related("detect_job")))


def _row(video: AnnotationVideo, keys: list[str]) -> dict[str, Any]:
    path = PurePosixPath(video.path)
    runs = {run.pipeline: run for run in video.runs.all()}
    done = any(run.state == BatchState.SUCCEEDED for run in runs.values())
    return {
        "position": video.position,
        "name": path.name,
        "folder": "" if str(path.parent) == "." else f"{path.parent}/",
        "length": length(video.duration) if video.duration else "",
        "tag": state_tag(video.state, partly=done),
        "cells": [_cell(runs.get(key), pipeline_word(key)) for key in keys],
    }


def _cell(run: Any, label: str) -> dict[str, Any]:
    """One pipeline over one video; a video that does not suit the pipeline has no run of it."""
    if run is None:
        return {"label": label, "state": "none"}
    return {
        "label": label,
        "key": run.pipeline,
        "state": run.state,
        "tag": state_tag(run.state),
        "share": "" if run.state in ENDED or run.state == BatchState.QUEUED else f"{run.progress:.4f}",
        "percent": percent(run.progress),
        "stage": run.detect_job.current_stage.replace("_", " ") if run.detect_job and run.state not in ENDED else "",
        "error": run.error,
        "files": plural(run.file_count, "file") if run.file_count else "",
        "detect_job": run.detect_job_id,
    }
