"""Asking for pit-stop jobs, with other zones too, and removing them with everything that is theirs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

import msgspec
from django.conf import settings
from django.db import transaction

from detect.config import resolve
from detect.errors import ConfigError, ConflictError, NotFoundError, StorageError
from detect.models import SourceAsset
from detect.options import Overrides, convert_options
from detect.registry import load_pipeline
from detect.stages.time_zones import TimeZones
from detect.stages.track_objects import TrackObjects
from detect.zones import Zone, check_zones
from jobs.assets.intake import UPLOADS_PREFIX, Intake, stored_key
from jobs.assets.sources import asset_delete
from jobs.choices import ENDED, PITSTOP
from jobs.lifecycle import job_cancel, job_delete
from jobs.locks import driven_in_foreground, request_lock
from jobs.models import DetectJob, PitstopRun
from jobs.pitstop.selectors import run_of
from jobs.services import Order, job_replay, job_submit
from jobs.work.units import held_elsewhere

PROFILE: Final = "pit_stop"

# a worker lets go within a second or two; the lease of one that vanished is longer
_LONGEST_WAIT = 30.0
_LOOK_EVERY = 0.2

Zones = Sequence[Zone] | Sequence[Mapping[str, Any]]


def pitstop_overrides(
    *,
    zones: Zones | None = None,
    threshold: float | None = None,
    profile: str = PROFILE,
    others: Overrides | None = None,
) -> Overrides:
    """The options of a job with these zones and threshold, the installation's where None, over ``others``, checked.

    Raises ``ConfigError`` naming what is wrong and what is allowed instead.
    """
    overrides: Overrides = {stage: dict(values) for stage, values in (others or {}).items()}
    tracking = overrides.setdefault(TrackObjects.name, {})
    if threshold is not None:
        tracking["confidence"] = threshold
    tracking.setdefault("confidence", settings.PITSTOP_YOLO_THRESHOLD)
    if zones is not None:
        overrides.setdefault(TimeZones.name, {}).update(_zones_option(zones))
    resolve(load_pipeline(PITSTOP), profile, overrides)
    return overrides


def pitstop_submit(
    *,
    intake: Intake,
    filename: str,
    series: str = "",
    race: str = "",
    notes: str = "",
    zones: Zones | None = None,
    threshold: float | None = None,
    profile: str = PROFILE,
    others: Overrides | None = None,
    go_on: bool = False,
    order: Order,
) -> DetectJob:
    """Make a job for a video that was taken in, with zones, threshold and options as :func:`pitstop_overrides` takes
    them. Each call makes its own, the same video or not, unless the order has an idempotency key that was used before,
    or the caller would rather ``go_on`` with one that did not finish.

    Raises ``ConfigError`` for options that are not valid and ``ConflictError`` for an idempotency key of another
    request; an asset that came in new for this is removed again then. Raises ``StorageError`` where it was deleted
    meanwhile.
    """
    asset, told = intake.asset, {"series": series, "race": race, "notes": notes, "input_filename": filename}
    if not go_on:  # without a key of its own a job that did not finish would be found for the same video
        order = replace(order, idempotency_key=order.idempotency_key or f"{PITSTOP}:{uuid4()}")
    try:
        overrides = pitstop_overrides(zones=zones, threshold=threshold, profile=profile, others=others)
        with request_lock(asset.sha256):
            if not SourceAsset.objects.filter(id=asset.id).exists():
                raise StorageError(f"{filename} was removed at the same moment: send it again")
            job = job_submit(
                asset=asset,
                video_path=asset.path,
                profile=profile,
                overrides=overrides,
                brands=None,
                pipeline_key=PITSTOP,
                order=order,
            ).job
            size = int(asset.probe.get("size_bytes", 0))
            run, _ = PitstopRun.objects.get_or_create(job=job, defaults={**told, "input_size_bytes": size})
            if any(getattr(run, name) != value for name, value in told.items()):
                raise ConflictError(
                    f"the idempotency key '{order.idempotency_key}' was used for another request, job {job.id}: use a "
                    "new one"
                )
    except (ConfigError, ConflictError):
        if intake.made:
            with suppress(ConflictError):  # somebody else has a use for it by now
                asset_delete(asset=asset)
        raise
    return job


def pitstop_rezone(*, job: DetectJob, zones: Zones, order: Order) -> DetectJob:
    """A replay of ``job`` that takes time in other zones; what was detected and tracked is used again.

    Raises ``ConfigError`` for zones that are not valid, ``ConflictError`` where the job did not get so far.
    """
    known = run_of(job)
    with transaction.atomic():
        replay = job_replay(
            parent=job,
            start_stage=TimeZones.name,
            overrides={TimeZones.name: _zones_option(zones)},
            order=order,
        )
        told = {name: getattr(known, name) for name in ("series", "race", "notes", "input_filename")}
        PitstopRun.objects.get_or_create(job=replay, defaults={**told, "input_size_bytes": known.input_size_bytes})
    return replay


def pitstop_delete(job: DetectJob) -> None:
    """Remove a job with the replays below it, their files, and the uploaded video where no other job uses it.

    What runs is cancelled and waited for. Raises ``ConflictError`` where a worker does not let go of it, or another
    replay was begun meanwhile, ``NotFoundError`` where it was deleted meanwhile, ``StorageError`` where storage cannot
    be reached; the job is still there then, unless it is gone.
    """
    doomed = _with_replays(job)
    for one in doomed:
        with suppress(ConflictError):  # it completes just now
            if one.status not in ENDED:
                job_cancel(one)
    for one in doomed:
        _wait_until_let_go(one)
    asset = job.source_asset
    try:
        with request_lock(asset.sha256):
            for one in reversed(doomed):
                job_delete(one)
            key = stored_key(asset.path)
            if key is not None and key.startswith(UPLOADS_PREFIX) and not asset.jobs.exists():
                asset_delete(asset=asset)
    except DetectJob.DoesNotExist as error:
        raise NotFoundError(f"There is no pit-stop job {job.id} any more.") from error


def _zones_option(zones: Zones) -> dict[str, Any]:
    option = {"zones": msgspec.to_builtins(zones)}
    check_zones(convert_options(load_pipeline(PITSTOP).stage(TimeZones.name), option).zones)
    return option


def _with_replays(job: DetectJob) -> list[DetectJob]:
    """A job and every replay below it, parents before children."""
    found, above = [job], [job.id]
    while above:
        below = list(DetectJob.objects.filter(parent_job_id__in=above).select_related("source_asset", "timeline"))
        found += below
        above = [one.id for one in below]
    return found


def _wait_until_let_go(job: DetectJob) -> None:
    until = time.monotonic() + _LONGEST_WAIT
    while any(held_elsewhere(job.id)) or driven_in_foreground(job.id):
        if time.monotonic() > until:
            raise ConflictError(f"job {job.id} was cancelled and is still being worked on: delete it in a moment")
        time.sleep(_LOOK_EVERY)
