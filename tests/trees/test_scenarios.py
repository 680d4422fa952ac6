"""Bookmarks and what is expected of them."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from detect.models import Checkpoint
from jobs.branches.expectations import ScenarioExpectation
from jobs.branches.scenarios import ExpectedBrand, scenario_list
from jobs.models import DetectJob
from tests.report.factories import detection
from tests.trees.made import matched_job, run

pytestmark = pytest.mark.django_db


def node_of(job: DetectJob, stage: str = "match_brands") -> Checkpoint:
    return Checkpoint.objects.get(job_id=job.id, stage=stage)


def put(client: Any, node: Checkpoint, **body: Any) -> Any:
    return client.patch(f"/detect/checkpoints/{node.id}/bookmark", body, format="json")


class TestBookmark:
    def test_a_label_makes_a_scenario(self, curator):
        node = node_of(matched_job())
        answer = put(curator, node, label="small boards")
        assert answer.status_code == 200
        assert answer.json()["is_scenario"] is True
        assert answer.json()["scenario_label"] == "small boards"
        assert answer.json()["expectation"] is None
        node.refresh_from_db()
        assert (node.is_scenario, node.scenario_label) == (True, "small boards")

    def test_an_empty_label_takes_it_away_with_what_was_expected(self, curator):
        node = node_of(matched_job())
        put(curator, node, label="x", expectation={"brands": [{"name": "Acme", "seconds": 2}]})
        assert ScenarioExpectation.objects.count() == 1
        answer = put(curator, node, label="")
        assert (answer.status_code, answer.json()["is_scenario"]) == (200, False)
        assert ScenarioExpectation.objects.count() == 0
        assert curator.get("/detect/scenarios").json() == []

    def test_what_the_report_shows_now_can_be_expected(self, curator):
        job = run(matched_job(detections=[detection("Acme", [0, 1, 2, 3])], unresolved=[]))
        answer = put(curator, node_of(job), label="as it is", expect="current")
        assert answer.status_code == 200
        expectation = answer.json()["expectation"]
        assert expectation["made_from"] == "report"
        assert expectation["made_by"] == "key:a curator"
        [brand] = expectation["brands"]
        assert (brand["name"], brand["seconds"]) == ("Acme", 1.77)
        assert brand["tolerance"] > 0

    def test_it_can_be_given(self, curator):
        node = node_of(matched_job())
        brands = [{"name": "Acme", "seconds": 2.5, "tolerance": 0.5}, {"name": "Bolt", "seconds": 0}]
        put(curator, node, label="given", expectation={"brands": brands})
        [scenario] = scenario_list()
        assert scenario.expected == (ExpectedBrand("Acme", 2.5, 0.5), ExpectedBrand("Bolt", 0.0, 0.0))

    def test_another_label_keeps_what_is_expected(self, curator):
        node = node_of(matched_job())
        put(curator, node, label="one", expectation={"brands": [{"name": "Acme", "seconds": 2}]})
        answer = put(curator, node, label="two")
        assert answer.json()["scenario_label"] == "two"
        assert len(answer.json()["expectation"]["brands"]) == 1

    def test_without_a_label_it_stays(self, curator):
        node = node_of(matched_job())
        put(curator, node, label="one")
        answer = put(curator, node, expectation={"brands": []})
        assert answer.status_code == 200, answer.json()
        assert answer.json()["scenario_label"] == "one"
        assert answer.json()["expectation"]["brands"] == []

    @pytest.mark.parametrize(
        "body",
        [
            {"expect": "current"},
            {"label": None},
            {"label": "x" * 201},
            {"label": "x", "expect": "tomorrow"},
            {"label": "x", "expectation": {}},
            {"label": "x", "expectation": {"brands": [{"name": "Acme"}]}},
            {"label": "x", "expectation": {"brands": [{"name": "Acme", "seconds": -1}]}},
            {"label": "x", "expectation": {"brands": [{"name": "Acme", "seconds": "nan"}]}},
            {"label": "x", "expectation": {"brands": [{"name": "Acme", "seconds": 1, "tolerance": "inf"}]}},
            {"label": "x", "expectation": {"brands": [{"name": "A\x00cme", "seconds": 1}]}},
            {"label": "x", "expect": "current", "expectation": {"brands": []}},
            {"label": "", "expectation": {"brands": []}},
        ],
    )
    def test_what_makes_no_sense_changes_nothing(self, curator, body):
        node = node_of(matched_job())
        answer = put(curator, node, **body)
        assert answer.status_code == 400
        assert answer.json()["detail"]
        node.refresh_from_db()
        assert not node.is_scenario
        assert not ScenarioExpectation.objects.exists()

    def test_a_job_without_a_report_has_nothing_to_expect(self, curator):
        node = node_of(matched_job())
        answer = put(curator, node, label="x", expect="current")
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        node.refresh_from_db()
        assert not node.is_scenario

    def test_an_unknown_checkpoint(self, curator):
        answer = curator.patch(f"/detect/checkpoints/{uuid.uuid4()}/bookmark", {"label": "x"}, format="json")
        assert answer.status_code == 404

    def test_a_viewer_may_not(self, viewer):
        assert put(viewer, node_of(matched_job()), label="x").status_code == 403


class TestList:
    def test_all_that_clients_know(self, curator):
        job = matched_job()
        assert job.timeline is not None
        job.timeline.frames_meta = [{"sequence": number} for number in range(7)]
        job.timeline.save()
        put(curator, node_of(job), label="seven frames")
        [found] = curator.get("/detect/scenarios").json()
        assert found["job_id"] == str(job.id)
        assert found["stage"] == "match_brands"
        assert found["scenario_label"] == "seven frames"
        assert found["profile_name"] == "soccer_broadcast"
        assert found["video_path"] == "match.mp4"
        assert found["frame_count"] == 7
        assert found["created_at"].endswith("Z")
        assert found["expected"] == []

    def test_a_checkpoint_without_a_job_is_left_out(self, curator):
        node = node_of(matched_job())
        Checkpoint.objects.filter(id=node.id).update(is_scenario=True, scenario_label="x", job_id=uuid.uuid4())
        assert curator.get("/detect/scenarios").json() == []

    def test_the_number_of_queries_does_not_grow(self, django_assert_num_queries):
        for _ in range(3):
            Checkpoint.objects.filter(job_id=matched_job().id).update(is_scenario=True, scenario_label="x")
        with django_assert_num_queries(2):
            assert len(scenario_list()) == 18
