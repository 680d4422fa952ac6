"""The zone editor: what it is given, what it sends, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.test import Client
from django.urls import reverse

from detect.models import SourceAsset
from jobs.choices import PITSTOP, JobStatus
from jobs.models import DetectJob
from jobs.pitstop.selectors import zones_of
from mediaproc.roles import Role
from tests.pages.pitstop_made import ZONES, pitstop_asset, pitstop_run
from tests.pages.text import body, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def asset(storage: None, tmp_path: Path) -> SourceAsset:
    return pitstop_asset(tmp_path)


def editor(browser: Client, job: DetectJob) -> Any:
    return browser.get(reverse("pitstop-zones", args=[job.id]))


def setup_of(response: Any) -> dict[str, Any]:
    page = response.content.decode()
    begin = page.index(">", page.index('id="zones-setup"')) + 1
    found: dict[str, Any] = json.loads(page[begin : page.index("</script>", begin)])
    return found


def save(browser: Client, job: DetectJob, zones: Any) -> Any:
    text = zones if isinstance(zones, str) else json.dumps(msgspec.to_builtins(zones))
    return browser.post(reverse("pitstop-zones", args=[job.id]), {"zones": text})


def test_editor_is_given_zones_classes_frames_and_paths(operator, asset):
    job = pitstop_run(asset)
    response = editor(operator, job)
    setup = setup_of(response)
    assert [zone["name"] for zone in setup["zones"]] == ["Fuel side", "Front left"]
    assert setup["classes"] == ["car", "person"]
    assert setup["frames"] == reverse("job-frame-times", args=[job.id])
    assert setup["waits"] == ""
    assert body(response).count("<polyline points=") == 2
    assert "What was detected and followed is reused" in words(response)


def test_names_cannot_end_the_data_of_the_page(operator, asset):
    hard = msgspec.structs.replace(ZONES[0], name="</script><script>alert(1)</script>")
    response = editor(operator, pitstop_run(asset, zones=(hard,)))
    assert "<script>alert(1)" not in response.content.decode()
    assert setup_of(response)["zones"][0]["name"] == hard.name


def test_saving_makes_a_run_from_the_times_on(operator, asset):
    job = pitstop_run(asset, told={"series": "WEC"})
    moved = (msgspec.structs.replace(ZONES[0], points=((0.1, 0.1), (0.4, 0.1), (0.4, 0.5)), anchor="any"),)
    response = save(operator, job, moved)
    made = DetectJob.objects.filter(pipeline=PITSTOP).exclude(id=job.id).get()
    assert response["Location"] == reverse("pitstop-page", args=[made.id])
    assert zones_of(made) == moved
    assert (made.replay_from_stage, made.parent_job_id) == ("time_zones", job.id)
    assert (made.pitstop.series, made.requested_by) == ("WEC", "user:operator")
    assert zones_of(job) == ZONES


@pytest.mark.parametrize(
    ("zones", "told"),
    [
        ("no JSON", "What was sent are no zones"),
        ('{"name": "x"}', "What was sent are no zones"),
        ([{"name": "Box", "points": [[0, 0], [1, 0]]}], "Zone Box: it needs three points to a hundred"),
        ([{"name": "Box", "points": [[0, 0], [1.5, 0], [1, 1]]}], "a point lies outside the picture"),
        ([{"name": "", "points": [[0, 0], [1, 0], [1, 1]]}], "Zone 1"),
        ([{"name": "Box", "points": [[0, 0], [1, 0], [1, 1]], "anchor": "left"}], "anchor"),
    ],
)
def test_what_are_no_zones_is_refused_with_the_reason(operator, asset, zones, told):
    response = save(operator, pitstop_run(asset), zones)
    assert response.status_code == 400
    assert told in words(response)
    assert DetectJob.objects.count() == 1


def test_zones_whose_lines_cross_are_refused_and_kept_on_the_page(operator, asset):
    crossed = msgspec.structs.replace(ZONES[0], name="Bow tie", points=((0.1, 0.1), (0.5, 0.5), (0.5, 0.1), (0.1, 0.5)))
    response = save(operator, pitstop_run(asset), (crossed,))
    assert response.status_code == 400
    assert "Bow tie" in words(response)
    assert "What was drawn is kept." in words(response)
    assert setup_of(response)["zones"][0]["name"] == "Bow tie"
    assert DetectJob.objects.count() == 1


def test_run_that_did_not_follow_anything_yet_cannot_be_timed_anew(operator, asset):
    job = pitstop_run(asset, status=JobStatus.FAILED)
    assert "this run has not got that far" in words(editor(operator, job))
    assert save(operator, job, ZONES[:1]).status_code == 409


def test_viewer_may_not(client_of, asset):
    job, viewer = pitstop_run(asset), client_of(Role.VIEWER)
    assert editor(viewer, job).status_code == 403
    assert save(viewer, job, ZONES).status_code == 403
