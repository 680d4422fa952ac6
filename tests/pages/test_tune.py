"""The page on which settings are tried, and what its script asks for."""

from __future__ import annotations

import json
import re
from typing import Any

import cv2
import numpy as np
import pytest
from django.core.files.storage import default_storage

from detect.config import resolve
from detect.registry import load_pipeline
from detect.stages.extract_frames import encode_jpeg
from detect.tuning import Trial, TrialGround, Tuner
from jobs.branches.trials import process_tuner
from jobs.engine import timeline_frames
from jobs.models import DetectJob
from jobs.pages.options import option_groups
from mediaproc.roles import Role
from tests.pages.text import body, inline_parts, words
from tests.report.factories import detection
from tests.trees.made import matched_job

pytestmark = pytest.mark.usefixtures("storage")
BOARDS = "option.detect_edges."


@pytest.fixture(autouse=True)
def _nothing_kept():
    process_tuner.cache_clear()


@pytest.fixture
def job(db, storage) -> DetectJob:
    return matched_job(frames=True, detections=[detection("Acme", [0, 1, 2]), detection("ملعب 🏟️ <b>", [4])])


def a_board(job: DetectJob, sequence: int) -> None:
    """Put a picture with one board in a frame's place."""
    image = np.broadcast_to(np.random.default_rng(0).integers(40, 80, (500, 1000, 1), np.uint8), (500, 1000, 3)).copy()
    cv2.rectangle(image, (100, 200), (900, 260), (30, 30, 160), -1)
    for x in range(130, 880, 180):
        cv2.putText(image, "ACME", (x, 245), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (250, 250, 250), 3)
    assert job.timeline is not None
    timeline_frames(job.timeline).save_jpeg(sequence, encode_jpeg(image, 95))


def setup_of(response: Any) -> dict[str, Any]:
    found = re.search(r'<script id="tune-setup" type="application/json">(.*?)</script>', response.content.decode())
    assert found is not None
    return json.loads(found[1])


def fields(job: DetectJob, **changes: str) -> dict[str, str]:
    """Every field of the page's form, as a browser sends it unchanged but for ``changes``."""
    pipeline = load_pipeline("brands")
    snapshot = resolve(pipeline, job.profile_name, job.config_overrides).snapshot()
    groups = option_groups(pipeline.stages, snapshot)
    return {field.field_name: field.value for group in groups for field in group.fields} | changes


class TestPage:
    def test_the_first_stage_that_can_be_tried_with_its_sliders(self, operator, job):
        response = operator.get(f"/jobs/{job.id}/tune")
        page = body(response)
        assert setup_of(response)["try"] == f"/jobs/{job.id}/try"
        assert 'type="range" min="1" max="45" step="0.5"' in page
        assert 'class="option-group" data-stage="detect_edges">' in page
        assert 'class="option-group" data-stage="run_ocr" hidden>' in page
        assert "Lines and pairs" in page
        assert inline_parts(response) == []

    def test_frames_are_those_that_were_kept_and_a_few_are_chosen(self, operator, job):
        response = operator.get(f"/jobs/{job.id}/tune?stage=run_ocr")
        assert [int(text) for text in re.findall(r'data-sequence="(\d+)"', body(response))] == list(range(10))
        assert setup_of(response)["chosen"] == [1, 3, 6, 8]
        assert 'class="option-group" data-stage="run_ocr">' in body(response)

    @pytest.mark.parametrize(
        ("query", "chosen"), [("frame=7", [7]), ("frames=5,2,2,999,x,²", [2, 5]), ("frames=999", [1, 3, 6, 8])]
    )
    def test_frames_that_the_address_names(self, operator, job, query, chosen):
        assert setup_of(operator.get(f"/jobs/{job.id}/tune?{query}"))["chosen"] == chosen

    def test_frames_beyond_the_most_are_left_out(self, operator, job):
        named = ",".join(map(str, [*range(10), *range(10)]))
        assert setup_of(operator.get(f"/jobs/{job.id}/tune?frames={named}"))["chosen"] == list(range(10))

    @pytest.mark.parametrize(
        "query", ["stage=compile_report", "stage=%00", "frame=x", "frames=,,", f"frames={'9' * 4000}"]
    )
    def test_whatever_is_in_the_address(self, operator, job, query):
        assert operator.get(f"/jobs/{job.id}/tune?{query}").status_code == 200

    def test_the_values_are_those_of_the_job_and_defaults_are_told(self, operator, job):
        job.config_overrides = {"detect_edges": {"max_angle_degrees": 12}}
        job.save()
        page = body(operator.get(f"/jobs/{job.id}/tune"))
        assert f'name="{BOARDS}max_angle_degrees" value="12"' in page
        assert '<option value="30" label="default">' in page
        assert 'Reset to <span class="own">12</span>' in page

    def test_brands_that_were_found_are_offered(self, operator, job):
        page = operator.get(f"/jobs/{job.id}/tune").content.decode()
        assert '<option value="Acme" data-found="3">' in page
        assert 'value="ملعب 🏟️ &lt;b&gt;"' in page

    def test_before_there_are_frames_it_says_so(self, operator, make_job):
        job = make_job(status="pending")
        response = operator.get(f"/jobs/{job.id}/tune")
        assert "There are no frames" in words(response)
        assert "tune.js" not in body(response)

    def test_only_operators_try(self, client_of, job):
        curator = client_of(Role.CURATOR)
        assert curator.get(f"/jobs/{job.id}/tune").status_code == 403
        assert curator.post(f"/jobs/{job.id}/try").status_code == 403
        assert curator.get(f"/jobs/{job.id}/tune/frames.json").status_code == 403

    def test_small_frames(self, client, job):
        response = client.get(f"/jobs/{job.id}/thumbs/3.jpg")
        image = cv2.imdecode(np.frombuffer(response.content, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        assert image.shape[1] == 240
        assert client.get(f"/jobs/{job.id}/thumbs/99.jpg").status_code == 404


class TestTrying:
    @pytest.fixture
    def ask(self, operator, job):
        def post(*, frames="3", stage="detect_edges", extra=(), **changes):
            a_board(job, 3)
            options = {name.replace("__", "."): value for name, value in changes.items()}
            sent = fields(job, **{f"option.{name}": value for name, value in options.items()})
            return operator.post(f"/jobs/{job.id}/try", {**sent, "stage": stage, "frames": frames, **dict(extra)})

        return post

    def test_unchanged_there_is_one_side(self, ask):
        answer = ask(frames="3,5").json()["frames"]
        assert list(answer) == ["3", "5"]
        assert answer["3"]["tried"] is None and answer["3"]["lost"] == answer["3"]["gained"] == []
        (region,) = answer["3"]["present"]["regions"]
        assert region["label"] == "board" and 0.4 < region["confidence"] <= 1
        xs, ys = zip(*region["corners"], strict=True)
        assert (min(xs), max(xs)) == pytest.approx((100, 900), abs=12)
        assert (min(ys), max(ys)) == pytest.approx((200, 260), abs=8)

    def test_changed_both_sides_and_what_only_one_has(self, ask):
        stricter = ask(detect_edges__min_gap_share="0.3", detect_edges__max_gap_share="0.5").json()["frames"]["3"]
        assert len(stricter["present"]["regions"]) == 1 and stricter["tried"]["regions"] == []
        assert (stricter["lost"], stricter["gained"]) == ([0], [])

    def test_what_the_sender_knows_is_left_out(self, ask):
        answer = ask(extra={"known": "yes"}.items(), detect_edges__max_angle_degrees="20").json()["frames"]["3"]
        assert answer["present"] is None
        assert len(answer["tried"]["regions"]) == 1

    def test_options_of_other_stages_change_nothing_here(self, ask):
        assert ask(run_ocr__min_letters="4").json()["frames"]["3"]["tried"] is None

    def test_overlays_of_both_sides_when_asked_for(self, ask):
        answer = ask(extra={"overlays": "yes"}.items(), detect_edges__max_angle_degrees="20").json()["frames"]["3"]
        for side in ("present", "tried"):
            assert answer[side]["overlays"]["edge_overlay_b64"] and answer[side]["overlays"]["lines_overlay_b64"]
        assert ask().json()["frames"]["3"]["present"]["overlays"] is None

    def test_the_present_side_is_computed_once(self, ask, monkeypatch):
        asked: list[float] = []
        run = Tuner.run

        def count(self: Tuner, ground: TrialGround, **how: Any) -> Trial:
            asked.append(how["config"].options["detect_edges"].max_angle_degrees)
            return run(self, ground, **how)

        monkeypatch.setattr(Tuner, "run", count)
        for angle in ("20", "21", "22"):
            ask(detect_edges__max_angle_degrees=angle)
        assert asked == [20, 30, 21, 22]

    def test_a_stage_that_does_nothing_says_why(self, ask):
        answer = ask(stage="detect_objects").json()["frames"]["3"]
        assert answer["present"]["regions"] == []
        assert "no object weights" in answer["skipped"]
        assert ask().json()["frames"]["3"]["skipped"] == ""

    def test_a_stage_over_the_whole_video(self, ask):
        answer = ask(frames="0,3", stage="match_brands").json()["frames"]
        assert answer["3"]["present"]["regions"] == []
        assert [region["label"] for region in answer["0"]["present"]["regions"]] == []  # no text was read in this job

    @pytest.mark.parametrize("text", ["99", "", "many"])
    def test_a_value_that_cannot_be_used_is_told_beside_its_option(self, ask, text):
        response = ask(detect_edges__max_angle_degrees=text, run_ocr__min_letters="many")
        assert response.status_code == 400
        assert response.json() == {
            "errors": {"detect_edges.max_angle_degrees": "Must be a number from 1 to 45."},
            "problem": "",
        }

    @pytest.mark.parametrize(
        ("asked", "status", "told"),
        [
            ({"stage": "compile_report"}, 400, "not tunable frame by frame"),
            ({"stage": "nonsense"}, 400, "unknown stage 'nonsense'"),
            ({"frames": "99"}, 400, "frame 99 is not in the timeline"),
        ],
    )
    def test_what_cannot_be_tried_is_a_sentence(self, ask, asked, status, told):
        response = ask(**asked)
        assert (response.status_code, response.json()["errors"]) == (status, {})
        assert told in response.json()["problem"]

    def test_what_a_model_does_not_know_is_told_beside_its_option(self, ask, monkeypatch):
        from detect.engines.objects import WeightsError

        def refuse(**_: Any) -> None:
            raise WeightsError("detect_objects.classes: the weights 'tiny.onnx' know no 'referee'; they know person")

        monkeypatch.setattr("jobs.pages.tune.stage_compare", refuse)
        assert ask(stage="detect_objects", detect_objects__classes="referee").json()["errors"] == {
            "detect_objects.classes": "The weights 'tiny.onnx' know no 'referee'; they know person"
        }

    def test_frames_that_are_gone(self, operator, job):
        assert job.timeline is not None
        default_storage.delete(timeline_frames(job.timeline).key(3))
        response = operator.post(f"/jobs/{job.id}/try", {"stage": "detect_edges", "frames": "3"})
        assert response.status_code == 409
        assert "nothing to replay detect_edges from" in response.json()["problem"]

    def test_no_frames(self, ask):
        assert ask(frames="").json() == {"frames": {}}

    def test_a_job_that_is_not_there(self, operator):
        assert operator.post("/jobs/00000000-0000-4000-8000-000000000000/try").status_code == 404


class TestChoosingFrames:
    @pytest.fixture
    def frames(self, operator, job):
        return lambda query: [
            frame["sequence"] for frame in operator.get(f"/jobs/{job.id}/tune/frames.json?{query}").json()["frames"]
        ]

    def test_of_a_part_of_the_video(self, frames):
        assert frames("from=1&to=3") == [2, 3, 4, 5, 6]
        assert frames("") == list(range(10))

    def test_where_a_brand_was_found_or_missed(self, frames):
        assert frames("brand=Acme&seen=found") == [0, 1, 2]
        assert frames("brand=Acme&seen=missed") == [3, 4, 5, 6, 7, 8, 9]
        assert frames("brand=Nobody&seen=missed") == frames("brand=Nobody&seen=found") == []

    @pytest.mark.parametrize("query", ["from=x&to=y", "from=nan", "to=-inf", "from=9&to=1", "brand=%00"])
    def test_whatever_is_asked(self, frames, query):
        assert set(frames(query)) <= set(range(10))

    def test_before_there_are_any(self, operator, make_job):
        job = make_job(status="pending")
        assert operator.get(f"/jobs/{job.id}/tune/frames.json").json() == {"frames": []}


class TestReplaying:
    """The form goes where the tree's goes: it is estimated, and started, with what was changed in any stage."""

    def test_the_estimate_of_what_was_changed(self, operator, job):
        sent = fields(job, **{"option.match_brands.min_similarity": "0.7"})
        response = operator.post(
            f"/jobs/{job.id}/replay",
            {**sent, "start_stage": "match_brands", "stage": "match_brands", "do": "estimate"},
            headers={"X-Part": "estimate"},
        )
        assert response.status_code == 200
        assert "5 of 9" in words(response)

    def test_the_replay_is_started(self, operator, job):
        sent = fields(job, **{f"{BOARDS}max_angle_degrees": "20", "option.match_brands.min_similarity": "0.7"})
        response = operator.post(
            f"/jobs/{job.id}/replay", {**sent, "start_stage": "detect_edges", "stage": "match_brands", "do": "start"}
        )
        made = DetectJob.objects.get(parent_job=job)
        assert response["Location"] == f"/jobs/{made.id}"
        assert made.replay_from_stage == "detect_edges"
        assert made.config_overrides == {
            "detect_edges": {"max_angle_degrees": 20.0},
            "match_brands": {"min_similarity": 0.7},
        }
