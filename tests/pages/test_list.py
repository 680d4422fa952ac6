"""The list of jobs: filters, counts, pages, order."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from brands.models import Source, SourceBrandSighting
from brands.services import brand_get_or_create
from jobs.choices import JobStatus, RunType
from jobs.models import DetectJob
from tests.pages.text import body, inline_parts, words


def shown(response: Any) -> list[str]:
    """Names of the videos in the list, in its order."""
    return re.findall(r'class="job-name" href="[^"]*">([^<]*)</a>', body(response))


def counts(response: Any) -> dict[str, int]:
    return {name: int(number) for name, number in re.findall(r"(\w+) <b>(\d+)</b></a>", body(response))}


@pytest.fixture
def some_jobs(make_job):
    make_job(video_path="/v/final.mp4", tags=["cup"], brands_found=3)
    make_job(
        video_path="/v/race.mp4", status=JobStatus.RUNNING, profile_name="motorsport", progress=0.5, brands_found=1
    )
    make_job(video_path="/v/old.mp4", status=JobStatus.FAILED, error_message="no room", run_type=RunType.REPLAY)
    DetectJob.objects.filter(video_path="/v/old.mp4").update(created_at=timezone.now() - timedelta(days=10))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status=running", ["race.mp4"]),
        ("status=running&status=failed", ["race.mp4", "old.mp4"]),
        ("profile=motorsport", ["race.mp4"]),
        ("run_type=replay", ["old.mp4"]),
        ("tag=cup", ["final.mp4"]),
        ("search=FINAL", ["final.mp4"]),
        ("search=nothing", []),
        ("ordering=created_at", ["old.mp4", "final.mp4", "race.mp4"]),
        ("ordering=-brands_found", ["final.mp4", "race.mp4", "old.mp4"]),
        ("status=nonsense", ["race.mp4", "final.mp4", "old.mp4"]),
        ("page=77", ["race.mp4", "final.mp4", "old.mp4"]),
        ("page=x", ["race.mp4", "final.mp4", "old.mp4"]),
    ],
)
def test_filters_are_in_the_address(client, some_jobs, query, names):
    assert shown(client.get(f"/jobs?{query}")) == names


def test_days_include_both_ends(client, some_jobs):
    today, then = timezone.now().date(), timezone.now().date() - timedelta(days=10)
    assert shown(client.get(f"/jobs?from={today}&to={today}")) == ["race.mp4", "final.mp4"]
    assert shown(client.get(f"/jobs?to={then}")) == ["old.mp4"]
    assert "'soon' is not a date" in words(client.get("/jobs?from=soon"))


def test_a_brand_seen_in_the_video(client, make_job):
    job = make_job(video_path="/v/seen.mp4")
    brand = brand_get_or_create(name="Acme", source=Source.OCR)
    SourceBrandSighting.objects.create(
        source_asset=job.source_asset,
        brand=brand,
        brand_name="Acme",
        first_seen_timestamp=0,
        last_seen_timestamp=1,
        occurrences=1,
        detection_source=Source.OCR,
        avg_confidence=0.9,
    )
    assert shown(client.get("/jobs?brand=acme")) == ["seen.mp4"]
    assert shown(client.get("/jobs?brand=globex")) == []


def test_counts_by_state_follow_the_other_filters(client, some_jobs):
    assert counts(client.get("/jobs?status=failed")) == {
        "All": 3,
        "Pending": 0,
        "Running": 1,
        "Paused": 0,
        "Completed": 1,
        "Failed": 1,
        "Cancelled": 0,
    }
    assert counts(client.get("/jobs?profile=motorsport"))["All"] == 1


def test_pages_keep_the_filters(client, make_job):
    for _ in range(27):
        make_job(status=JobStatus.PENDING, tags=["many"])
    page = body(client.get("/jobs?tag=many"))
    assert 'rel="next" href="?tag=many&page=2"' in page
    assert "Page 1 of 2" in page


@pytest.mark.parametrize("text", ["%00", "%27%22%3E%3Cscript%3E", "%F0%9F%8F%81", "a" * 3000])
@pytest.mark.parametrize("name", ["search", "brand", "tag", "profile", "run_type", "from", "ordering"])
def test_whatever_is_in_the_address(client, some_jobs, name, text):
    response = client.get(f"/jobs?{name}={text}")
    assert response.status_code == 200
    assert "<script>" not in response.content.decode()


def test_buttons_are_for_operators(client, operator, make_job):
    job = make_job(status=JobStatus.RUNNING)
    assert 'name="action"' not in body(client.get("/jobs"))
    page = body(operator.get("/jobs"))
    assert f'action="/jobs/{job.id}/act"' in page
    assert 'value="pause"' in page


def test_nothing_inline(operator, some_jobs):
    assert inline_parts(operator.get("/jobs")) == []


def test_many_jobs_cost_no_more_queries(operator, make_job, django_assert_max_num_queries):
    for _ in range(30):
        make_job(status=JobStatus.RUNNING, tags=["a", "b"])
    with django_assert_max_num_queries(6):
        operator.get("/jobs?tag=a&status=running&ordering=-priority")
