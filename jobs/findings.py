"""Brands as they turn up, told before the report is made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction

from detect.checkpoints import serde
from detect.checkpoints.store import OutputRef
from detect.matching import NameIndex
from detect.persistence import DatabaseCheckpointStore
from detect.runner import StageRun
from detect.types import KnownBrands
from jobs.choices import EventKind, JobStatus
from jobs.events import event_append
from jobs.models import DetectJob, JobEvent

_LEAST_CONFIDENCE = 0.8
_LEAST_SIMILARITY = 0.9


def findings_tell(job_id: UUID, run: StageRun, ref: OutputRef) -> None:
    """Tell which brands a unit's output shows that were not told before: once for each brand of a job.

    What a stage detected counts as it is. Where it only read texts, those that plainly are a known name are told: the
    report decides later, and strictly. A pipeline without a report looks for no brands; its tracks are no texts.
    """
    if not run.runner.pipeline.gives_report:
        return
    fields = {field.name for field in msgspec.structs.fields(run.stage.Output)}
    if not fields & {"detections", "tracks"}:
        return
    output = serde.unpack(DatabaseCheckpointStore().load_output(ref.key), run.stage.Output)
    known = run.request.known_brands
    names = (
        {found.brand for found in output.detections}
        if "detections" in fields
        else set(_plainly_read(output.tracks, known))
    )
    if names:
        _tell_new(job_id, names, {brand.name: brand.brand_id for brand in known.brands if brand.confirmed})


def _plainly_read(tracks: Iterable[Any], known: KnownBrands) -> Iterable[str]:
    index = NameIndex(known.brands)
    for track in tracks:
        best = track.readings[0] if track.readings else None
        if best is not None and best.confidence >= _LEAST_CONFIDENCE:
            match = index.match(best.text, min_similarity=_LEAST_SIMILARITY, allow_partial=False)
            if match is not None:
                yield match.brand


@transaction.atomic
def _tell_new(job_id: UUID, names: set[str], confirmed: dict[str, str]) -> None:
    job = DetectJob.objects.select_for_update().filter(id=job_id, status=JobStatus.RUNNING).first()
    if job is None:
        return
    told = set(JobEvent.objects.filter(job_id=job_id, kind=EventKind.BRAND).values_list("data__name", flat=True))
    for name in sorted(names - told):
        data = {"brand_id": confirmed.get(name, ""), "name": name, "confirmed": name in confirmed}
        event_append(job_id=job_id, kind=EventKind.BRAND, data=data)
    DetectJob.objects.filter(id=job_id).update(brands_found=len(names | told))
