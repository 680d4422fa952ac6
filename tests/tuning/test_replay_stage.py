"""``POST /detect/replay-stage``."""

from __future__ import annotations

import base64
import uuid

import cv2
import numpy as np
import pytest
from django.core.files.storage import default_storage

from detect.models import Checkpoint, StageOutput
from detect.types import Region
from jobs.branches.trials import process_tuner
from jobs.choices import JobStatus
from jobs.engine import timeline_frames
from jobs.models import DetectJob, JobEvent
from tests.matches import Finished

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept():
    process_tuner.cache_clear()


@pytest.fixture
def ask(operator, job: DetectJob):
    def post(**fields):
        return operator.post("/detect/replay-stage", {"job_id": str(job.id), **fields}, "application/json")

    return post


def test_answer_is_the_contracts(ask, finished: Finished) -> None:
    answer = ask(stage="detect_edges", frame_refs=[0, 3], debug=True)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    body = answer.json()
    assert list(body) == ["status", "stage", "frame_count", "region_count", "regions_by_frame", "debug"]
    assert (body["status"], body["stage"], body["frame_count"]) == ("completed", "detect_edges", 2)
    stored = finished.output("detect_edges")[0].regions
    assert body["regions_by_frame"] == {str(number): [_wire(region) for region in stored[number]] for number in (0, 3)}
    assert body["region_count"] == len(stored[0]) + len(stored[3]) > 0
    assert list(body["debug"]) == ["0", "3"]
    for debug in body["debug"].values():
        assert list(debug) == ["edge_overlay_b64", "lines_overlay_b64", "horizontal_count", "pair_count"]
        assert debug["horizontal_count"] > 0 and debug["pair_count"] > 0
        for name in ("edge_overlay_b64", "lines_overlay_b64"):
            picture = cv2.imdecode(np.frombuffer(base64.b64decode(debug[name]), np.uint8), cv2.IMREAD_COLOR)
            assert picture is not None and picture.shape == (360, 640, 3)


@pytest.mark.parametrize("stage", ["detect_edges", "detect_objects", "match_brands", "run_ocr"])
def test_each_stage_that_looks_at_frames(ask, stage: str) -> None:
    body = ask(stage=stage, frame_refs=[0]).json()
    assert body["frame_count"] == 1 and body["debug"] == {}
    assert body["region_count"] == len(body["regions_by_frame"]["0"]) > 0
    for region in body["regions_by_frame"]["0"]:
        assert list(region) == ["x", "y", "w", "h", "confidence", "label"]
        assert 0 <= region["x"] < 640 and region["w"] > 0 and 0 < region["confidence"] <= 1 and region["label"]


@pytest.mark.parametrize("overrides", [{"max_regions": 1}, {"detect_edges": {"max_regions": 1}}])
def test_overrides_in_either_form(ask, overrides) -> None:
    usual = ask(stage="detect_edges", frame_refs=[0]).json()["regions_by_frame"]["0"]
    one = ask(stage="detect_edges", frame_refs=[0], config_overrides=overrides).json()["regions_by_frame"]["0"]
    assert len(usual) > 1 and one == usual[:1]


def test_defaults(ask) -> None:
    assert ask(stage="detect_edges").json()["frame_count"] == 8
    assert ask(stage="detect_edges", frame_refs=None, config_overrides=None).json()["frame_count"] == 8


def test_nothing_is_stored(ask, job: DetectJob) -> None:
    def kept() -> tuple[object, ...]:
        rows = list(StageOutput.objects.values_list("key", flat=True)), list(Checkpoint.objects.values())
        return *rows, list(DetectJob.objects.values()), JobEvent.objects.count()

    before = kept()
    for stage in ("detect_edges", "match_brands"):
        assert ask(stage=stage, config_overrides={"min_confidence": 0.9}).status_code == 200
    assert kept() == before


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"stage": "detect_logos"}, "unknown stage 'detect_logos': the stages of 'brands' are extract_frames, "),
        ({"stage": "detect_edges", "config_overrides": {"gap": 1}}, "unknown option 'detect_edges.gap': allowed are "),
        ({"stage": "detect_edges", "config_overrides": {"max_regions": 0}}, "detect_edges.max_regions = 0: Expected"),
        ({"stage": "detect_edges", "config_overrides": {"run_ocr": {}}}, "options of run_ocr have no effect on "),
        ({"stage": "detect_edges", "frame_refs": [0, 99]}, "frame 99 is not in the timeline: its 16 frames end "),
        ({"stage": "filter_scenes"}, "not tunable frame by frame: filter_scenes, for it compares each frame"),
        ({"stage": "escalate_cloud"}, "not tunable frame by frame: escalate_cloud, for it asks a paid model"),
        ({"stage": "detect_edges", "frame_refs": []}, "frame_refs: Ensure this field has at least 1 elements."),
        ({"stage": "detect_edges", "frame_refs": [-1]}, "0: Ensure this value is greater than or equal to 0."),
        ({"stage": "detect_edges", "frame_refs": list(range(65))}, "frame_refs: Ensure this field has no more than 64"),
        ({"stage": "detect_edges", "config_overrides": [1]}, "config_overrides: Expected a dictionary of items"),
        ({"stage": "detect_objects", "config_overrides": {"classes": ["cat"]}}, "detect_objects.classes: the weights "),
        ({}, "stage: This field is required."),
        ({"stage": "detect_edges", "job_id": "7"}, "job_id: Must be a valid UUID."),
    ],
)
def test_what_cannot_be_is_said(ask, fields, said: str) -> None:
    answer = ask(**fields)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(said) and answer.json()["code"] == "invalid"


def test_unknown_job(ask) -> None:
    unknown = uuid.uuid4()
    answer = ask(job_id=str(unknown), stage="detect_edges")
    assert (answer.status_code, answer.json()["detail"]) == (404, f"There is no job {unknown}.")


def test_nothing_to_replay_from(ask, job: DetectJob, finished: Finished) -> None:
    outputs = {name: finished.node.outputs[name] for name in ("extract_frames", "filter_scenes")}
    Checkpoint.objects.update(outputs=outputs)
    assert ask(stage="detect_edges").status_code == 200
    answer = ask(stage="match_brands")
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("nothing to replay match_brands from: the job has no output of detect_ed")
    Checkpoint.objects.all().delete()
    assert ask(stage="detect_edges").status_code == 409
    DetectJob.objects.update(timeline=None)
    assert ask(stage="detect_edges").status_code == 409


def test_frame_whose_picture_was_removed(ask, job: DetectJob) -> None:
    assert job.timeline is not None
    default_storage.delete(timeline_frames(job.timeline).key(3))
    answer = ask(stage="detect_edges", frame_refs=[3])
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("nothing to replay detect_edges from: the stored frame timelines/")


def test_a_branch_stands_on_its_parents_outputs(ask, job: DetectJob) -> None:
    node = Checkpoint.objects.latest("stage_index")
    fields = {"status": JobStatus.PENDING, "parent_job": job, "branch_point": node, "request_digest": "branch"}
    branch = DetectJob(**{**_fields(job), **fields})
    branch.config_overrides = {**job.config_overrides, "detect_edges": {"max_regions": 1}}
    branch.save(force_insert=True)
    answer = ask(job_id=str(branch.id), stage="detect_edges", frame_refs=[0])
    assert answer.status_code == 200 and answer.json()["region_count"] == 1


def test_a_fixed_number_of_queries(ask, django_assert_num_queries) -> None:
    ask(stage="detect_edges", frame_refs=[0])
    with django_assert_num_queries(4):  # the key, the job, its last checkpoint: which, and what it holds
        assert ask(stage="detect_edges", frame_refs=[0]).status_code == 200


def test_frames_of_two_timelines_are_not_mixed_up(ask, job: DetectJob, finished: Finished) -> None:
    first = ask(stage="detect_edges", frame_refs=[0]).json()["regions_by_frame"]["0"]
    assert job.timeline is not None
    job.timeline.frames_prefix = "timelines/other"
    job.timeline.save()
    timeline_frames(job.timeline).save_jpeg(0, cv2.imencode(".jpg", np.zeros((360, 640, 3), np.uint8))[1].tobytes())
    assert first
    assert ask(stage="detect_edges", frame_refs=[0]).json()["regions_by_frame"]["0"] == []


def _wire(region: Region) -> dict[str, object]:
    x, y, w, h = region.box.to_xywh()
    return {"x": x, "y": y, "w": w, "h": h, "confidence": region.confidence, "label": region.label}


def _fields(job: DetectJob) -> dict[str, object]:
    names = ("source_asset", "timeline", "video_path", "config_overrides", "known_brands")
    return {name: getattr(job, name) for name in names}
