"""What clients of ``/api/v0`` rely on: paths, fields and statuses, over HTTP alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.annotation.batches import batch_cancel
from jobs.annotation.records import AnnotationJob
from jobs.api_keys import ApiKey
from mediaproc.roles import Role
from tests.annotation.conftest import Batches

pytestmark = pytest.mark.django_db(transaction=True)

JOB = {"id", "state", "queued_at", "started_at", "finished_at", "progress_pct", "current_stage", "logs_tail"}
MORE = {"error", "queue_position"}
STATES = {"queued", "running", "succeeded", "failed", "canceled"}


def client_of(role: Role) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=ApiKey.objects.create_key(name=role.value, role=role)[1])
    return client


@pytest.fixture
def http(batches: Batches) -> APIClient:
    return client_of(Role.OPERATOR)


def ask(http: APIClient, batches: Batches, *, headers: dict[str, str] | None = None, **changes: Any) -> Any:
    body = {"dataset_id": str(batches.dataset.id), "videos": [{"path": "a.mp4"}], "overrides": {"note": {}}, **changes}
    return http.post("/api/v0/jobs", body, format="json", headers=headers)


def test_health_is_told_to_everyone(db: None) -> None:
    for path in ("/healthz", "/api/v0/healthz"):
        answer = APIClient().get(path)
        assert answer.json().keys() >= {"status", "database", "queue", "storage"}, path


def test_a_job(http: APIClient, batches: Batches) -> None:
    answer = ask(http, batches, tags=["cup"])
    assert answer.status_code == 201
    job = answer.json()
    assert job.keys() >= JOB | MORE
    assert (job["state"], job["queue_position"], job["error"], job["logs_tail"]) == ("queued", 1, None, [])
    batches.work()
    job = http.get(f"/api/v0/jobs/{job['id']}").json()
    assert (job["state"], job["progress_pct"], job["queue_position"]) == ("succeeded", 100.0, None)
    assert job["logs_tail"] and all(isinstance(line, str) for line in job["logs_tail"])
    manifest = http.get(f"/api/v0/jobs/{job['id']}/artifacts").json()
    assert manifest.keys() == {"job_id", "dataset_id", "outputs", "viewer_hint"}
    assert manifest["viewer_hint"] == {"overlayOrder": ["note"]}
    (listed,) = manifest["outputs"]["a.mp4"]
    assert listed.keys() == {"type", "role", "path", "meta"}
    answer = http.get(f"/api/v0/jobs/{job['id']}/artifacts/{listed['path']}", headers={"Range": "bytes=-4"})
    assert (answer.status_code, len(b"".join(answer))) == (206, 4)
    assert answer["Accept-Ranges"] == "bytes" and answer["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"overrides": {}}, 400),
        ({"overrides": {"nothing": {}}}, 400),
        ({"overrides": {"note": {"mood": "sad"}}}, 400),
        ({"overrides": {"note": []}}, 400),
        ({"overrides": []}, 400),
        ({"preset": "none_such"}, 400),
        ({"preset": 3}, 400),
        ({"videos": []}, 400),
        ({"videos": [{}]}, 400),
        ({"videos": ["a.mp4"]}, 400),
        ({"videos": [{"path": "a.mp4", "duration_sec": "long"}]}, 400),
        ({"videos": [{"path": "none.mp4"}]}, 404),
        ({"videos": [{"path": "../a.mp4"}]}, 403),
        ({"videos": [{"path": "/etc/passwd"}]}, 403),
        ({"videos": [{"path": "a\u0000.mp4"}]}, 400),
        ({"videos": [{"path": "x" * 4000 + ".mp4"}]}, 404),
        ({"dataset_id": "00000000-0000-4000-8000-000000000000"}, 404),
        ({"dataset_id": "no id"}, 400),
        ({"tags": [1]}, 400),
    ],
    ids=lambda value: str(value)[:60].replace("\0", "NUL"),
)
def test_what_is_refused(http: APIClient, batches: Batches, changes: dict[str, Any], status: int) -> None:
    answer = ask(http, batches, **changes)
    assert answer.status_code == status, answer.content
    assert answer.json().keys() >= {"detail", "code"}
    assert not AnnotationJob.objects.exists()


def test_a_video_that_is_a_link_is_refused(http: APIClient, batches: Batches, tmp_path: Path) -> None:
    (tmp_path.parent / "outside.mp4").write_bytes(b"secret")
    (batches.folder / "link.mp4").symlink_to(tmp_path.parent / "outside.mp4")
    assert ask(http, batches, videos=[{"path": "link.mp4"}]).status_code == 403


def test_the_list_is_paged(http: APIClient, batches: Batches) -> None:
    ids = [ask(http, batches, tags=[tag]).json()["id"] for tag in ("x", "y", "x")]
    batch_cancel(AnnotationJob.objects.get(id=ids[0]))
    assert [job["id"] for job in http.get("/api/v0/jobs").json()] == ids[::-1]
    assert [job["id"] for job in http.get("/api/v0/jobs?tag=x").json()] == [ids[2], ids[0]]
    assert [job["id"] for job in http.get("/api/v0/jobs?state=queued&tag=x").json()] == [ids[2]]
    assert len(http.get("/api/v0/jobs?state=queued&state=canceled").json()) == 3
    first = http.get("/api/v0/jobs?limit=2")
    assert (len(first.json()), first["X-Total-Count"]) == (2, "3")
    following = first["Link"].split(";")[0].strip("<>")
    last = http.get(following)
    assert [job["id"] for job in last.json()] == [ids[0]] and "Link" not in last
    for query in ("state=done", "limit=0", "limit=501", "offset=-1", "limit=x"):
        assert http.get(f"/api/v0/jobs?{query}").status_code == 400, query


def test_calling_off(http: APIClient, batches: Batches) -> None:
    job = ask(http, batches).json()["id"]
    for _ in range(2):
        answer = http.post(f"/api/v0/jobs/{job}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (200, "canceled")
    other = ask(http, batches).json()["id"]
    batches.work()
    answer = http.post(f"/api/v0/jobs/{other}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert http.get(f"/api/v0/jobs/{other}").json()["state"] == "succeeded"


def test_the_same_key_is_the_same_job(http: APIClient, batches: Batches) -> None:
    first, again = (ask(http, batches, headers={"Idempotency-Key": "one"}) for _ in range(2))
    assert first.json()["id"] == again.json()["id"]
    assert ask(http, batches, headers={"Idempotency-Key": "one"}, tags=["other"]).status_code == 409


def test_what_is_not_there(http: APIClient, batches: Batches) -> None:
    nobody = "/api/v0/jobs/00000000-0000-4000-8000-000000000000"
    for path in (nobody, f"{nobody}/artifacts", f"{nobody}/artifacts/a", f"{nobody}/artifacts.zip"):
        assert http.get(path).status_code == 404, path
    assert http.post(f"{nobody}/cancel").status_code == 404
    assert http.get("/api/v0/events/stream?job=00000000-0000-4000-8000-000000000000").status_code == 404
    assert http.get("/api/v0/events/stream?job=x").status_code == 400
    job = ask(http, batches).json()["id"]
    for path in ("manifest.json", "%2e%2e/x", "..%2fx", "a%00b", "x" * 4000):
        assert http.get(f"/api/v0/jobs/{job}/artifacts/{path}").status_code in (400, 404), path


def test_who_may_what(batches: Batches) -> None:
    viewer = client_of(Role.VIEWER)
    for path in ("pipelines", "presets", "datasets", "jobs"):
        assert viewer.get(f"/api/v0/{path}").status_code == 200, path
        assert APIClient().get(f"/api/v0/{path}").status_code == 401, path
    assert ask(viewer, batches).status_code == 403
    assert viewer.post("/api/v0/datasets", {"name": "x", "base_path": "x"}, format="json").status_code == 403


def test_the_catalogue(http: APIClient, batches: Batches) -> None:
    pipelines = {one["key"]: one for one in http.get("/api/v0/pipelines").json()}
    assert set(pipelines) >= {"brands", "pitstop", "scenes", "people_tracks", "faces", "speech", "note"}
    for one in pipelines.values():
        assert one.keys() >= {"key", "label", "version", "params", "available", "unavailable_reason"}
        assert one["available"] is (one["unavailable_reason"] is None)
        for param in one["params"]:
            assert param["type"] in ("int", "float", "bool", "string", "enum")
            assert ("choices" in param) is (param["type"] == "enum"), param
    assert pipelines["note"]["params"][1]["min"] == 0
    for preset in http.get("/api/v0/presets").json():
        assert preset.keys() >= {"name", "pipelines", "version"}
        assert set(preset["pipelines"]) <= set(pipelines)
