"""The form for a new analysis: everything is checked first, and what was given is kept."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from brands.models import KnownBrand
from brands.services import brands_ensure
from detect.models import SourceAsset
from detect.types import KnownBrandRecord
from jobs.choices import JobStatus
from jobs.models import DetectJob
from jobs.selectors import job_known_brands
from mediaproc.roles import Role
from tests.pages.text import body, inline_parts, words
from tests.trees.made import an_asset


@pytest.fixture
def asset(db):
    return an_asset()


def form(asset: SourceAsset, /, **fields: str) -> dict[str, str]:
    return {
        "source": "asset",
        "asset": str(asset.id),
        "profile": "soccer_broadcast",
        "options_for": "soccer_broadcast",
        "brands_from": "known",
        "start": "now",
        "priority": "0",
        **fields,
    }


def submit(browser: Client, asset: SourceAsset, /, **fields: str) -> Any:
    return browser.post("/submit", form(asset, **fields))


def test_the_form_offers_what_there_is(operator, asset):
    brands_ensure(listed=[KnownBrandRecord("Acme")])
    response = operator.get("/submit")
    page, read = body(response), words(response)
    assert f'value="{asset.id}"' in page
    assert 'data-brand="Acme"' in page
    assert "1 confirmed" in read
    assert "Fast pans and on-board cameras" in read
    assert 'name="option.run_ocr.min_confidence" value="0.5" min="0" max="1" step="0.01"' in page
    assert inline_parts(response) == []


def test_an_asset_can_be_chosen_by_the_address(operator, asset):
    assert f'value="{asset.id}" checked' in body(operator.get(f"/submit?asset={asset.id}"))
    assert operator.get("/submit?asset=nonsense&profile=none").status_code == 200


def test_a_job_as_it_was_asked_for(operator, asset):
    response = submit(
        operator,
        asset,
        brands_from="list",
        brands="Acme\nGlobex = Globex Corp",
        tags="cup, final, cup",
        priority="7",
        cost_limit_usd="2,50",
        call_limit="40",
        **{"option.run_ocr.min_confidence": "0.7", "option.run_ocr.min_letters": "2"},
    )
    job = DetectJob.objects.get()
    assert response["Location"] == f"/jobs/{job.id}"
    assert (job.status, job.profile_name, job.requested_by) == (
        JobStatus.PENDING,
        "soccer_broadcast",
        "user:operator",
    )
    assert (job.tags, job.priority, job.call_limit) == (["cup", "final"], 7, 40)
    assert job.cost_limit_usd == Decimal("2.5")
    assert job.config_overrides == {"run_ocr": {"min_confidence": 0.7}}
    assert job.task_id
    known = job_known_brands(job)
    assert known.given
    assert {(one.name, one.aliases) for one in known.brands} == {("Acme", ()), ("Globex", ("Globex Corp",))}


def test_options_unchanged_for_the_profile_they_were_shown_for_are_that_profile_s(operator, asset):
    """A browser without scripts that chose another profile sends the fields of the first."""
    submit(
        operator, asset, profile="motorsport", **{"option.extract_frames.fps": "2", "option.run_ocr.min_letters": "3"}
    )
    assert DetectJob.objects.get().config_overrides == {"run_ocr": {"min_letters": 3}}


def test_the_same_again_is_the_job_that_is_there(operator, asset, workers):
    submit(operator, asset)
    answer = operator.post("/submit", form(asset), follow=True)
    assert DetectJob.objects.count() == 1
    assert "asked for already" in words(answer)


def test_a_start_in_the_reader_s_own_time(operator, asset):
    at = (timezone.now() + timedelta(days=1)).replace(microsecond=0, second=0)
    submit(
        operator, asset, start="at", start_at="2020-01-01T10:00", start_at_utc=at.isoformat().replace("+00:00", ".000Z")
    )
    assert DetectJob.objects.get().scheduled_for == at


def test_without_scripts_the_start_is_in_utc(operator, asset):
    at = timezone.now() + timedelta(days=2)
    submit(operator, asset, start="at", start_at=f"{at:%Y-%m-%dT%H:%M}")
    assert DetectJob.objects.get().scheduled_for == datetime(at.year, at.month, at.day, at.hour, at.minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"source": "asset", "asset": str(uuid.UUID(int=5))}, "Choose one of the videos."),
        ({"source": "upload"}, "Upload a video first."),
        ({"source": "root", "path": ""}, "Choose a video."),
        ({"source": "root", "path": "/etc/passwd.mp4"}, "not in an allowed folder"),
        ({"source": "storage", "storage_key": "secrets/a.mp4"}, "must begin with"),
        ({"source": "storage", "storage_key": "uploads/../a.mp4"}, "must begin with"),
        ({"source": ""}, "Choose a video."),
        ({"profile": "curling"}, "Choose the kind of footage."),
        ({"brands_from": "list", "brands": ""}, "Name at least one brand"),
        ({"tags": "x" * 101}, "tags of at most 100 letters"),
        ({"priority": "1e9"}, "A whole number from -1000 to 1000."),
        ({"cost_limit_usd": "-1"}, "An amount in US dollars"),
        ({"cost_limit_usd": "NaN"}, "An amount in US dollars"),
        ({"call_limit": "some"}, "A whole number from 0 on."),
        ({"start": "at", "start_at": ""}, "Give a day and a time."),
        ({"start": "at", "start_at": "2001-01-01T10:00"}, "It must lie ahead"),
        ({"start": "at", "start_at": "9999-12-31T23:59"}, "It must lie ahead"),
        ({"option.run_ocr.min_confidence": "7"}, "Must be a number from 0 to 1."),
    ],
)
def test_what_cannot_be_used_is_told_and_nothing_is_made(operator, asset, settings, tmp_path, fields, told):
    settings.ROOTS = [tmp_path]
    response = submit(operator, asset, **{"tags": "kept", **fields})
    assert response.status_code == 400
    assert told in words(response)
    assert not DetectJob.objects.exists()
    assert not KnownBrand.objects.exists()


def test_all_complaints_come_at_once_and_the_input_is_kept(operator, asset):
    response = submit(
        operator,
        asset,
        priority="high",
        cost_limit_usd="much",
        tags="kept, too",
        brands_from="list",
        brands="Acme\n---",
        **{"option.run_ocr.min_confidence": "7", "option.extract_frames.fps": "3"},
    )
    page, read = body(response), words(response)
    for told in ("A whole number from", "An amount in", "no letter or digit", "Must be a number from 0 to 1."):
        assert told in read
    for kept in ('value="high"', 'value="much"', 'value="kept, too"', "Acme\n---", 'value="7"', 'value="3"'):
        assert kept in page
    assert f'value="{asset.id}" checked' in page


def test_a_nul_in_any_field_is_no_fault(operator, asset):
    fields = {name: f"{value}\0" for name, value in form(asset, tags="a", brands="Acme", brands_from="list").items()}
    assert operator.post("/submit", fields).status_code in (302, 400)


def test_only_operators_submit(client_of, asset):
    browser = client_of(Role.CURATOR)
    assert browser.get("/submit").status_code == 403
    assert submit(browser, asset).status_code == 403


def test_who_may_not_is_not_led_there(client, operator, make_job):
    for address in ("/", "/jobs", "/updates", f"/jobs/{make_job().id}", "/scenarios", "/compare"):
        assert 'href="/submit"' not in body(client.get(address))
        assert 'href="/submit"' in body(operator.get(address))
