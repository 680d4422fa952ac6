"""The tree of checkpoints: its drawing, replays with their estimate, bookmarks."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from detect.models import Checkpoint
from detect.registry import load_pipeline
from jobs.branches.trees import job_tree
from jobs.choices import JobStatus
from jobs.models import DetectJob
from jobs.pages.tree_drawing import COLUMN, LANE, Drawing, draw_tree
from jobs.results.accepted import result_accept
from jobs.services import job_replay
from mediaproc.roles import Role
from tests.pages.text import body, inline_parts, words
from tests.trees.made import matched_job, run

STAGES = [stage.name for stage in load_pipeline("brands").stages]
pytestmark = pytest.mark.usefixtures("storage")


@pytest.fixture
def parent(db, storage):
    return run(matched_job())


def replay(parent: DetectJob, stage: str, **overrides: Any) -> DetectJob:
    return run(job_replay(parent=parent, start_stage=stage, overrides={stage: overrides} if overrides else {}))


def node(job: DetectJob, stage: str) -> Checkpoint:
    return Checkpoint.objects.get(job_id=job.id, stage=stage)


def drawing(job: DetectJob) -> Drawing:
    tree = job_tree(job.id)
    assert tree is not None
    return draw_tree(tree, STAGES)


class TestDrawing:
    def test_one_lane_a_job_and_one_column_a_stage(self, parent):
        lane = drawing(parent).lanes[0]
        assert [dot.stage for dot in lane.dots] == STAGES
        assert {second.x - first.x for first, second in zip(lane.dots, lane.dots[1:], strict=False)} == {COLUMN}
        assert lane.rest == ""

    def test_late_branches_lie_nearest_so_that_lines_do_not_cross(self, parent):
        early = replay(parent, "match_brands", min_similarity=0.9)
        late = replay(parent, "compile_report", bridge_seconds=3.0)
        child = replay(early, "compile_report", bridge_seconds=4.0)
        shown = drawing(child)
        assert [lane.job["id"] for lane in shown.lanes] == [parent.id, late.id, early.id, child.id]
        assert shown.height == 4 * LANE

    def test_a_branch_leaves_the_line_of_whose_checkpoint_it_stands_on(self, parent):
        """A replay of a replay from an earlier stage than that began at."""
        late = replay(parent, "compile_report", bridge_seconds=3.0)
        early = replay(late, "match_brands", min_similarity=0.9)
        lanes = {lane.job["id"]: lane for lane in drawing(parent).lanes}
        dot = next(dot for dot in lanes[parent.id].dots if dot.stage == "run_ocr")
        assert lanes[early.id].line.startswith(f"M{dot.x} {dot.y}H")

    def test_what_differs_is_beside_the_branch(self, parent):
        replay(parent, "match_brands", min_similarity=0.9)
        replay(parent, "escalate_vlm")
        labels = [lane.label for lane in drawing(parent).lanes]
        assert sorted(labels) == ["", "min similarity 0.9", "the same options"]

    def test_a_job_that_has_not_begun_has_a_lane(self, parent):
        waiting = job_replay(parent=parent, start_stage="match_brands", overrides={})
        lane = next(lane for lane in drawing(parent).lanes if lane.job["id"] == waiting.id)
        assert lane.dots == []
        assert lane.rest

    def test_a_replay_from_the_first_stage_leaves_the_video(self, parent):
        waiting = job_replay(parent=parent, start_stage="extract_frames", overrides={})
        lane = next(lane for lane in drawing(parent).lanes if lane.job["id"] == waiting.id)
        assert lane.line.startswith("M16 ")


class TestPage:
    def test_every_checkpoint_is_a_link(self, client, parent):
        child = replay(parent, "match_brands", min_similarity=0.9)
        response = client.get(f"/jobs/{child.id}/tree")
        links = set(re.findall(r'href="\?node=([0-9a-f-]{36})#node"', body(response)))
        assert links == {str(one) for one in Checkpoint.objects.values_list("id", flat=True)}
        assert "min similarity 0.9" in words(response)
        assert inline_parts(response) == []

    def test_two_are_compared(self, client, parent):
        child = replay(parent, "match_brands", min_similarity=0.9)
        page = body(client.get(f"/jobs/{parent.id}/tree"))
        assert re.search(rf'name="left" value="{parent.id}" aria-label="A: first run, [^"]+" checked', page)
        assert re.search(
            rf'name="right" value="{child.id}" aria-label="B: replay from match brands, [^"]+" checked', page
        )

    def test_a_chosen_checkpoint_has_the_options_of_what_follows(self, operator, parent):
        page = body(operator.get(f"/jobs/{parent.id}/tree?node={node(parent, 'run_ocr').id}"))
        assert "Replay from match brands on" in page
        assert 'name="option.match_brands.min_similarity"' in page
        assert 'name="option.run_ocr.min_confidence"' not in page

    def test_from_the_beginning(self, operator, parent):
        page = body(operator.get(f"/jobs/{parent.id}/tree?from=extract_frames"))
        assert 'name="start_stage" value="extract_frames"' in page
        assert 'name="option.extract_frames.fps"' in page

    def test_without_room_for_the_drawing_each_job_has_its_checkpoints_in_a_row(self, client, parent):
        child = replay(parent, "match_brands", min_similarity=0.9)
        lanes = body(client.get(f"/jobs/{child.id}/tree")).split('class="lane-steps"')[1:]
        assert [lane.split("</ol>")[0].count("href=") for lane in lanes] == [9, 4]
        assert "Read text: not its own" in lanes[1]

    def test_which_result_is_accepted_and_the_others_can_be(self, client, curator, parent):
        child = replay(parent, "match_brands", min_similarity=0.9)
        response = curator.get(f"/jobs/{child.id}/tree?node={node(child, 'match_brands').id}")
        page = body(response)
        assert page.count(f'action="/jobs/{child.id}/accept"') == 2
        assert f'action="/jobs/{parent.id}/accept"' not in page
        assert "First run Accepted since" in words(response)
        result_accept(job=child, by="user:cleo")
        text = words(curator.get(f"/jobs/{child.id}/tree"))
        assert "Replay from match brands Accepted since" in text
        assert "by cleo" in text
        assert "/accept" not in body(client.get(f"/jobs/{child.id}/tree"))

    def test_a_job_that_failed_leads_to_why(self, operator, parent):
        failed = matched_job(asset=parent.source_asset, status=JobStatus.FAILED, error_message="no room")
        response = operator.get(f"/jobs/{failed.id}/tree?node={node(failed, 'run_ocr').id}")
        assert "Its job is failed: see why, and resume it" in words(response)
        assert f'action="/jobs/{failed.id}/replay"' in body(response), "and can be replayed all the same"

    def test_a_viewer_sees_and_changes_nothing(self, client, parent):
        page = body(client.get(f"/jobs/{parent.id}/tree?node={node(parent, 'run_ocr').id}"))
        assert "An operator can replay from here." in page
        assert 'action="/checkpoints/' not in page

    @pytest.mark.parametrize("wanted", ["x", str(uuid.UUID(int=3)), "%00"])
    def test_an_unknown_checkpoint_is_not_found(self, client, parent, wanted):
        assert client.get(f"/jobs/{parent.id}/tree?node={wanted}").status_code == 404

    def test_a_tree_costs_a_fixed_number_of_queries(self, client, parent, django_assert_max_num_queries):
        for number in range(6):
            replay(parent, "compile_report", bridge_seconds=float(number))
        with django_assert_max_num_queries(8):
            client.get(f"/jobs/{parent.id}/tree")


class TestVideoGone:
    """The file of ``match.mp4`` was never there."""

    def test_it_is_said_where_the_video_would_be_read(self, operator, parent):
        said = "The video file is not there any more."
        assert said in words(operator.get(f"/jobs/{parent.id}/tree?from=extract_frames"))
        assert said not in words(operator.get(f"/jobs/{parent.id}/tree?node={node(parent, 'run_ocr').id}"))

    def test_it_is_not_said_while_the_video_is_there(self, operator, parent, tmp_path):
        place = tmp_path / "there.mp4"
        place.write_bytes(b"video")
        parent.source_asset.path = str(place)
        parent.source_asset.save()
        assert "not there any more" not in words(operator.get(f"/jobs/{parent.id}/tree?from=extract_frames"))

    def test_a_replay_from_a_later_stage_runs(self, parent):
        for stage in STAGES[5:]:
            assert replay(parent, stage).status == JobStatus.COMPLETED


class TestReplay:
    def post(self, browser: Client, job: DetectJob, /, **fields: Any) -> Any:
        fields.setdefault("start_stage", "match_brands")
        headers = fields.pop("headers", None)
        return browser.post(f"/jobs/{job.id}/replay", fields, headers=headers)

    def test_the_estimate_comes_first_and_makes_nothing(self, operator, parent):
        changed = {"option.match_brands.min_similarity": "0.9", "do": "estimate"}
        response = self.post(operator, parent, headers={"X-Part": "estimate"}, **changed)
        text = words(response)
        assert "Stages reused 5 of 9" in text
        assert "<html" not in body(response)
        assert "Match brands runs" in text
        assert DetectJob.objects.count() == 1

    def test_without_scripts_the_page_comes_with_the_estimate_and_the_input(self, operator, parent):
        chosen = node(parent, "run_ocr")
        changed = {"option.match_brands.min_similarity": "0.9", "do": "estimate", "node": chosen.id}
        page = body(self.post(operator, parent, **changed))
        assert "Stages reused" in page
        assert 'name="option.match_brands.min_similarity" value="0.9"' in page

    def test_it_starts_with_what_was_changed_and_keeps_to_the_estimate(self, operator, parent):
        changed = {"option.match_brands.min_similarity": "0.9", "option.match_brands.min_confidence": "0.6"}
        response = self.post(operator, parent, do="start", keep="yes", **changed)
        made = DetectJob.objects.exclude(id=parent.id).get()
        assert response["Location"] == f"/jobs/{made.id}"
        assert made.config_overrides == {"match_brands": {"min_similarity": 0.9}}
        assert made.cost_limit_usd == made.call_limit == 0
        assert made.status == JobStatus.PENDING
        assert made.requested_by == "user:operator"

    def test_limits_only_where_wanted(self, operator, parent):
        self.post(operator, parent, do="start")
        made = DetectJob.objects.exclude(id=parent.id).get()
        assert (made.cost_limit_usd, made.call_limit) == (None, None)

    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            ({"option.match_brands.min_similarity": "9"}, "Must be a number from 0.5 to 1."),
            ({"start_stage": "guess"}, "unknown stage 'guess'"),
        ],
    )
    def test_what_cannot_be_is_told_and_makes_nothing(self, operator, parent, fields, told):
        response = self.post(operator, parent, do="start", headers={"X-Part": "estimate"}, **fields)
        assert told in words(response)
        assert DetectJob.objects.count() == 1

    def test_an_unknown_stage_without_scripts(self, operator, parent):
        response = self.post(operator, parent, do="start", start_stage="guess", node=node(parent, "run_ocr").id)
        assert response.status_code == 400
        assert "unknown stage 'guess'" in words(response)


class TestBookmark:
    def test_a_label_with_what_the_report_shows(self, curator, parent):
        chosen = node(parent, "run_ocr")
        asked = {"label": " Night match ", "expect": "current"}
        response = curator.post(f"/checkpoints/{chosen.id}/bookmark", asked, follow=True)
        chosen.refresh_from_db()
        assert (chosen.is_scenario, chosen.scenario_label) == (True, "Night match")
        assert [one["name"] for one in chosen.expectation.brands] == ["Acme"]
        assert chosen.expectation.made_by == "user:curator"
        assert "★" in body(response)

    def test_it_is_among_the_scenarios_until_it_is_taken_away(self, curator, parent):
        chosen = node(parent, "run_ocr")
        address = f"/checkpoints/{chosen.id}/bookmark"
        curator.post(address, {"label": "Night <match>", "expect": "current"})
        response = curator.get("/scenarios")
        assert "Night <match>" in body(response)
        assert "&lt;match&gt;" in response.content.decode()
        assert "Expects 1 brand" in words(response)
        assert inline_parts(response) == []
        curator.post(address, {"remove": "yes", "back": "scenarios"})
        assert "No scenario yet." in words(curator.get("/scenarios"))

    def test_a_label_is_needed(self, curator, parent):
        chosen = node(parent, "run_ocr")
        curator.post(f"/checkpoints/{chosen.id}/bookmark", {"label": "  "})
        chosen.refresh_from_db()
        assert not chosen.is_scenario

    def test_an_unknown_checkpoint(self, curator):
        answer = curator.post(f"/checkpoints/{uuid.UUID(int=3)}/bookmark", {"label": "x"}, follow=True)
        assert "There is no checkpoint" in words(answer)

    def test_reviewers_do_not_label(self, client_of, parent):
        address = f"/checkpoints/{node(parent, 'run_ocr').id}/bookmark"
        assert client_of(Role.REVIEWER).post(address, {"label": "x"}).status_code == 403
