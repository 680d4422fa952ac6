"""A job with its replays and retries, as one tree."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from detect.models import Checkpoint
from detect.registry import load_pipeline
from jobs.api.trees import JobTreeSerializer
from jobs.branches.trees import own_overrides
from jobs.choices import JobStatus, RunType
from jobs.models import DetectJob
from jobs.selectors import checkpoint_tree, job_branch, job_family
from jobs.services import job_replay
from tests.trees.made import a_job, matched_job, run

pytestmark = pytest.mark.django_db

STAGES = [stage.name for stage in load_pipeline("brands").stages]


def replayed(parent: DetectJob, start_stage: str, **options: float) -> DetectJob:
    return run(job_replay(parent=parent, start_stage=start_stage, overrides={start_stage: dict(options)}))


class TestFamily:
    def test_whichever_member_is_asked(self):
        root = a_job()
        child = a_job(parent_job=root)
        grandchild = a_job(parent_job=child)
        sibling = a_job(parent_job=root)
        a_job()
        family = [root.id, child.id, sibling.id, grandchild.id]
        for member in (root, child, sibling, grandchild):
            assert job_family(member.id) == family

    def test_an_unknown_job_has_none(self):
        assert job_family(uuid.uuid4()) == []

    def test_a_lost_parent_leaves_families_of_their_own(self):
        root = a_job()
        one, other = a_job(parent_job=root), a_job(parent_job=root)
        root.delete()
        assert job_family(one.id) == [one.id]
        assert job_family(other.id) == [other.id]

    def test_the_number_of_queries_does_not_grow(self, django_assert_num_queries):
        job = root = run(matched_job())
        for _ in range(3):
            job = replayed(job, "compile_report", min_seconds=0.1)
        with django_assert_num_queries(2):
            assert [node.stage for node in job_branch(job)] == STAGES
        with django_assert_num_queries(2):
            assert len(checkpoint_tree(root)) == len(STAGES) + 3
        with django_assert_num_queries(1):
            assert len(job_family(job.id)) == 4


class TestBranch:
    def test_a_job_that_made_nothing_stands_on_its_branch_point(self):
        parent = matched_job()
        nodes = job_branch(parent)
        child = a_job(parent_job=parent, branch_point_id=nodes[2].id)
        assert [node.id for node in job_branch(child)] == [node.id for node in nodes[:3]]

    def test_nothing_at_all(self):
        assert job_branch(a_job()) == []
        assert checkpoint_tree(a_job()) == []

    def test_parents_come_before_children(self):
        root = run(matched_job())
        replayed(root, "match_brands", min_similarity=0.9)
        seen: set[object] = {None}
        for node in checkpoint_tree(root):
            assert node.parent_id in seen
            seen.add(node.id)


class TestOverRest:
    def test_nodes_and_jobs(self, viewer):
        root = run(matched_job(overrides={"run_ocr": {"min_confidence": 0.5}}))
        child = replayed(root, "compile_report", min_seconds=0.5)
        answer = viewer.get(f"/detect/jobs/{child.id}/tree")
        assert answer.status_code == 200
        tree = answer.json()
        assert tree["root_id"] == str(root.id)
        assert [(job["id"], job["parent_job_id"], job["run_type"], job["status"]) for job in tree["jobs"]] == [
            (str(root.id), None, RunType.INITIAL, JobStatus.COMPLETED),
            (str(child.id), str(root.id), RunType.REPLAY, JobStatus.COMPLETED),
        ]
        assert [job["config_overrides"] for job in tree["jobs"]] == [
            {"run_ocr": {"min_confidence": 0.5}},
            {"compile_report": {"min_seconds": 0.5}},
        ]
        assert tree["jobs"][1]["replay_from_stage"] == "compile_report"
        assert tree["jobs"][1]["estimated_cost_usd"] == "0"
        nodes = tree["nodes"]
        assert [node["stage"] for node in nodes] == [*STAGES, "compile_report"]
        assert nodes[-1]["parent_id"] == nodes[7]["id"]
        assert nodes[-1]["own_overrides"] == {"compile_report": {"min_seconds": 0.5}}
        assert nodes[0]["own_overrides"] == {"run_ocr": {"min_confidence": 0.5}}
        assert nodes[1]["own_overrides"] == {}

    def test_a_nodes_figures_are_its_own(self, viewer):
        job = matched_job()
        for stage, stats in (("extract_frames", {"seconds": 4.5, "units": 3, "reused": 2, "skipped": ""}),):
            Checkpoint.objects.filter(job_id=job.id, stage="filter_scenes").update(
                stats={stage: stats, "filter_scenes": {"seconds": 0.25, "units": 3, "reused": 0, "skipped": "why"}}
            )
            Checkpoint.objects.filter(job_id=job.id, stage=stage).update(stats={stage: stats})
        first, second = viewer.get(f"/detect/jobs/{job.id}/tree").json()["nodes"][:2]
        assert (first["seconds"], first["units"], first["reused"], first["skipped"]) == (4.5, 3, 2, "")
        assert (second["seconds"], second["units"], second["reused"], second["skipped"]) == (0.25, 3, 0, "why")

    def test_it_is_what_is_documented(self, viewer):
        job = run(matched_job())
        tree = viewer.get(f"/detect/jobs/{job.id}/tree").json()
        shape: Any = JobTreeSerializer()
        assert set(tree) == set(shape.fields)
        for name in ("jobs", "nodes"):
            assert all(set(row) == set(shape.fields[name].child.fields) for row in tree[name])

    def test_an_unknown_job(self, viewer):
        answer = viewer.get(f"/detect/jobs/{uuid.uuid4()}/tree")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_nobody_gets_it_without_a_key(self, client):
        assert client.get(f"/detect/jobs/{uuid.uuid4()}/tree").status_code == 401


@pytest.mark.parametrize(
    ("overrides", "before", "own"),
    [
        ({}, {}, {}),
        ({"a": {"x": 1}}, {}, {"a": {"x": 1}}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 1}}, {"a": {"y": 2}}),
        ({"a": {"x": 1}}, {"a": {"x": 1}, "b": {"z": 1}}, {}),
        ({"a": {"x": None}}, {"a": {}}, {"a": {"x": None}}),
    ],
)
def test_own_overrides(overrides, before, own):
    assert own_overrides(overrides, before) == own
