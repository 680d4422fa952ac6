"""Asking for jobs and removing them, where workers, replays and other jobs are about."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from detect.errors import ConflictError
from detect.models import SourceAsset, StageOutput
from jobs.choices import JobStatus
from jobs.models import DetectJob, PitstopRun, WorkUnit
from jobs.pitstop import services
from jobs.pitstop.selectors import pitstop_job
from jobs.pitstop.services import pitstop_delete, pitstop_rezone
from jobs.services import Order
from tests.pitstop.building import build

pytestmark = pytest.mark.usefixtures("db", "places")

OTHER = {"name": "Box", "points": [[0.2, 0.2], [0.8, 0.2], [0.8, 0.9]]}


def hold(job: DetectJob, seconds: float) -> None:
    """As a worker that is at the job for so long."""
    until = timezone.now() + timedelta(seconds=seconds)
    WorkUnit.objects.create(
        job=job,
        stage="track_objects",
        stage_index=2,
        chunk=0,
        state="running",
        owner="elsewhere:1:1",
        leased_until=until,
    )


class TestDeleting:
    def test_a_worker_is_waited_for(self) -> None:
        job = build(status="running", stage="track_objects", timed=False)
        hold(job, 0.8)
        begun = time.monotonic()
        pitstop_delete(pitstop_job(job.id))
        assert time.monotonic() - begun >= 0.7
        assert not DetectJob.objects.exists() and not SourceAsset.objects.exists()

    def test_one_that_does_not_let_go_leaves_it_cancelled(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(services, "_LONGEST_WAIT", 0.3)
        job = build(status="running", stage="track_objects", timed=False)
        hold(job, 60)
        with pytest.raises(ConflictError, match="delete it in a moment"):
            pitstop_delete(pitstop_job(job.id))
        job.refresh_from_db()
        assert job.status == JobStatus.CANCELLED

    def test_its_replays_go_with_it(self, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> None:
        job = build()
        kept = build(name="unrelated").id
        below = _replay_of(job)
        below_that = _replay_of(below)
        with django_capture_on_commit_callbacks(execute=True):
            pitstop_delete(pitstop_job(job.id))
        assert [one.id for one in DetectJob.objects.all()] == [kept]
        assert not DetectJob.objects.filter(id__in=(below.id, below_that.id)).exists()
        assert list(PitstopRun.objects.values_list("job_id", flat=True)) == [kept]
        assert StageOutput.objects.filter(stage="encode_video").exclude(files=[]).count() == 1

    def test_the_video_stays_while_another_job_uses_it(self) -> None:
        job = build()
        other = _replay_of(job, parent_job=None)
        pitstop_delete(pitstop_job(job.id))
        assert SourceAsset.objects.count() == 1
        pitstop_delete(pitstop_job(other.id))
        assert not SourceAsset.objects.exists()

    def test_a_video_that_was_not_uploaded_is_kept(self) -> None:
        job = build()
        SourceAsset.objects.update(path="/videos/stop.mp4")
        pitstop_delete(pitstop_job(job.id))
        assert SourceAsset.objects.count() == 1


def _replay_of(job: DetectJob, **fields: object) -> DetectJob:
    values = {"source_asset": job.source_asset, "video_path": job.video_path, "pipeline": "pitstop", "parent_job": job}
    values |= {"profile_name": "pit_stop", "known_brands": bytes(job.known_brands), "status": "cancelled", **fields}
    values.setdefault("timeline", job.timeline)
    made: DetectJob = DetectJob.objects.create(**values)
    return made


class TestZones:
    def test_other_zones_need_what_was_tracked(self) -> None:
        early = build(name="early", status="failed", timed=False)
        with pytest.raises(ConflictError):
            pitstop_rezone(job=early, zones=[OTHER], order=Order())
        assert DetectJob.objects.count() == 1
