"""The result that counts for a video."""

from __future__ import annotations

import logging
from collections import defaultdict
from uuid import UUID

from django.db import Error, transaction
from django.utils import timezone

from brands.actions.base import decisions_hold
from brands.live import announce_results
from brands.models import BrandAppearance, ReviewItem
from brands.review.grouping import groups_forget_empty
from brands.review.items import Picture, pictures_of, result_record
from brands.review.settling import groups_settle_quietly
from detect.errors import ConflictError, MediaprocError
from detect.exports.crops import crop_image, on_frames
from detect.models import SourceAsset
from detect.providers.crops import look
from detect.registry import load_pipeline, report_pipelines
from detect.report import Report
from detect.stages.base import Image
from jobs.choices import JobStatus, RunType
from jobs.models import AcceptedResult, DetectJob
from jobs.results.concerns import decisions_concern
from jobs.selectors import job_frames, job_report

logger = logging.getLogger(__name__)

#: Where what is known of brands comes in: an update begins here.
FIRST_STAGE = "match_brands"


def result_accept(*, job: DetectJob, by: str) -> AcceptedResult:
    """Make a finished job the result that counts for its video; the one before stays as it is, to go back to.

    Raises ``ConflictError`` for a job that has no report. What it shows follows at once, or with the next housekeeping
    where that cannot be done now.
    """
    if job.status != JobStatus.COMPLETED:
        raise ConflictError(f"job {job.id} is {job.status}: only a finished job can be the accepted result")
    if not load_pipeline(job.pipeline).gives_report:
        raise ConflictError(f"job {job.id} has no report of brands: it cannot be the accepted result")
    with transaction.atomic():
        result = _choose(job, by)
    _try_to_bring_in(result)
    return result


def result_replace(asset: SourceAsset) -> None:
    """Accept the newest finished job of a video that has lost its accepted one; without one, nothing of it counts.

    Inside the transaction that takes the job away.
    """
    finished = DetectJob.objects.filter(source_asset=asset, status=JobStatus.COMPLETED, pipeline__in=report_pipelines())
    newest = finished.order_by("-completed_at", "-created_at").first()
    if newest is not None:
        _choose(newest, "")
        job_id = newest.id
        transaction.on_commit(lambda: job_bring_in(job_id), robust=True)
        return
    decisions_hold()
    items = ReviewItem.objects.filter(source_asset=asset)
    groups = set(items.order_by().values_list("group_id", flat=True))
    items.delete()
    BrandAppearance.objects.filter(source_asset=asset).delete()
    groups_forget_empty(list(groups))
    groups_settle_quietly(groups)
    transaction.on_commit(announce_results)


def result_offer(job: DetectJob) -> None:
    """Accept a job that has just finished, where it is its video's first or a new initial run and nobody has chosen.

    Inside the transaction that finishes the job; its items follow by :func:`result_bring_in`.
    """
    present = AcceptedResult.objects.select_for_update().filter(source_asset_id=job.source_asset_id).first()
    if present is None or (job.run_type == RunType.INITIAL and not present.chosen_by):
        _choose(job, "")


def is_update(job: DetectJob, *, of: UUID) -> bool:
    """Whether a job is a replay that brings another one up to date, as ``updates.py`` makes them."""
    return job.parent_job_id == of and job.replay_from_stage == FIRST_STAGE and job.call_limit == 0


def result_bring_in(result: AcceptedResult) -> None:
    """Put what an accepted result shows before people and into the totals; one that is there already is left alone."""
    job = DetectJob.objects.select_related("source_asset", "timeline").filter(id=result.job_id).first()
    if job is None:
        return
    report = job_report(job)
    hashes = _hashes(job, report)
    with transaction.atomic():
        decisions_hold()  # one that is being made would otherwise see none of these, and they nothing of it
        held = AcceptedResult.objects.select_for_update().filter(id=result.id, job=job, recorded_at=None).first()
        if held is None:
            return
        result_record(asset=job.source_asset, report=report, hashes=hashes)
        decisions_concern(asset=job.source_asset, made=job.created_at)
        held.recorded_at = timezone.now()
        held.save(update_fields=["recorded_at"])
        transaction.on_commit(announce_results)


def results_bring_in(*, limit: int = 50) -> int:
    """Bring in what was accepted and is not there yet, as after a crash; how many that were."""
    waiting = list(AcceptedResult.objects.filter(recorded_at=None).order_by("accepted_at")[:limit])
    return sum(_try_to_bring_in(result) for result in waiting)


def job_bring_in(job_id: UUID) -> None:
    """Bring in a job's result if it was accepted; what goes wrong is logged, and tried again by housekeeping."""
    for result in AcceptedResult.objects.filter(job_id=job_id, recorded_at=None):
        _try_to_bring_in(result)


def _choose(job: DetectJob, by: str) -> AcceptedResult:
    now = timezone.now()
    held = AcceptedResult.objects.select_for_update(of=("self",)).select_related("job")
    present = held.filter(source_asset_id=job.source_asset_id).first()
    chosen = {"job": job, "chosen_by": by, "accepted_at": now, "recorded_at": None, "update": None}
    if present is not None and is_update(present.job, of=job.id):
        chosen["update"] = present.job  # gone back from it: what it changes is worked out
    result, _ = AcceptedResult.objects.update_or_create(source_asset_id=job.source_asset_id, defaults=chosen)
    return result


def _try_to_bring_in(result: AcceptedResult) -> bool:
    try:
        result_bring_in(result)
    except (Error, MediaprocError, OSError) as error:
        logger.warning("the result of job %s is not in the review yet: %s", result.job_id, error)
        return False
    return True


def _hashes(job: DetectJob, report: Report) -> dict[Picture, str]:
    """Perceptual hashes of what waits for people, 64 bits as hexadecimal; pictures that are gone have none."""
    wanted: defaultdict[int, list[Picture]] = defaultdict(list)
    for picture in pictures_of(report):
        wanted[picture[0]].append(picture)

    def looks(sequence: int, image: Image) -> list[tuple[Picture, str]]:
        found = []
        for picture in wanted[sequence]:
            try:
                crop = crop_image(image, picture[1], width=report.source.width, height=report.source.height)
            except ValueError as error:
                logger.debug("no picture of frame %d: %s", sequence, error)
                continue
            found.append((picture, f"{look(crop):016x}"))
        return found

    return dict(pair for _, found in on_frames(sorted(wanted), job_frames(job), looks) for pair in found or ())
