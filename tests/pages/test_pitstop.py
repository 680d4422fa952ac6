"""Pit stops in the browser: the list with its form, a run's page, its times set by hand, files."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.test import Client
from django.urls import reverse

from detect.drawing.colours import zone_colour
from detect.models import SourceAsset
from jobs.choices import PITSTOP, EventKind, JobStatus
from jobs.events import log_append
from jobs.models import DetectJob, JobEvent, MetricByHand
from jobs.pages.pitstop_shown import ZONE_COLOURS
from jobs.pitstop.selectors import zones_of
from mediaproc.datafolder import PROJECT_ROOT
from mediaproc.roles import Role
from tests.pages.pitstop_made import ZONES, pitstop_asset, pitstop_run
from tests.pages.text import body, inline_parts, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def asset(storage: None, tmp_path: Path) -> SourceAsset:
    return pitstop_asset(tmp_path)


@pytest.fixture(autouse=True)
def weights(settings, tmp_path: Path) -> Path:
    """Weights that are there, though nobody opens them."""
    path = tmp_path / "best.onnx"
    path.write_bytes(b"weights")
    settings.PITSTOP_YOLO_WEIGHTS_PATH = path
    return path


def page_of(browser: Client, job: DetectJob) -> Any:
    response = browser.get(reverse("pitstop-page", args=[job.id]))
    assert response.status_code == 200
    return response


class TestList:
    def test_before_there_is_a_run_it_says_what_is_needed(self, operator, storage):
        text = words(operator.get("/pitstop"))
        assert "How to begin" in text
        assert "YOLO weights" in text
        assert "None yet" in text

    def test_without_weights_it_says_where_to_put_them(self, operator, storage, settings, weights):
        weights.unlink()
        text = words(operator.get("/pitstop"))
        assert "A model is needed first" in text
        assert "PITSTOP_YOLO_WEIGHTS_PATH" in text

    def test_viewer_is_shown_no_form(self, client_of, asset):
        pitstop_run(asset)
        page = body(client_of(Role.VIEWER).get("/pitstop"))
        assert 'id="send"' not in page
        assert "box-17.mp4" in page

    def test_rows_tell_state_stop_and_who(self, operator, asset):
        pitstop_run(asset, told={"series": "Endurance <b>", "race": "Six hours"})
        pitstop_run(asset, status=JobStatus.FAILED, error_message="no weights <here>")
        response = operator.get("/pitstop")
        text, page = words(response), response.content.decode()
        assert "4.00 s ± 0.03 s" in text
        assert "Endurance <b> · Six hours" in body(response)
        assert "Endurance &lt;b&gt;" in page
        assert "No weights &lt;here&gt;" in page
        assert "operator" in text
        assert inline_parts(response) == []

    def test_jobs_of_other_pipelines_are_not_in_it(self, operator, asset):
        job = pitstop_run(asset)
        DetectJob.objects.filter(id=job.id).update(pipeline="brands")
        assert "box-17.mp4" not in words(operator.get("/pitstop"))

    @pytest.mark.parametrize(("search", "found"), [("spa hours", True), ("box-17", True), ("monza", False)])
    def test_search_looks_for_every_word(self, operator, asset, search, found):
        pitstop_run(asset, told={"series": "WEC", "race": "Six Hours of Spa"})
        text = words(operator.get("/pitstop", {"search": search}))
        assert ("No run fits this" in text) is not found

    def test_many_runs_are_on_pages(self, operator, asset):
        for _ in range(26):
            pitstop_run(asset, status=JobStatus.CANCELLED)
        assert "Page 1 of 2" in words(operator.get("/pitstop"))
        assert body(operator.get("/pitstop?page=2")).count('id="job-') == 1

    def test_rows_cost_no_query_each(self, operator, asset, django_assert_max_num_queries):
        for _ in range(6):
            pitstop_run(asset)
        with django_assert_max_num_queries(30):
            operator.get("/pitstop")


class TestNewRun:
    def send(self, browser: Client, video: SourceAsset, **fields: str) -> Any:
        return browser.post("/pitstop", {"asset": str(video.id), **fields})

    def test_is_made_with_what_was_given(self, operator, asset):
        response = self.send(operator, asset, series="WEC", race="Spa", notes="wet", threshold="0,35")
        job = DetectJob.objects.get(pipeline=PITSTOP)
        assert response["Location"] == reverse("pitstop-page", args=[job.id])
        assert (job.pitstop.series, job.pitstop.race, job.pitstop.notes) == ("WEC", "Spa", "wet")
        assert job.pitstop.input_filename == "box-17.mp4"
        assert job.config_overrides["track_objects"]["confidence"] == 0.35
        assert job.requested_by == "user:operator"
        assert job.task_id

    def test_may_have_the_zones_of_another(self, operator, asset):
        source = pitstop_run(asset)
        assert f'<option value="{source.id}">' in body(operator.get("/pitstop"))
        self.send(operator, asset, zones_from=str(source.id))
        made = DetectJob.objects.filter(pipeline=PITSTOP).exclude(id=source.id).get()
        assert zones_of(made) == ZONES

    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            ({"asset": "nonsense"}, "Upload a video first"),
            ({"threshold": "7"}, "A number from 0.01 to 1"),
            ({"zones_from": "00000000-0000-4000-8000-000000000000"}, "not there any more"),
            ({"series": "x" * 201}, "at most 200 letters"),
        ],
    )
    def test_is_refused_with_what_was_given_kept(self, operator, asset, fields, told):
        response = self.send(operator, asset, **{"race": "Le Mans", **fields})
        assert response.status_code == 400
        assert told in words(response)
        assert 'value="Le Mans"' in body(response)
        assert not DetectJob.objects.exists()

    def test_viewer_may_not(self, client_of, asset):
        assert self.send(client_of(Role.VIEWER), asset).status_code == 403


class TestPage:
    def test_job_page_leads_here(self, operator, asset):
        job = pitstop_run(asset)
        assert operator.get(f"/jobs/{job.id}")["Location"] == reverse("pitstop-page", args=[job.id])

    def test_complete_run_shows_video_times_and_zones(self, operator, asset):
        job = pitstop_run(asset)
        response = page_of(operator, job)
        text, page = words(response), body(response)
        assert "The car stood 4.00 s ± 0.03 s" in text
        assert reverse("pitstop-output", args=[job.id]) in page
        assert "Fuel side" in text
        assert "4.75 s ± 0.06 s" in text
        assert 'data-seek="2.250"' in page
        assert "there already when the video began" in text
        assert "Nobody that counts was in it" in text
        assert 'data-act="boxes"' not in page

    def test_lanes_are_drawn_to_scale(self, operator, asset):
        page = body(page_of(operator, pitstop_run(asset)))
        assert '<rect class="is-stop" x="25%" width="50%"' in page
        assert 'aria-label="Car stands: 0:02.00 to 0:06.00"' in page
        assert page.count('class="is-track"') == 2

    def test_broken_video_and_missing_output_are_told(self, operator, asset):
        text = words(page_of(operator, pitstop_run(asset, problems=["it breaks off at 0:05"], output=False)))
        assert "it breaks off at 0:05" in text
        assert "The annotated video is not there" in text

    def test_run_without_zones_leads_to_drawing_them(self, operator, asset):
        job = pitstop_run(asset, zones=())
        response = page_of(operator, job)
        assert "No zones were drawn" in words(response)
        assert reverse("pitstop-zones", args=[job.id]) in body(response)

    def test_failed_run_says_why_and_what_to_do(self, operator, asset):
        job = pitstop_run(asset, status=JobStatus.FAILED, error_message="there are no weights: put them there")
        response = page_of(operator, job)
        assert "There are no weights: put them there" in words(response)
        assert "Put the weights where the message says, then resume." in words(response)
        assert 'value="resume"' in body(response)
        assert reverse("pitstop-delete", args=[job.id]) in body(response)

    def test_running_one_is_followed(self, operator, asset):
        job = pitstop_run(asset, status=JobStatus.RUNNING, current_stage="detect_each_frame", task_id="t")
        log_append(job_id=job.id, line="150 of <300> frames", level="info")
        response = page_of(operator, job)
        assert 'class="live" data-job="' in body(response)
        assert "150 of &lt;300&gt; frames" in response.content.decode()
        assert "Detect in each frame" in words(response)
        assert JobEvent.objects.filter(job=job, kind=EventKind.LOG).exists()

    def test_runs_of_the_same_video_are_compared(self, operator, asset):
        first = pitstop_run(asset)
        second = pitstop_run(asset, zones=ZONES[:1], parent_job=first, run_type="replay")
        page = body(page_of(operator, second))
        table = page[page.index('class="runs"') :]
        assert reverse("pitstop-page", args=[first.id]) in table
        assert "0.0 s" in table  # what the same zone differs by

    def test_unknown_run_is_404(self, operator):
        assert operator.get("/pitstop/00000000-0000-4000-8000-000000000000").status_code == 404


class TestValuesByHand:
    def set(self, browser: Client, job: DetectJob, **fields: str) -> Any:
        return browser.post(reverse("pitstop-values", args=[job.id]), fields, follow=True)

    def test_value_is_set_and_what_was_measured_stays_to_be_seen(self, client_of, asset):
        job, reviewer = pitstop_run(asset), client_of(Role.REVIEWER)
        text = words(self.set(reviewer, job, name="stop_time_s", value="3.9"))
        assert "The car stood 3.90 s set by hand" in text
        assert "Set by reviewer" in text
        assert "Measured: 4.00 s ± 0.03 s" in text
        assert "3.90 s set by hand" in words(reviewer.get("/pitstop"))

    def test_undo_brings_back_what_was_measured(self, operator, asset):
        job = pitstop_run(asset)
        self.set(operator, job, name="fuel_time_s", value="4")
        assert MetricByHand.objects.get().value == 4
        text = words(self.set(operator, job, name="fuel_time_s", undo="yes"))
        assert not MetricByHand.objects.exists()
        assert "Fuel is what was measured again." in text

    @pytest.mark.parametrize(("name", "value"), [("stop_time_s", "-1"), ("stop_time_s", "soon"), ("nothing", "1")])
    def test_what_is_no_time_is_refused(self, operator, asset, name, value):
        response = self.set(operator, pitstop_run(asset), name=name, value=value)
        assert 'class="note error"' in body(response)
        assert not MetricByHand.objects.exists()

    def test_viewer_may_not(self, client_of, asset):
        job, viewer = pitstop_run(asset), client_of(Role.VIEWER)
        assert self.set(viewer, job, name="stop_time_s", value="1").status_code == 403
        assert reverse("pitstop-values", args=[job.id]) not in body(page_of(viewer, job))


def test_zones_have_the_colours_they_have_in_the_video():
    css = (PROJECT_ROOT / "static/css/pitstop.css").read_text()
    told = [f".zone-colour-{place} {{ --zone: #{bytes(zone_colour(place)).hex()}; }}" for place in range(ZONE_COLOURS)]
    assert all(rule in css for rule in told)
    assert zone_colour(ZONE_COLOURS) == zone_colour(0)
    script = (PROJECT_ROOT / "static/js/pitstop/polygons.js").read_text()
    assert f"ZONE_COLOURS = {ZONE_COLOURS};" in script


class TestDelete:
    def test_is_asked_about_first(self, operator, asset):
        job = pitstop_run(asset)
        pitstop_run(asset, parent_job=job)
        response = operator.post(reverse("pitstop-delete", args=[job.id]))
        assert "with 1 run that took the times anew from it" in words(response)
        assert DetectJob.objects.count() == 2

    def test_removes_run_and_files(self, operator, asset, django_capture_on_commit_callbacks):
        job = pitstop_run(asset)
        with django_capture_on_commit_callbacks(execute=True):
            response = operator.post(reverse("pitstop-delete", args=[job.id]), {"confirmed": "yes"}, follow=True)
        assert "box-17.mp4 is deleted." in words(response)
        assert not DetectJob.objects.exists()


class TestTable:
    def test_has_a_row_for_metrics_zones_and_visits(self, operator, asset):
        job = pitstop_run(asset, zones=(msgspec.structs.replace(ZONES[0], name="=HYPERLINK()"),))
        MetricByHand.objects.create(job=job, name="driver_in_time_s", value=1.5, set_by="user:ana")
        response = operator.get(reverse("pitstop-csv", args=[job.id]))
        rows = list(csv.DictReader(io.StringIO(response.content.decode())))
        by_kind = {kind: [row for row in rows if row["what"] == kind] for kind in ("metric", "zone", "visit")}
        assert [(row["name"], row["seconds"], row["source"]) for row in by_kind["metric"]] == [
            ("stop_time_s", "4.0", "measured"),
            ("fuel_time_s", "3.25", "measured"),
            ("driver_in_time_s", "1.5", "manual"),
        ]
        assert by_kind["zone"][0]["name"] == "'=HYPERLINK()"
        assert [row["start"] for row in by_kind["visit"]] == ["0.0", "2.25"]

    def test_is_not_there_before_the_times_are(self, operator, asset):
        job = pitstop_run(asset, status=JobStatus.PENDING)
        assert operator.get(reverse("pitstop-csv", args=[job.id])).status_code == 409
