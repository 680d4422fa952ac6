"""The detection interface as clients outside know it: paths, field names and statuses, each over HTTP alone.

What a replay, a retry and a proxied request do is tested where they are; here it is what a client can rely on.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from rest_framework.test import APIClient

from jobs.models import DetectJob
from mediaproc.roles import Role
from tests.api.fuzzing import document
from tests.inference.fake_server import FakeServer, Reply

NOBODY = "00000000-0000-4000-8000-000000000000"  # of no job; the same in each process that collects tests
GPU = ["/detect/gpu/detect_edges", "/detect/gpu/detect_edges/debug"]

#: The fields that clients read, by call; an answer may carry more, never fewer.
CHECKPOINT = {"stage", "is_scenario", "scenario_label"}
CHECKPOINT_MORE = {"id", "parent_id", "stage_index", "created_at", "stats", "config_overrides"}
SCENARIO = {"job_id", "stage", "scenario_label", "profile_name", "video_path", "frame_count", "created_at"}
REPLAYED = {"status", "job_id", "start_stage", "detections", "brands_found"}
RETRIED = {"status", "task_id", "job_id"}
TRIED = {"status", "stage", "frame_count", "region_count", "regions_by_frame", "debug"}
REGION = {"x", "y", "w", "h", "confidence", "label"}
OVERLAYS = {"edge_overlay_b64", "lines_overlay_b64", "horizontal_count", "pair_count"}


def post(client: APIClient, path: str, **body: Any) -> Any:
    return client.post(path, body, format="json")


def holds(answer: Any, status: int) -> dict[str, Any]:
    """The body of an error: a sentence to act on and a word for programs."""
    assert answer.status_code == status, answer.content
    body: dict[str, Any] = answer.json()
    assert isinstance(body["detail"], str) and len(body["detail"].split()) > 2
    assert isinstance(body["code"], str) and " " not in body["code"]
    return body


class TestCheckpoints:
    def test_they_come_in_the_order_of_the_tree(self, operator: APIClient, job: DetectJob) -> None:
        answer = operator.get(f"/detect/checkpoints/{job.id}")
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
        nodes = answer.json()
        assert [node["stage"] for node in nodes] == [
            "extract_frames",
            "filter_scenes",
            "detect_edges",
            "detect_objects",
            "run_ocr",
            "match_brands",
            "escalate_vlm",
            "escalate_cloud",
            "compile_report",
        ]
        parents = [None, *(node["id"] for node in nodes)]
        for index, node in enumerate(nodes):
            assert node.keys() >= CHECKPOINT | CHECKPOINT_MORE
            assert (node["is_scenario"], node["scenario_label"]) == (False, "")
            assert (node["stage_index"], node["parent_id"]) == (index, parents[index])
            assert isinstance(node["stats"], dict) and isinstance(node["config_overrides"], dict)

    @pytest.mark.parametrize("job_id", [NOBODY, "no-id", "1"])
    def test_an_unknown_job(self, operator: APIClient, job_id: str) -> None:
        holds(operator.get(f"/detect/checkpoints/{job_id}"), 404)


class TestScenarios:
    def test_without_any_the_list_is_empty(self, operator: APIClient, job: DetectJob) -> None:
        assert operator.get("/detect/scenarios").json() == []

    def test_a_bookmarked_checkpoint_is_one(self, operator: APIClient, job: DetectJob) -> None:
        node = operator.get(f"/detect/checkpoints/{job.id}").json()[4]
        marked = operator.patch(f"/detect/checkpoints/{node['id']}/bookmark", {"label": "rain"}, format="json")
        assert marked.status_code == 200
        (scenario,) = operator.get("/detect/scenarios").json()
        assert scenario.keys() >= SCENARIO
        assert (scenario["job_id"], scenario["stage"], scenario["scenario_label"]) == (str(job.id), "run_ocr", "rain")
        assert (scenario["profile_name"], scenario["video_path"]) == ("soccer_broadcast", job.video_path)
        assert scenario["frame_count"] > 0
        again = operator.get(f"/detect/checkpoints/{job.id}").json()[4]
        assert (again["is_scenario"], again["scenario_label"]) == (True, "rain")


class TestReplay:
    def test_its_answer(self, operator: APIClient, job: DetectJob) -> None:
        answer = post(operator, "/detect/replay", job_id=str(job.id), start_stage="compile_report")
        assert answer.status_code == 200, answer.content
        body = answer.json()
        assert body.keys() >= REPLAYED
        assert (body["status"], body["start_stage"]) == ("completed", "compile_report")
        assert uuid.UUID(body["job_id"]) != job.id
        assert body["detections"] > 0 and body["brands_found"] > 0
        assert operator.get(f"/detect/jobs/{body['job_id']}").json()["status"] == "completed"

    def test_overrides_may_be_left_out_or_empty(self, operator: APIClient, job: DetectJob) -> None:
        left_out = post(operator, "/detect/replay", job_id=str(job.id), start_stage="compile_report").json()
        empty = post(
            operator, "/detect/replay", job_id=str(job.id), start_stage="compile_report", config_overrides={}
        ).json()
        assert (left_out["detections"], left_out["brands_found"]) == (empty["detections"], empty["brands_found"])

    @pytest.mark.parametrize("missing", ["job_id", "start_stage"])
    def test_both_names_are_needed(self, operator: APIClient, job: DetectJob, missing: str) -> None:
        body = {"job_id": str(job.id), "start_stage": "compile_report"}
        del body[missing]
        assert missing in holds(post(operator, "/detect/replay", **body), 400)["detail"]

    def test_a_value_out_of_range_says_what_the_range_is(self, operator: APIClient, job: DetectJob) -> None:
        overrides = {"match_brands": {"min_similarity": 1.5}}
        answer = post(
            operator, "/detect/replay", job_id=str(job.id), start_stage="match_brands", config_overrides=overrides
        )
        assert "min_similarity" in holds(answer, 400)["detail"]

    def test_a_key_too_long_is_not_cut_to_anothers(self, operator: APIClient, job: DetectJob) -> None:
        body = {"job_id": str(job.id), "start_stage": "compile_report"}
        answer = operator.post("/detect/replay", body, format="json", headers={"Idempotency-Key": "k" * 201})
        assert "Idempotency-Key" in holds(answer, 400)["fields"]


class TestRetry:
    def test_its_answer(self, operator: APIClient, job: DetectJob) -> None:
        answer = post(operator, "/detect/retry", job_id=str(job.id))
        assert answer.status_code == 200, answer.content
        assert answer.json().keys() >= RETRIED
        assert answer.json()["status"] == "queued"
        assert answer.json()["task_id"]
        made = operator.get(f"/detect/jobs/{answer.json()['job_id']}").json()
        assert (made["replay_from_stage"], made["run_type"]) == ("escalate_vlm", "retry")

    def test_one_that_waits_is_pending_until_then(self, operator: APIClient, job: DetectJob) -> None:
        made = post(operator, "/detect/retry", job_id=str(job.id), schedule_seconds=3600).json()["job_id"]
        waiting = operator.get(f"/detect/jobs/{made}").json()
        assert waiting["status"] == "pending"
        assert waiting["scheduled_for"] > waiting["created_at"]

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"job_id": NOBODY}, 404),
            ({"start_stage": "escalate"}, 400),
            ({"schedule_seconds": -1}, 400),
            ({"schedule_seconds": "soon"}, 400),
            ({"config_overrides": {"escalate_vlm": {"nothing": 1}}}, 400),
        ],
    )
    def test_refused(self, operator: APIClient, job: DetectJob, change: dict[str, Any], status: int) -> None:
        holds(post(operator, "/detect/retry", **{"job_id": str(job.id), **change}), status)


class TestReplayStage:
    @pytest.fixture
    def frames(self, operator: APIClient, job: DetectJob) -> list[int]:
        shown = operator.get(f"/detect/jobs/{job.id}/frames").json()["frames"]
        return [frame["sequence"] for frame in shown]

    def test_regions_and_overlays_by_frame(self, operator: APIClient, job: DetectJob, frames: list[int]) -> None:
        answer = post(
            operator,
            "/detect/replay-stage",
            job_id=str(job.id),
            stage="detect_edges",
            frame_refs=frames[:2],
            debug=True,
        )
        assert answer.status_code == 200, answer.content
        body = answer.json()
        assert body.keys() >= TRIED
        assert (body["status"], body["stage"], body["frame_count"]) == ("completed", "detect_edges", 2)
        assert set(body["regions_by_frame"]) == set(body["debug"]) == {str(number) for number in frames[:2]}
        regions = [region for found in body["regions_by_frame"].values() for region in found]
        assert body["region_count"] == len(regions) > 0
        for region in regions:
            assert region.keys() >= REGION
            assert all(isinstance(region[name], int) and region[name] >= 0 for name in "xywh")
            assert 0 <= region["confidence"] <= 1
        for overlays in body["debug"].values():
            assert overlays.keys() >= OVERLAYS
            assert overlays["edge_overlay_b64"] and overlays["lines_overlay_b64"]
            assert all(isinstance(overlays[name], int) for name in ("horizontal_count", "pair_count"))

    def test_without_debug_there_are_no_overlays(self, operator: APIClient, job: DetectJob, frames: list[int]) -> None:
        answer = post(operator, "/detect/replay-stage", job_id=str(job.id), stage="detect_edges", frame_refs=frames[:1])
        assert (answer.status_code, answer.json()["debug"]) == (200, {})

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"job_id": NOBODY}, 404),
            ({"stage": "detect_hedges"}, 400),
            ({"frame_refs": [10**6]}, 400),
            ({"frame_refs": ["first"]}, 400),
            ({"config_overrides": {"no_option": 1}}, 400),
        ],
    )
    def test_refused(self, operator: APIClient, job: DetectJob, change: dict[str, Any], status: int) -> None:
        body = {"job_id": str(job.id), "stage": "detect_edges", "frame_refs": [0], **change}
        holds(post(operator, "/detect/replay-stage", **body), status)


class TestGpu:
    @pytest.mark.parametrize("path", GPU)
    @pytest.mark.parametrize("status", [200, 400, 409, 500, 503])
    def test_the_servers_answer_is_the_answer(self, operator: APIClient, settings: Any, path: str, status: int) -> None:
        body = b'{"regions": [ {"x":1} ],\n "unknown": "kept"}'
        with FakeServer(Reply(status, body)).running() as server:
            settings.INFERENCE_URL = server.url
            answer = operator.post(path, b'{"image": ""}', content_type="application/json")
        assert (answer.status_code, answer.content) == (status, body)
        assert server.asked[0].path == path.removeprefix("/detect/gpu")

    @pytest.mark.parametrize("path", GPU)
    def test_a_server_that_is_not_there(self, operator: APIClient, settings: Any, path: str) -> None:
        settings.INFERENCE_URL = "http://127.0.0.1:1"
        answer = post(operator, path, image="")
        assert holds(answer, 502)["detail"].startswith("GPU server unreachable: ")


CALLS = {
    "get /detect/checkpoints/{job_id}": (set(), CHECKPOINT | CHECKPOINT_MORE, {"200", "404"}),
    "get /detect/scenarios": (set(), SCENARIO, {"200"}),
    "post /detect/replay": (
        {"job_id", "start_stage", "config_overrides"},
        REPLAYED,
        {"200", "400", "404", "409", "500"},
    ),
    "post /detect/retry": (
        {"job_id", "config_overrides", "start_stage", "schedule_seconds"},
        RETRIED,
        {"200", "400", "404", "409"},
    ),
    "post /detect/replay-stage": (
        {"job_id", "stage", "frame_refs", "config_overrides", "debug"},
        TRIED,
        {"200", "400", "404", "409"},
    ),
    "post /detect/gpu/detect_edges": ({"image", "config"}, {"regions"}, {"200", "413", "502"}),
    "post /detect/gpu/detect_edges/debug": ({"image", "config"}, {"regions"} | OVERLAYS, {"200", "413", "502"}),
}


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    return document()


class TestDocument:
    @staticmethod
    def fields(written: dict[str, Any], holder: dict[str, Any]) -> dict[str, Any]:
        """The properties of a body; of a list's items."""
        schema = holder["content"]["application/json"]["schema"]
        schema = schema.get("items", schema)
        found: dict[str, Any] = written["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"]
        return found

    @pytest.mark.parametrize("call", CALLS)
    def test_it_names_what_clients_send_and_read(self, written: dict[str, Any], call: str) -> None:
        method, path = call.split()
        sent, read, statuses = CALLS[call]
        operation = written["paths"][path][method]
        assert operation["responses"].keys() >= statuses
        assert self.fields(written, operation["responses"]["200"]).keys() >= read
        if sent:
            assert self.fields(written, operation["requestBody"]).keys() >= sent
        else:
            assert "requestBody" not in operation

    def test_defaults_are_the_contracts(self, written: dict[str, Any]) -> None:
        schemas = written["components"]["schemas"]
        assert schemas["RetryRequest"]["properties"]["start_stage"]["default"] == "escalate_vlm"
        assert schemas["TrialRequest"]["properties"]["debug"]["default"] is False
        assert schemas["ReplayRequest"]["required"] == ["job_id", "start_stage"]
        assert schemas["RetryRequest"]["required"] == ["job_id"]
        assert schemas["TrialRequest"]["required"] == ["job_id", "stage"]
        region = schemas["TrialRegion"]["properties"]
        overlays = schemas["TrialDebug"]["properties"]
        assert (region.keys() >= REGION, overlays.keys() >= OVERLAYS) == (True, True)

    def test_every_operation_says_what_it_is(self, written: dict[str, Any]) -> None:
        described = {tag["name"] for tag in written["tags"]}
        names = set()
        for path, methods in written["paths"].items():
            assert not path.endswith("/"), path
            for method, operation in methods.items():
                names.add(operation["operationId"])
                assert operation["summary"] and operation["description"], (method, path)
                assert len(operation["tags"]) == 1 and set(operation["tags"]) <= described, (method, path)
        assert len(names) == sum(map(len, written["paths"].values()))
        assert [server["url"] for server in written["servers"]] == ["/"]

    def test_examples_are_what_their_schemas_allow(self, written: dict[str, Any]) -> None:
        checked = 0
        for methods in written["paths"].values():
            for operation in methods.values():
                bodies = [operation["requestBody"]] if "requestBody" in operation else []
                for holder in [*bodies, *operation["responses"].values()]:
                    media = holder.get("content", {}).get("application/json", {})
                    for name, example in media.get("examples", {}).items():
                        problems = problems_of(written, media["schema"], example["value"])
                        assert not problems, (operation["operationId"], name, problems)
                        checked += 1
        assert checked > 20


def problems_of(written: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    rooted = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "components": written["components"]}
    validator = Draft202012Validator(rooted, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [error.message for error in validator.iter_errors(value)]


def test_all_of_it_is_closed_to_strangers_and_what_runs_models_to_viewers(
    client_of: Callable[[Role], APIClient],
) -> None:
    viewer = client_of(Role.VIEWER)
    for call in CALLS:
        method, path = call.split()
        address = path.replace("{job_id}", NOBODY)
        holds(getattr(APIClient(), method)(address), 401)
        if method == "post":
            holds(viewer.post(address, {}, format="json"), 403)
