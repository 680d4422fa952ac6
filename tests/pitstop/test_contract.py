"""Every other row of the pit-stop interface over real connections, with files on a disk and in a bucket."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.pitstop.building import FILM, ZONE
from tests.pitstop.conftest import PitstopSite
from tests.platform.processes import eventually
from tests.uploads.sending import cut

JOBS = "/api/pitstop/jobs"
NOBODY = f"{JOBS}/00000000-0000-4000-8000-000000000000"
ONE = {
    "job_id",
    "status",
    "stage",
    "progress",
    "series",
    "race",
    "notes",
    "input_filename",
    "input_size_bytes",
    "logs",
    "output",
    "created_at",
    "updated_at",
}
LISTED = ONE - {"notes", "logs", "output"} | {"has_output"}
FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="stop.mp4"\r\n\r\n'


def send(http: httpx.Client, clip: Path, name: str = "stop.mp4", **fields: str) -> httpx.Response:
    return http.post(JOBS, files={"file": (name, clip.read_bytes())}, data=fields)


def refused(answer: httpx.Response, status: int = 400) -> str:
    """The sentence of an error."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert len(body["detail"].split()) > 2 and " " not in body["code"]
    return str(body["detail"])


def test_health(http: httpx.Client) -> None:
    answer = httpx.get(f"{http.base_url}/api/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


class TestSending:
    def test_it_becomes_a_job(self, site: PitstopSite, http: httpx.Client, clip: Path) -> None:
        sent = send(http, clip, series="GT", race="Monza", notes="car 7 – Spät")
        assert sent.status_code == 201
        job = sent.json()
        assert job.keys() == ONE
        assert (job["status"], job["stage"], job["progress"]) == ("QUEUED", "UPLOAD", 0)
        assert (job["series"], job["race"], job["notes"]) == ("GT", "Monza", "car 7 – Spät")
        assert (job["input_filename"], job["input_size_bytes"]) == ("stop.mp4", clip.stat().st_size)
        assert (job["logs"], job["output"]["available"]) == ([], False)
        assert job["output"]["filename"] == f"{job['job_id']}_output.mp4"
        assert datetime.fromisoformat(job["created_at"]) <= datetime.fromisoformat(job["updated_at"])
        assert http.get(f"{JOBS}/{job['job_id']}").json() == job
        assert http.delete(f"{JOBS}/{job['job_id']}").status_code == 200

    def test_each_time_is_a_job_of_its_own_and_the_last_takes_the_video(
        self, site: PitstopSite, http: httpx.Client, clip: Path
    ) -> None:
        before = site.stored()
        first, second = send(http, clip, notes="one").json(), send(http, clip, name="again.MP4", notes="two").json()
        assert first["job_id"] != second["job_id"]
        assert (first["notes"], second["notes"], second["input_filename"]) == ("one", "two", "again.MP4")
        stored = site.stored() - before
        assert len([key for key in stored if key.startswith("uploads/")]) == 1
        gone = http.delete(f"{JOBS}/{first['job_id']}")
        assert gone.json() == {"message": "Job deleted successfully", "job_id": first["job_id"]}
        assert site.stored() - before == stored
        assert http.delete(f"{JOBS}/{second['job_id']}").status_code == 200
        assert site.stored() == before
        assert http.get(f"{JOBS}/{first['job_id']}").status_code == 404

    def test_one_that_is_repeated_under_its_key_is_one_job(self, http: httpx.Client, clip: Path) -> None:
        http.headers["Idempotency-Key"] = f"stop-{http.base_url.port}"
        first, again = send(http, clip, notes="one"), send(http, clip, notes="one")
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json()["job_id"] == again.json()["job_id"]
        assert "another request" in refused(send(http, clip, notes="two"), 409)
        assert "another request" in refused(send(http, clip, notes="one", threshold="0.3"), 409)
        assert http.get(f"{JOBS}/{first.json()['job_id']}").json()["notes"] == "one"
        assert http.delete(f"{JOBS}/{first.json()['job_id']}").status_code == 200

    @pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.avi", "a.webm", "A.MOV"])
    def test_types_that_are_taken(self, http: httpx.Client, clip: Path, name: str) -> None:
        sent = send(http, clip, name)
        assert sent.status_code == 201
        http.delete(f"{JOBS}/{sent.json()['job_id']}")

    @pytest.mark.parametrize("name", ["a.ts", "a.txt", "a.mp4.exe", "mp4", "a.m4v", "a"])
    def test_types_that_are_not(self, site: PitstopSite, http: httpx.Client, clip: Path, name: str) -> None:
        before = site.stored()
        assert "mp4 mov mkv avi webm" in refused(send(http, clip, name))
        assert site.stored() == before

    def test_what_is_no_video(self, site: PitstopSite, http: httpx.Client) -> None:
        before = site.stored()
        for content, word in ((b"", "empty"), (b"no video at all" * 1000, "not a video")):
            answer = http.post(JOBS, files={"file": ("stop.mp4", content)})
            assert word in refused(answer)
        assert "file" in refused(http.post(JOBS, data={"series": "GT"}, files={"other": (None, "text")}))
        refused(http.post(JOBS, files={"other": ("stop.mp4", b"12")}))
        refused(http.post(JOBS, json={"file": "stop.mp4"}), 415)
        assert site.stored() == before
        assert not list(site.uploads.glob(".*"))

    def test_too_large_is_said_before_it_is_sent(self, site: PitstopSite) -> None:
        """The server of these tests takes 300 MB."""
        connection = site.connect(f"POST {JOBS}", _head(site, 400_000_000))
        connection.settimeout(10)
        assert connection.recv(1000).split()[1] == b"400"
        connection.close()

    def test_one_that_breaks_off_leaves_nothing(self, site: PitstopSite, http: httpx.Client) -> None:
        before, jobs = site.stored(), http.get(JOBS).json()["total"]
        connection = site.connect(f"POST {JOBS}", _head(site, 9_000_000))
        connection.sendall(FORM + bytes(1_000_000))
        eventually(lambda: list(site.uploads.glob(".*.mp4")))
        cut(connection)
        eventually(lambda: not list(site.uploads.glob(".*")))
        assert (site.stored(), http.get(JOBS).json()["total"]) == (before, jobs)

    @pytest.mark.parametrize(
        ("fields", "word"),
        [
            ({"threshold": "1.5"}, "confidence"),
            ({"threshold": "much"}, "threshold"),
            ({"threshold": "nan"}, "threshold"),
            ({"zones": "[["}, "JSON"),
            ({"zones": "{}"}, "list"),
            ({"zones": json.dumps([{**ZONE, "points": [[0.1, 0.1], [1.5, 0.2], [0.3, 0.3]]}])}, "points"),
            ({"zones": json.dumps([{**ZONE, "points": [[0.1, 0.1], [0.2, 0.2]]}])}, "points"),
            ({"zones": json.dumps([{**ZONE, "colour": "red"}])}, "colour"),
            ({"zones": json.dumps([ZONE, ZONE])}, "Fuel"),
            ({"profile": "soccer"}, "soccer"),
            ({"series": "s" * 201}, "series"),
        ],
    )
    def test_values_are_checked_before_anything_is_stored(
        self, site: PitstopSite, http: httpx.Client, clip: Path, fields: dict[str, str], word: str
    ) -> None:
        before = site.stored()
        assert word in refused(send(http, clip, **fields))
        assert site.stored() == before

    def test_zones_and_threshold_are_the_jobs(self, http: httpx.Client, clip: Path) -> None:
        job = send(http, clip, zones=json.dumps([ZONE]), threshold="0.25").json()["job_id"]
        told = http.get(f"/detect/jobs/{job}").json()
        assert (told["pipeline"], told["profile_name"]) == ("pitstop", "pit_stop")
        assert told["config_overrides"] == {"track_objects": {"confidence": 0.25}, "time_zones": {"zones": [ZONE]}}
        plain = send(http, clip).json()["job_id"]
        told = http.get(f"/detect/jobs/{plain}").json()
        assert told["config_overrides"] == {"track_objects": {"confidence": 0.5}}
        assert {http.delete(f"{JOBS}/{one}").status_code for one in (job, plain)} == {200}


class TestReading:
    @pytest.mark.parametrize(
        ("made", "told"),
        [
            ({"status": "pending"}, ("QUEUED", "UPLOAD", 0.0)),
            ({"status": "running", "stage": "extract_frames", "progress": 0.07}, ("PROCESSING", "UPLOAD", 0.07)),
            ({"status": "running", "stage": "detect_each_frame", "progress": 0.3}, ("PROCESSING", "DETECTING", 0.3)),
            ({"status": "running", "stage": "track_objects", "progress": 0.5}, ("PROCESSING", "TRACKING", 0.5)),
            ({"status": "running", "stage": "time_zones", "progress": 0.66}, ("PROCESSING", "TRACKING", 0.66)),
            ({"status": "paused", "stage": "render_overlays", "progress": 0.8}, ("PROCESSING", "RENDERING", 0.8)),
            ({"status": "running", "stage": "encode_video", "progress": 0.95}, ("PROCESSING", "TRANSCODING", 0.95)),
            ({"status": "completed", "progress": 1.0}, ("COMPLETE", "COMPLETE", 1.0)),
            ({"status": "failed", "stage": "detect_each_frame", "progress": 0.2}, ("FAILED", "DETECTING", 0.2)),
        ],
    )
    def test_its_state_in_the_interfaces_words(
        self, local_site: PitstopSite, made: dict[str, Any], told: tuple[str, str, float]
    ) -> None:
        done = made["status"] == "completed"
        error = "no weights: put best.pt into model_weights/" if made["status"] == "failed" else ""
        name = f"state-{made.get('stage', made['status'])}-{made['status']}"
        (job,) = local_site.build({**made, "name": name, "timed": done, "error": error})
        with local_site.of_role("viewer") as http:
            answer = http.get(f"{JOBS}/{job['id']}").json()
            listed = http.get(JOBS).json()["jobs"][0]
        assert (answer["status"], answer["stage"], answer["progress"]) == told
        assert answer.get("error") == (error or None)
        assert answer["output"] == {
            "available": done,
            "filename": f"{job['id']}_output.mp4",
            "size_bytes": len(FILM) if done else None,
        }
        assert listed.keys() == LISTED
        assert {name: listed[name] for name in LISTED - {"has_output"}} == {
            name: answer[name] for name in LISTED - {"has_output"}
        }
        assert listed["has_output"] is done

    def test_a_cancelled_job_says_so(self, local_site: PitstopSite) -> None:
        (job,) = local_site.build({"name": "stopped-by-hand", "status": "cancelled", "timed": False})
        with local_site.of_role("viewer") as http:
            answer = http.get(f"{JOBS}/{job['id']}").json()
        assert (answer["status"], answer["error"]) == ("FAILED", "The job was cancelled.")

    def test_its_log(self, local_site: PitstopSite) -> None:
        (job,) = local_site.build({"name": "log"})
        with local_site.of_role("viewer") as http:
            lines = http.get(f"{JOBS}/{job['id']}").json()["logs"]
        assert [line.partition("] ")[2] for line in lines] == [
            "INFO extract_frames: 1.00 s, frames 4",
            "WARNING the sound is not kept",
        ]
        assert all(re.match(r"\[[0-2]\d:[0-5]\d:[0-5]\d] ", line) for line in lines)

    def test_the_list_is_in_pages_newest_first(self, local_site: PitstopSite) -> None:
        made = local_site.build(*({"name": f"page-{number}", "timed": False} for number in range(3)))
        newest = [job["id"] for job in reversed(made)]
        with local_site.of_role("viewer") as http:
            total = http.get(JOBS).json()["total"]
            assert [job["job_id"] for job in http.get(JOBS).json()["jobs"]][:3] == newest
            page = http.get(JOBS, params={"limit": 1, "offset": 1}).json()
            assert ([job["job_id"] for job in page["jobs"]], page["total"]) == (newest[1:2], total)
            assert http.get(JOBS, params={"offset": total}).json() == {"jobs": [], "total": total}
            for nonsense in ({"limit": 0}, {"limit": "many"}, {"limit": -1}, {"offset": -1}, {"offset": "x"}):
                refused(http.get(JOBS, params=nonsense))

    def test_jobs_of_other_pipelines_are_not_there(self, local_site: PitstopSite) -> None:
        (other,) = local_site.build({"name": "match", "pipeline": "brands"})
        with local_site.client() as http:
            assert other["id"] not in [job["job_id"] for job in http.get(JOBS).json()["jobs"]]
            for answer in (
                http.get(f"{JOBS}/{other['id']}"),
                http.delete(f"{JOBS}/{other['id']}"),
                http.get(f"{JOBS}/{other['id']}/metrics"),
                http.get(NOBODY),
                http.delete(NOBODY),
                http.get(f"{NOBODY}/metrics"),
                http.get(f"{JOBS}/no-id"),
            ):
                refused(answer, 404)
            assert http.get(f"/detect/jobs/{other['id']}").status_code == 200


class TestDeleting:
    def test_rows_and_files_go(self, site: PitstopSite, http: httpx.Client) -> None:
        before = site.stored()
        (job,) = site.build({"name": "doomed"})
        assert site.stored() - before == {job["output"]}
        answer = http.delete(f"{JOBS}/{job['id']}")
        assert (answer.status_code, answer.json()["message"]) == (200, "Job deleted successfully")
        assert site.stored() == before
        refused(http.get(f"{JOBS}/{job['id']}"), 404)
        refused(http.delete(f"{JOBS}/{job['id']}"), 404)

    def test_one_that_runs_is_stopped_first(self, site: PitstopSite, http: httpx.Client) -> None:
        before = site.stored()
        (job,) = site.build({"name": "running-doomed", "status": "running", "stage": "track_objects"})
        assert http.delete(f"{JOBS}/{job['id']}").status_code == 200
        refused(http.get(f"{JOBS}/{job['id']}"), 404)
        assert site.stored() == before


class TestMetrics:
    def test_as_measured_and_by_hand(self, local_site: PitstopSite) -> None:
        (job,) = local_site.build({"name": "metrics"})
        path = f"{JOBS}/{job['id']}/metrics"
        with local_site.of_role("reviewer") as http:
            measured = http.get(path).json()
            assert (measured["stop_time_s"], measured["uncertainty_s"]) == (2.5, 0.05)
            assert measured["fuel_time_s"] == 1.9
            assert "driver_in_time_s" not in measured
            (zone,) = measured["zones"]
            assert (zone["name"], zone["seconds"]) == ("Fuel", 1.9)
            assert zone["visits"][0].items() >= {"start": 4.3, "end": 6.2, "track_id": 9}.items()
            changed = http.post(path, json={"stop_time_s": 2.4, "driver_in_time_s": 0})
            assert changed.status_code == 200
            assert changed.json() == http.get(path).json()
            assert (changed.json()["stop_time_s"], changed.json()["driver_in_time_s"]) == (2.4, 0)
            sources = {"stop_time_s": "manual", "fuel_time_s": "measured", "driver_in_time_s": "manual"}
            assert changed.json()["sources"] == sources
            assert changed.json()["by_hand"]["stop_time_s"]["set_by"] == "key:reviewer"
            assert http.post(path, json={"stop_time_s": None, "driver_in_time_s": None}).json() == measured

    @pytest.mark.parametrize(
        ("body", "word"),
        [
            ({"stop_time_s": -0.1}, "stop_time_s"),
            ({"stop_time_s": "2"}, "stop_time_s"),
            ({"stop_time_s": True}, "stop_time_s"),
            ({"stop_time_s": 1, "lap_time_s": 80}, "lap_time_s"),
            ({}, "fuel_time_s"),
            ([1], ""),
        ],
    )
    def test_values_that_are_none(self, local_site: PitstopSite, body: Any, word: str) -> None:
        path = f"{JOBS}/{_one_of_all(local_site)}/metrics"
        with local_site.client() as http:
            before = http.get(path).json()
            assert word in refused(http.post(path, json=body))
            assert http.get(path).json() == before

    def test_before_there_are_any(self, local_site: PitstopSite) -> None:
        (job,) = local_site.build({"name": "no-metrics", "status": "running", "stage": "track_objects", "timed": False})
        with local_site.client() as http:
            for answer in (
                http.get(f"{JOBS}/{job['id']}/metrics"),
                http.post(f"{JOBS}/{job['id']}/metrics", json={"stop_time_s": 1}),
            ):
                assert "Current status: PROCESSING, stage: TRACKING" in refused(answer, 409)


def test_who_may(local_site: PitstopSite, clip: Path) -> None:
    path = f"{JOBS}/{_one_of_all(local_site)}"
    with httpx.Client(base_url=local_site.address) as stranger:
        for method, there in (
            ("GET", JOBS),
            ("POST", JOBS),
            ("GET", path),
            ("DELETE", path),
            ("GET", f"{path}/output"),
        ):
            refused(stranger.request(method, there), 401)
    with local_site.of_role("viewer") as viewer:
        refused(send(viewer, clip), 403)
        refused(viewer.delete(path), 403)
        refused(viewer.post(f"{path}/metrics", json={"stop_time_s": 1}), 403)
        assert viewer.get(f"{path}/output", headers={"Range": "bytes=0-9"}).status_code == 206
        refused(viewer.put(path), 405)


def _one_of_all(site: PitstopSite) -> str:
    """A finished job, whichever."""
    with site.client() as http:
        for job in http.get(JOBS, params={"limit": 500}).json()["jobs"]:
            if job["has_output"] and http.head(f"{JOBS}/{job['job_id']}/output").status_code == 200:
                return str(job["job_id"])
    return str(site.build({"name": "any"})[0]["id"])


def _head(site: PitstopSite, length: int) -> dict[str, str]:
    kind = "multipart/form-data; boundary=x"
    return {"X-API-Key": site.key, "Content-Length": str(length), "Content-Type": kind}
