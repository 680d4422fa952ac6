"""A job's page while there is no report."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jobs.choices import EventKind, JobStatus, UnitState
from jobs.events import event_append, log_append
from jobs.models import DetectJob, WorkUnit
from jobs.states import job_tell
from tests.pages.text import body, inline_parts, words
from tests.trees.made import matched_job


@pytest.fixture
def running(db):
    """A job with everything before ``escalate_vlm`` done."""
    return matched_job(status=JobStatus.RUNNING, task_id="t", current_stage="escalate_vlm", started_at=timezone.now())


def unit(job: DetectJob, chunk: int = 0, **fields: Any) -> WorkUnit:
    values = {"stage": "escalate_vlm", "stage_index": 6, "queue": "cloud", "state": UnitState.READY, **fields}
    return WorkUnit.objects.create(job=job, chunk=chunk, **values)


def read(browser: Client, job: DetectJob) -> str:
    return words(browser.get(f"/jobs/{job.id}"))


def test_stages_with_their_states(client, running, workers):
    workers("cpu", "cloud")
    unit(running, state=UnitState.RUNNING, owner="host:12:99", items_done=3, items_total=4)
    response = client.get(f"/jobs/{running.id}")
    page, text = body(response), words(response)
    assert page.count('class="stage done"') + page.count('class="stage reused"') == 6
    assert 'class="stage now" data-stage="escalate_vlm"' in page
    assert 'class="stage todo" data-stage="compile_report"' in page
    assert 'value="0.7500"' in page
    assert "host, process 12 · 3 of 4" in text
    assert inline_parts(response) == []


def test_chunks_and_who_is_at_them(client, running, workers):
    workers("cloud")
    unit(running, 0, state=UnitState.DONE)
    unit(running, 1, state=UnitState.RUNNING, owner="a:b:12:99", items_done=1, items_total=10)
    unit(running, 2, failures=1, error="it broke")
    text = read(client, running)
    assert "1 of 3 chunks done" in text
    assert "Chunk 1: 10 % on a:b, process 12" in text
    assert "Chunk 2 was tried 1 of 3 times and will be tried again: it broke" in text


def test_figures_brands_and_log_come_from_events(client, running, workers):
    job_tell(running.id, fps=3.25, seconds_left=65)
    event_append(job_id=running.id, kind=EventKind.BRAND, data={"brand_id": "", "name": "<Acme>", "confirmed": True})
    log_append(job_id=running.id, line="it <begins>", level="warning")
    running.refresh_from_db()
    response = client.get(f"/jobs/{running.id}")
    page, text = response.content.decode(), words(response)
    assert "1 min 05 s" in text
    assert "3.2" in text
    assert "&lt;Acme&gt;" in page
    assert "it &lt;begins&gt;" in page
    assert f'data-last="{running.last_event}"' in page


class TestWhyItWaits:
    def test_its_time_has_not_come(self, client, make_job):
        at = timezone.now() + timedelta(hours=3)
        text = read(client, make_job(status=JobStatus.PENDING, task_id="t", scheduled_for=at))
        assert f"scheduled for {at:%d %b}, {at:%H:%M} UTC" in text

    def test_there_is_no_worker(self, client, make_job, workers):
        assert "No worker is running" in read(client, make_job(status=JobStatus.PENDING, task_id="t"))

    def test_no_worker_takes_what_it_needs(self, client, running, workers):
        workers("cpu")
        unit(running)
        assert "manage.py worker --queues cloud" in read(client, running)

    def test_something_outside_is_down(self, client, running, workers):
        workers("cloud")
        unit(running, error="the bucket is away", not_before=timezone.now())
        assert "waits until it can go on: the bucket is away" in read(client, running)

    def test_others_come_first(self, client, make_job, workers):
        workers("cpu")
        make_job(status=JobStatus.RUNNING, priority=5)
        assert "1 job before it is being worked on" in read(client, make_job(status=JobStatus.PENDING, task_id="t"))

    def test_it_belongs_to_a_command(self, client, make_job):
        assert "given to no worker" in read(client, make_job(status=JobStatus.PENDING))

    @pytest.mark.parametrize("status", [JobStatus.PAUSED, JobStatus.FAILED, JobStatus.CANCELLED])
    def test_a_job_that_does_not_run_waits_for_nothing(self, client, make_job, status):
        assert "Why it waits" not in read(client, make_job(status=status, task_id="t"))


def test_a_failure_with_chunk_attempts_and_advice(operator, running, workers):
    unit(running, 4, state=UnitState.FAILED, failures=3, error="no such file: match.mp4")
    running.status = JobStatus.FAILED
    running.save()
    text = read(operator, running)
    assert "Ask local model, chunk 4, after 3 attempts" in text
    assert "Put the video back" in text
    assert "Resume" in text


def test_buttons_are_for_operators(client, operator, make_job):
    job = make_job(status=JobStatus.PAUSED)
    assert 'value="resume"' not in body(client.get(f"/jobs/{job.id}"))
    assert 'value="resume"' in body(operator.get(f"/jobs/{job.id}"))


def test_many_chunks_cost_no_more_queries(client, running, workers, django_assert_max_num_queries):
    for chunk in range(200):
        unit(running, chunk)
    with django_assert_max_num_queries(12):
        client.get(f"/jobs/{running.id}")


def test_two_frames_to_recognise_it_by_once_there_are_frames(client, running, workers):
    address = f"/jobs/{running.id}"
    assert f"{address}/frames/" not in body(client.get(address))
    running.timeline.frames_meta = [{"sequence": number, "timestamp": number / 2} for number in range(5, 35)]
    running.timeline.save()
    page = body(client.get(address))
    assert f'src="{address}/frames/15.jpg"' in page
    assert f'src="{address}/frames/25.jpg"' in page
