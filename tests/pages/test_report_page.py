"""A finished job's page: the report, its evidence as it is asked for, and what is around it."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import msgspec
import pytest
from django.test import Client

from detect.stages.compile_report import CompileReportOutput
from jobs.choices import EventKind, JobStatus, RunType
from jobs.events import event_append
from jobs.models import AcceptedResult, DetectJob
from jobs.pages.evidence import CANDIDATES_A_PAGE, EXPOSURES_A_PAGE
from jobs.services import job_replay
from tests.pages.text import body, inline_parts, words
from tests.report.factories import detection
from tests.report.sample import sample_body
from tests.trees.made import matched_job, run

HTMX = {"HX-Request": "true"}
HARD_NAMES = ["<script>alert(1)</script>", "مشروب النخبة", "🏟️⚽", 'a" onload="x', "x" * 300, "two\nlines", "{{ name }}"]


def page_of(client: Client, job: DetectJob) -> Any:
    response = client.get(f"/jobs/{job.id}")
    assert response.status_code == 200
    return response


def many(count: int, *, unresolved: int = 0) -> CompileReportOutput:
    """The sample with so many exposures of its first brand, and so many candidates."""
    report = sample_body()
    brand, candidate = report.brands[0], report.unresolved[0]
    item = brand.exposures[0]
    exposures = [msgspec.structs.replace(item, start=n / 2, end=n / 2 + 0.2) for n in range(count)]
    return msgspec.structs.replace(
        report,
        brands=[msgspec.structs.replace(brand, exposures=exposures), *report.brands[1:]],
        unresolved=[msgspec.structs.replace(candidate, text=f"TEXT {n}") for n in range(unresolved)],
    )


class TestReport:
    def test_brands_with_pictures_from_the_site(self, client, make_job):
        job = make_job()
        page = body(page_of(client, job))
        assert "Norvana Energy" in page
        assert re.findall(rf'src="(/jobs/{job.id}/crops/\d+/\d+-\d+-\d+-\d+\.jpg)"', page)
        assert f'data-frame="/jobs/{job.id}/frames/' in page
        assert "crops/000" not in page

    def test_seconds_with_their_uncertainty_and_every_share(self, client, make_job):
        text = words(page_of(client, make_job()))
        assert "Kestrel Air 38.1 s ± 0.5 s" in text
        for heading in ("Share of voice", "Share of screen", "Quality", "Where"):
            assert heading in text

    def test_nothing_inline_so_that_a_strict_policy_can_hold(self, client, make_job):
        parts = inline_parts(page_of(client, make_job()))
        assert parts in ([], [" style="])  # the shape of the player's picture, two numbers

    @pytest.mark.parametrize("name", HARD_NAMES)
    def test_a_brand_s_name_is_only_text(self, client, make_job, name):
        job = make_job(body=sample_body(name=name))
        for address in ("", "/brands/0", "/brands/0/exposures/0", "/print"):
            response = client.get(f"/jobs/{job.id}{address}")
            page = response.content.decode()
            assert "<script>alert" not in page
            assert ' onload="x' not in page
        assert name in body(page_of(client, job))

    def test_names_say_their_own_direction(self, client, make_job):
        page = body(page_of(client, make_job(body=sample_body(name="مشروب النخبة"))))
        named = re.findall(r"<(\w+)([^>]*)>\s*مشروب النخبة\s*<", page)
        assert named
        assert all("dir=" in attributes or tag == "bdi" for tag, attributes in named)

    def test_queries_do_not_grow_with_the_report(self, client, make_job, django_assert_max_num_queries):
        small, large = make_job(), make_job(body=many(300, unresolved=100))
        with django_assert_max_num_queries(16):
            page_of(client, small)
        with django_assert_max_num_queries(16):
            page_of(client, large)

    def test_elements_do_not_grow_with_the_exposures(self, client, make_job):
        few, lots = (page_of(client, make_job(body=many(count))).content.decode() for count in (2, 1000))
        assert few.count("<") == lots.count("<")

    def test_the_timeline_has_all_of_them_as_numbers(self, client, make_job):
        page = page_of(client, make_job(body=many(1000))).content.decode()
        found = re.search(r'<script id="timeline-data" type="application/json">(.*?)</script>', page)
        assert found is not None
        assert len(json.loads(found[1])["lanes"][0]["spans"]) == 5 * 1000

    def test_many_brands_can_be_filtered(self, client, make_job):
        report = sample_body()
        brands = [msgspec.structs.replace(report.brands[0], name=f"Brand {n}") for n in range(300)]
        page = body(page_of(client, make_job(body=msgspec.structs.replace(report, brands=brands))))
        assert 'id="r-filter"' in page
        assert 'id="r-filter"' not in body(page_of(client, make_job()))
        assert page.count('class="r-card r-brand"') == 300

    def test_no_brand(self, client, make_job):
        report = sample_body()
        job = make_job(body=msgspec.structs.replace(report, brands=[]))
        text = words(page_of(client, job))
        assert "No brand was recognised" in text
        assert "Something that may be a brand was found" in text
        assert "Timeline" not in text

    def test_neither_brand_nor_candidate(self, client, make_job):
        job = make_job(body=msgspec.structs.replace(sample_body(), brands=[], unresolved=[]))
        text = words(page_of(client, job))
        assert "matched a known brand" in text
        assert "Undecided 0" in text
        for address in ("print", "undecided", "report.xlsx", "report.csv"):
            assert client.get(f"/jobs/{job.id}/{address}").status_code == 200

    def test_the_log_is_at_hand(self, client, make_job):
        job = make_job(status=JobStatus.RUNNING)
        event_append(job_id=job.id, kind=EventKind.LOG, data={"level": "info", "line": "chunk <3> is done"})
        done = make_job()
        event_append(job_id=done.id, kind=EventKind.LOG, data={"level": "warning", "line": "chunk <3> is done"})
        assert "the last 1 line" in words(page_of(client, done))
        assert "chunk &lt;3&gt; is done" in page_of(client, done).content.decode()
        assert "nothing was logged" in words(page_of(client, make_job()))

    def test_what_models_cost_is_told_stage_by_stage(self, client, make_job):
        text = words(page_of(client, make_job()))
        assert "USD 0.00572" in text
        assert "13 calls" in text


class TestState:
    def test_the_accepted_result(self, client, make_job):
        job = make_job()
        assert "No result of this video is accepted" in words(page_of(client, job))
        AcceptedResult.objects.create(source_asset=job.source_asset, job=job)
        assert "Accepted since" in words(page_of(client, job))

    def test_another_one_counts(self, client, make_job):
        job = make_job()
        other = make_job()
        AcceptedResult.objects.create(source_asset=job.source_asset, job=other)
        response = page_of(client, job)
        assert "Not the accepted result" in words(response)
        assert f'href="/jobs/{other.id}"' in body(response)

    def test_a_curator_accepts_it(self, client, curator, make_job):
        job = make_job()
        AcceptedResult.objects.create(source_asset=job.source_asset, job=make_job())
        form = f'<form class="act" method="post" action="/jobs/{job.id}/accept">'
        assert form in body(page_of(curator, job))
        assert form not in body(page_of(client, job))
        assert curator.post(f"/jobs/{job.id}/accept", {"next": f"/jobs/{job.id}"}).status_code == 302
        assert "Accepted since" in words(page_of(curator, job))
        assert form not in body(page_of(curator, job))

    def test_a_replay_leads_to_what_it_came_from(self, client, make_job):
        parent = make_job()
        job = make_job(run_type=RunType.REPLAY, parent_job=parent, replay_from_stage="match_brands")
        response = page_of(client, job)
        assert "Replay from match brands" in words(response)
        assert f'href="/jobs/{parent.id}"' in body(response)
        assert f'hx-get="/jobs/{job.id}/changes"' in body(response)

    def test_the_family_is_drawn(self, client, make_job):
        parent = make_job()
        replays = [
            make_job(run_type=RunType.REPLAY, parent_job=parent, replay_from_stage="match_brands") for _ in range(12)
        ]
        response = page_of(client, parent)
        assert "First run" in words(response)
        assert body(response).count(">Replay from match brands</a>") == 7
        assert "5 more in the tree" in words(response)
        assert f"/compare?left={parent.id}&right={replays[-1].id}" in body(page_of(client, replays[-1]))

    def test_only_who_may_steers(self, client, operator, make_job):
        job = make_job()
        assert "Try settings" not in words(page_of(client, job))
        assert "Try settings" in words(page_of(operator, job))
        assert 'name="action" value="delete"' not in body(page_of(client, job))
        assert 'name="action" value="delete"' in body(page_of(operator, job))

    def test_an_unfinished_job_shows_its_progress_and_asks_again(self, client, make_job):
        job = make_job(status=JobStatus.RUNNING, current_stage="run_ocr", progress=0.42)
        page = page_of(client, job).content.decode()
        assert 'value="0.4200"' in page
        assert "run_ocr" in page
        assert 'http-equiv="refresh"' in page

    def test_a_failed_job_says_why_and_how_to_go_on(self, client, make_job):
        job = make_job(status=JobStatus.FAILED, error_message="disk <full>")
        page = page_of(client, job).content.decode()
        assert "disk &lt;full&gt;" in page
        assert "it goes on from there" in page
        assert 'http-equiv="refresh"' not in page


class TestExposures:
    def test_a_page_of_them_for_htmx(self, client, make_job):
        job = make_job(body=many(70))
        piece = client.get(f"/jobs/{job.id}/brands/0", headers=HTMX)
        assert body(piece).count('class="r-exposure"') == EXPOSURES_A_PAGE
        assert "1–30 of 70 exposures" in words(piece)
        assert "<html" not in body(piece)
        assert piece["Vary"] == "HX-Request, Cookie" or "HX-Request" in piece["Vary"]

    def test_the_last_page(self, client, make_job):
        job = make_job(body=many(70))
        piece = client.get(f"/jobs/{job.id}/brands/0?page=3", headers=HTMX)
        assert "61–70 of 70 exposures" in words(piece)
        assert 'id="e-0-60"' in body(piece)
        assert "Later" not in words(piece)

    def test_the_page_that_an_exposure_is_on(self, client, make_job):
        job = make_job(body=many(70))
        assert 'id="e-0-31"' in body(client.get(f"/jobs/{job.id}/brands/0?at=31", headers=HTMX))

    @pytest.mark.parametrize(
        "query", ["page=", "page=0", "page=-1", "page=x", "page=9999999999999", "at=x", "at=70000"]
    )
    def test_a_page_that_is_none_is_one_that_is(self, client, make_job, query):
        job = make_job(body=many(70))
        assert 'class="r-exposure"' in body(client.get(f"/jobs/{job.id}/brands/0?{query}", headers=HTMX))

    def test_without_scripts_it_is_a_page(self, client, make_job):
        job = make_job()
        response = client.get(f"/jobs/{job.id}/brands/0")
        assert "<html" in body(response)
        assert f'href="/jobs/{job.id}#b-0"' in body(response)
        assert inline_parts(response) == []

    def test_one_with_all_it_stands_on(self, client, make_job):
        job = make_job()
        piece = client.get(f"/jobs/{job.id}/brands/1/exposures/2", headers=HTMX)
        text = words(piece)
        for fact in ("Where", "Share of screen", "Clarity", "Confidence", "Found by", "Frames seen", "Rule exact"):
            assert fact in text
        assert body(piece).count("<figure") == len(sample_body().brands[1].exposures[2].evidence)

    @pytest.mark.parametrize("address", ["brands/99", "brands/0/exposures/999", "brands/99/exposures/0"])
    def test_what_is_not_in_the_report_is_not_found(self, client, make_job, address):
        assert client.get(f"/jobs/{make_job().id}/{address}").status_code == 404

    def test_none_before_the_job_is_done(self, client, make_job):
        job = make_job(status=JobStatus.RUNNING)
        for address in ("brands/0", "undecided", "print", "report.xlsx"):
            assert client.get(f"/jobs/{job.id}/{address}").status_code == 404


class TestUndecided:
    def test_the_first_ones_are_on_the_page(self, client, make_job):
        response = page_of(client, make_job(body=many(3, unresolved=60)))
        assert body(response).count('alt="Undecided') == CANDIDATES_A_PAGE
        assert "1–12 of 60 candidates" in words(response)

    def test_they_are_decided_in_the_review(self, client, make_job):
        job = make_job()
        assert f'href="/review?job={job.id}"' in body(page_of(client, job))

    def test_and_the_others_a_page_further(self, client, make_job):
        job = make_job(body=many(3, unresolved=60))
        piece = client.get(f"/jobs/{job.id}/undecided?page=5", headers=HTMX)
        assert "TEXT 59" in words(piece)
        assert "49–60 of 60 candidates" in words(piece)


@pytest.mark.usefixtures("storage")
class TestChanges:
    def test_what_a_replay_shows_otherwise(self, client, db):
        parent = run(matched_job(detections=[detection("Acme", [0, 1, 2]), detection("<Bolt>", [4])]))
        job = run(job_replay(parent=parent, start_stage="compile_report", overrides=_only("min_observations", 2)))
        piece = client.get(f"/jobs/{job.id}/changes", headers=HTMX)
        assert "1 lost" in words(piece)
        assert "&lt;Bolt&gt;" in piece.content.decode()
        assert "not there" in words(piece)
        assert f"/compare?left={parent.id}&right={job.id}" in body(piece)

    def test_nothing(self, client, db):
        parent = run(matched_job())
        job = run(job_replay(parent=parent, start_stage="compile_report", overrides={}))
        assert "Nothing: both show the same" in words(client.get(f"/jobs/{job.id}/changes", headers=HTMX))

    def test_a_parent_without_a_result_is_said(self, client, make_job):
        job = make_job(run_type=RunType.RETRY, parent_job=make_job(status=JobStatus.FAILED))
        piece = client.get(f"/jobs/{job.id}/changes", headers=HTMX)
        assert piece.status_code == 200
        assert "got as far as nothing" in words(piece)

    def test_a_first_run_came_from_none(self, client, make_job):
        assert client.get(f"/jobs/{make_job().id}/changes").status_code == 404
        assert client.get(f"/jobs/{uuid.uuid4()}/changes").status_code == 404


def _only(option: str, value: Any) -> dict[str, dict[str, Any]]:
    return {"compile_report": {option: value, "bridge_seconds": 0.0}}
