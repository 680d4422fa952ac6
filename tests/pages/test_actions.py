"""Buttons of jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jobs.choices import JobStatus, RunType
from jobs.models import DetectJob
from jobs.pages.shown import ACTIONS
from mediaproc.roles import Role
from tests.pages.text import words


def press(browser: Client, job: DetectJob, action: str, **fields: Any) -> Any:
    answer = browser.post(f"/jobs/{job.id}/act", {"action": action, "next": f"/jobs/{job.id}", **fields}, follow=True)
    job.refresh_from_db()
    return answer


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [
        (JobStatus.RUNNING, "pause", JobStatus.PAUSED),
        (JobStatus.PENDING, "pause", JobStatus.PAUSED),
        (JobStatus.PAUSED, "resume", JobStatus.PENDING),
        (JobStatus.FAILED, "resume", JobStatus.PENDING),
        (JobStatus.RUNNING, "cancel", JobStatus.CANCELLED),
    ],
)
def test_a_job_changes_its_state(operator, make_job, workers, before, action, after):
    job = make_job(status=before, task_id="t")
    answer = press(operator, job, action, confirmed="yes")
    assert job.status == after
    assert answer.redirect_chain == [(f"/jobs/{job.id}", 302)]


def test_what_cannot_be_is_a_message(operator, make_job):
    job = make_job(status=JobStatus.CANCELLED)
    assert "only a paused or failed job can be resumed" in words(press(operator, job, "resume"))
    assert "There is no such action." in words(press(operator, job, "explode"))


def test_priority_up_and_down(operator, make_job):
    job = make_job(status=JobStatus.PAUSED)
    press(operator, job, "raise")
    press(operator, job, "raise")
    assert job.priority == 2
    assert "with priority 1" in words(press(operator, job, "lower"))


def test_a_job_that_waits_for_its_time_can_start_at_once(operator, make_job, workers):
    job = make_job(status=JobStatus.PENDING, task_id="t", scheduled_for=timezone.now() + timedelta(hours=3))
    assert "Start now" in words(operator.get(f"/jobs/{job.id}"))
    press(operator, job, "now")
    assert job.scheduled_for is None
    assert "Start now" not in words(operator.get(f"/jobs/{job.id}"))


@pytest.mark.parametrize("action", ["delete", "cancel"])
def test_what_cannot_be_taken_back_is_asked_first(operator, make_job, action):
    job = make_job(status=JobStatus.PAUSED)
    answer = press(operator, job, action)
    assert "Keep it" in words(answer)
    assert 'name="confirmed" value="yes"' in answer.content.decode()
    assert job.status == JobStatus.PAUSED


def test_delete_leads_to_the_list(operator, make_job):
    job = make_job()
    asked = {"action": "delete", "confirmed": "yes", "next": f"/jobs/{job.id}"}
    answer = operator.post(f"/jobs/{job.id}/act", asked)
    assert answer["Location"] == "/jobs"
    assert not DetectJob.objects.exists()


def test_a_cancelled_job_runs_again_as_a_new_one(operator, make_job, workers):
    job = make_job(status=JobStatus.CANCELLED, tags=["cup"], priority=4)
    answer = press(operator, job, "again")
    made = DetectJob.objects.exclude(id=job.id).get()
    assert answer.redirect_chain[-1][0] == f"/jobs/{made.id}"
    assert (made.parent_job_id, made.replay_from_stage, made.tags, made.priority) == (
        job.id,
        "extract_frames",
        ["cup"],
        4,
    )
    assert made.requested_by == "user:operator"


def test_retry_asks_about_what_is_undecided(operator, make_job, workers):
    job = make_job()
    press(operator, job, "retry")
    made = DetectJob.objects.exclude(id=job.id).get()
    assert (made.run_type, made.replay_from_stage, made.status) == (RunType.RETRY, "escalate_vlm", JobStatus.PENDING)


class TestMany:
    def test_each_is_done_and_what_cannot_be_is_told(self, operator, make_job):
        running, done = make_job(status=JobStatus.RUNNING), make_job(video_path="/v/done.mp4")
        answer = operator.post("/jobs/act", {"action": "pause", "ids": [running.id, done.id]}, follow=True)
        running.refresh_from_db()
        assert running.status == JobStatus.PAUSED
        assert "done.mp4: job" in words(answer)

    def test_none_chosen(self, operator):
        assert "tick some first" in words(operator.post("/jobs/act", {"action": "pause", "ids": ["x"]}, follow=True))

    def test_deleting_many_is_asked_with_their_names(self, operator, make_job):
        jobs = [make_job(video_path=f"/v/{number}.mp4") for number in range(3)]
        fields = {"action": "delete", "ids": [job.id for job in jobs]}
        asked = words(operator.post("/jobs/act", fields))
        assert "Delete 3 jobs? This cannot be taken back." in asked
        assert "2.mp4" in asked
        operator.post("/jobs/act", {**fields, "confirmed": "yes"})
        assert not DetectJob.objects.exists()


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_it_leads_nowhere_else(operator, make_job, target):
    job = make_job(status=JobStatus.PAUSED)
    assert operator.post(f"/jobs/{job.id}/act", {"action": "raise", "next": target})["Location"] == "/jobs"


def test_only_operators_act(client_of, make_job):
    job = make_job(status=JobStatus.RUNNING)
    assert client_of(Role.CURATOR).post(f"/jobs/{job.id}/act", {"action": "pause"}).status_code == 403
    job.refresh_from_db()
    assert job.status == JobStatus.RUNNING


def test_a_token_is_needed(django_user_model, make_job):
    job = make_job(status=JobStatus.RUNNING)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(django_user_model.objects.create_superuser("root"))
    assert browser.post(f"/jobs/{job.id}/act", {"action": "pause"}).status_code == 403


def test_every_state_has_buttons():
    assert set(ACTIONS) == set(JobStatus)
