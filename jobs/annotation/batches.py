"""Asking for a batch, and calling it off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import PurePosixPath
from typing import Any

import msgspec
from django.db import transaction

from detect.config import resolve
from detect.errors import ConfigError, ConflictError, MediaprocError, NotFoundError
from detect.registry import Pipeline, load_pipeline
from jobs.annotation.catalog import require_available
from jobs.annotation.conducting import REQUESTED_BY, batch_end
from jobs.annotation.datasets import dataset_video
from jobs.annotation.outputs import LONGEST_NAME, MANIFEST, output_key
from jobs.annotation.presets import batch_overrides, resolve_batch
from jobs.annotation.records import (
    AnnotationJob,
    AnnotationRun,
    AnnotationVideo,
    ArtifactFile,
    Dataset,
    DatasetVideo,
)
from jobs.annotation.selectors import pipelines_of
from jobs.annotation.states import ENDED, BatchState
from jobs.annotation.tasks import tasks_announce
from jobs.choices import ENDED as JOB_ENDED
from jobs.engine import engine_resources
from jobs.lifecycle import job_cancel, job_delete
from jobs.locks import request_lock
from jobs.made_files import folder_remove
from jobs.models import DetectJob

#: Whose versions decide what comes out, besides our own code.
_SOFTWARE = (
    "av",
    "ctranslate2",
    "faster-whisper",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "openvino",
    "rapidocr",
    "scenedetect-headless",
    "torch",
    "ultralytics-opencv-headless",
)


_ROWS_AT_ONCE = 1000
#: Of a folder's name, for the number that tells it from others.
_NUMBER_BYTES = 8


@dataclass(frozen=True)
class VideoWanted:
    """A video of a dataset, by its path there; ``duration`` in seconds as the client knows it."""

    path: str
    duration: float | None = None


def batch_submit(
    *,
    dataset: Dataset,
    videos: Sequence[VideoWanted],
    preset: str = "",
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    tags: Sequence[str] = (),
    requested_by: str = "",
    idempotency_key: str = "",
) -> AnnotationJob:
    """Have workers run pipelines over videos. Every name and value is checked before a row is written.

    With ``idempotency_key`` the same request of the same ``requested_by`` is the same batch. Raises ``ConfigError`` for
    unknown presets, pipelines, parameters and values and for pipelines that cannot run here, ``RootError`` and
    ``NotFoundError`` for videos that are not in the dataset, ``ConflictError`` for a key that was used for another
    request.
    """
    chosen = resolve_batch(preset, {key: dict(values) for key, values in (overrides or {}).items()})
    require_available(chosen)
    found = [_video(dataset, wanted) for wanted in videos]
    _check_videos(videos, found, chosen)
    asked = {"preset": preset, "overrides": overrides or {}, "tags": list(dict.fromkeys(tags))}
    with request_lock(msgspec.json.encode([requested_by, idempotency_key]).hex()):
        if idempotency_key:
            earlier = AnnotationJob.objects.filter(requested_by=requested_by, idempotency_key=idempotency_key).first()
            if earlier is not None:
                _check_same(earlier, dataset, videos, asked)
                return earlier
        job = AnnotationJob.objects.create(
            dataset=dataset,
            configuration=configuration_of(chosen),
            requested_by=requested_by,
            idempotency_key=idempotency_key,
            **asked,
        )
        _create_runs(job, videos, found, list(chosen))
        tasks_announce()
    return job


def batch_cancel(job: AnnotationJob) -> AnnotationJob:
    """End a batch; what it has finished is kept. Cancelled already, it stays so.

    Raises ``ConflictError`` for one that has ended otherwise.
    """
    with transaction.atomic():
        now = AnnotationJob.objects.select_for_update(of=("self",)).select_related("dataset").get(id=job.id)
        if now.state == BatchState.CANCELED:
            return now
        if now.state in ENDED:
            raise ConflictError(f"job {job.id} has {now.state}: it cannot be canceled any more")
        batch_end(now, BatchState.CANCELED)
    for engine_job in DetectJob.objects.filter(requested_by=f"{REQUESTED_BY}{now.id}").exclude(status__in=JOB_ENDED):
        with suppress(ConflictError):  # it has completed by now
            job_cancel(engine_job)
    return now


def batch_delete(job: AnnotationJob) -> None:
    """Remove a batch with its files, and the engine's jobs that it asked for.

    Those out of which reports of brands come stay: what people decided stands on them. Raises ``ConflictError`` for a
    batch that has not ended.
    """
    with transaction.atomic():
        now = AnnotationJob.objects.select_for_update(of=("self",)).get(id=job.id)
        if now.state not in ENDED:
            raise ConflictError(f"job {job.id} is {now.state}: cancel it first")
        ArtifactFile.objects.filter(run__video__job=now).delete()
    folder_remove(output_key(job.id, ""))
    # the batch goes last: where one of these cannot be, or its process dies, it can be deleted once more
    for engine_job in DetectJob.objects.filter(annotation_runs__video__job=now).select_related("source_asset"):
        if not _gives_report(engine_job):
            with suppress(ConflictError):  # others are replays of it
                job_delete(engine_job)
    now.delete()


def batch_again(job: AnnotationJob, *, requested_by: str) -> AnnotationJob:
    """The same videos with the same parameters once more: the same files come out of it, and what is stored is reused.

    Raises what :func:`batch_submit` raises.
    """
    return batch_submit(
        dataset=job.dataset,
        videos=[VideoWanted(video.path, video.duration) for video in job.videos.all()],
        overrides={key: job.configuration["pipelines"][key]["params"] for key in pipelines_of(job)},
        tags=job.tags,
        requested_by=requested_by,
    )


def _gives_report(engine_job: DetectJob) -> bool:
    """Whether people may have decided on what it found: not known of a pipeline that is gone, and so to be kept."""
    try:
        return load_pipeline(engine_job.pipeline).gives_report
    except ConfigError:
        return True


def configuration_of(chosen: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What pipelines run with, to the last option and the digest of each model, and which software it is."""
    return {
        "pipelines": {key: _resolved(load_pipeline(key), values) for key, values in chosen.items()},
        "software": {name: _version(name) for name in _SOFTWARE},
    }


def _resolved(pipeline: Pipeline, values: Mapping[str, Any]) -> dict[str, Any]:
    profile, overrides = batch_overrides(pipeline, values)
    config = resolve(pipeline, profile, overrides)
    return {
        "version": pipeline.version,
        "params": dict(values),
        "profile": profile,
        "overrides": overrides,
        "options": config.snapshot(),
        "models": models_used(pipeline, config.options),
    }


def models_used(pipeline: Pipeline, options: Mapping[str, Any]) -> dict[str, list[str]]:
    """Digests of the models that each stage would use now; stages without any are left out."""
    resources = engine_resources()
    digests = {stage.name: stage.model_digests(options[stage.name], resources) for stage in pipeline.stages}
    return {name: list(found) for name, found in digests.items() if found}


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _video(dataset: Dataset, wanted: VideoWanted) -> DatasetVideo | None:
    """What is known of a video; None for a file that is there and cannot be read, which is told when it is its turn."""
    try:
        return dataset_video(dataset, wanted.path)
    except NotFoundError:
        raise
    except MediaprocError as error:
        if getattr(error, "status", None) == 403:
            raise
        return None


def _check_videos(
    videos: Sequence[VideoWanted], found: Sequence[DatasetVideo | None], chosen: Mapping[str, object]
) -> None:
    if not videos:
        raise ConfigError("videos: name at least one")
    if len({video.path for video in videos}) != len(videos):
        raise ConfigError("videos: one of them is named twice")
    for wanted, video in zip(videos, found, strict=True):
        if video is not None and not video.problem and not any(_suits(load_pipeline(key), video) for key in chosen):
            raise ConfigError(f"'{wanted.path}' has no pictures, and all of these need some: {', '.join(chosen)}")


def _suits(pipeline: Pipeline, video: DatasetVideo) -> bool:
    return video.has_pictures or "pictures" not in pipeline.inputs


def _check_same(
    earlier: AnnotationJob, dataset: Dataset, videos: Sequence[VideoWanted], asked: Mapping[str, Any]
) -> None:
    before = (earlier.dataset_id, [video.path for video in earlier.videos.all()])
    same = all(getattr(earlier, name) == value for name, value in asked.items())
    if before != (dataset.id, [video.path for video in videos]) or not same:
        raise ConflictError(
            f"the idempotency key '{earlier.idempotency_key}' was used for another request, job {earlier.id}: use a "
            "new one"
        )


def _create_runs(
    job: AnnotationJob, videos: Sequence[VideoWanted], found: Sequence[DatasetVideo | None], pipelines: Sequence[str]
) -> None:
    folders = {MANIFEST}
    rows = [
        AnnotationVideo(
            job=job,
            position=position,
            path=wanted.path,
            folder=_folder(wanted.path, folders),
            duration=known.duration if known is not None and known.duration else wanted.duration,
        )
        for position, (wanted, known) in enumerate(zip(videos, found, strict=True))
    ]
    AnnotationVideo.objects.bulk_create(rows, batch_size=_ROWS_AT_ONCE)
    runs: list[AnnotationRun] = []
    for video, known in zip(rows, found, strict=True):
        suited = [key for key in pipelines if known is None or known.problem or _suits(load_pipeline(key), known)]
        runs += [AnnotationRun(video=video, pipeline=key, position=number) for number, key in enumerate(suited)]
    AnnotationRun.objects.bulk_create(runs, batch_size=_ROWS_AT_ONCE)


def _folder(path: str, taken: set[str]) -> str:
    """The video's name as disks and archives take it, with a number where another video of the batch has the same."""
    written = "".join(letter if letter.isprintable() and letter != "\\" else "_" for letter in PurePosixPath(path).name)
    name = written.encode()[: LONGEST_NAME - _NUMBER_BYTES].decode(errors="ignore")
    folder, number = name, 2
    while folder.casefold() in taken:
        folder, number = f"{name}-{number}", number + 1
    taken.add(folder.casefold())
    return folder
