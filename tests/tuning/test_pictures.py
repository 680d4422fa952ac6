"""A job's frames and crops for programs."""

from __future__ import annotations

import uuid

import cv2
import numpy as np
import pytest

from jobs.models import DetectJob

pytestmark = pytest.mark.django_db


@pytest.fixture
def frames(operator, job: DetectJob):
    def get(path: str = "", query: dict[str, object] | None = None, **extra):
        return operator.get(f"/detect/jobs/{job.id}/frames{path}", query or {}, **extra)

    return get


def test_list_of_frames(frames, job: DetectJob) -> None:
    body = frames().json()
    assert body["total"] == 16 == len(body["frames"])
    assert body["frames"][2] == {"sequence": 2, "timestamp": 1.0, "url": f"/detect/jobs/{job.id}/frames/2.jpg"}
    page = frames(query={"offset": 14, "limit": 5}).json()
    assert [frame["sequence"] for frame in page["frames"]] == [14, 15] and page["total"] == 16
    for query in ({"limit": 0}, {"limit": 10_001}, {"offset": -1}, {"offset": "x"}):
        assert frames(query=query).status_code == 400


def test_job_without_frames_yet(frames) -> None:
    DetectJob.objects.update(timeline=None)
    assert frames().json() == {"frames": [], "total": 0}
    assert frames("/0.jpg").status_code == 404


def test_frame_as_it_is_stored(frames, finished) -> None:
    for accept in ("image/jpeg", "image/avif,*/*;q=0.8", "text/html"):
        answer = frames("/3.jpg", headers={"Accept": accept})
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
        assert answer.content == finished.frames.jpegs[3]
        assert answer["Cache-Control"].startswith("private, max-age=")


def test_crop_of_a_frame(frames, finished) -> None:
    answer = frames("/3.jpg", {"box": "100,50,200,40"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    crop = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert crop is not None
    height, width = crop.shape[:2]
    assert 200 <= width <= 260 and 40 <= height <= 100
    whole = finished.frames.load(3)
    grown = (width - 200) // 2
    shown = whole[50 - (height - 40) // 2 :, 100 - grown :][:height, :width]
    assert np.abs(crop.astype(int) - shown).mean() < 6


@pytest.mark.parametrize(
    "box", ["", "1,2,3", "1,2,3,0", "-1,2,3,4", "a,b,c,d", "1,2,3,4,5", "1.5,2,3,4", "1,2,3,999999", "١,2,3,4"]
)
def test_box_that_is_none(frames, box: str) -> None:
    answer = frames("/3.jpg", {"box": box})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/json")
    assert answer.json()["detail"] == "box: Give x,y,w,h: whole pixels, width and height over 0."


def test_what_is_not_there(frames, operator) -> None:
    for path, query in (("/99.jpg", {}), ("/99.jpg", {"box": "1,1,9,9"}), ("/3.jpg", {"box": "9000,1,9,9"})):
        answer = frames(path, query, headers={"Accept": "image/jpeg"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    unknown = uuid.uuid4()
    assert operator.get(f"/detect/jobs/{unknown}/frames").status_code == 404
    assert operator.get(f"/detect/jobs/{unknown}/frames/0.jpg").status_code == 404


def test_it_needs_a_key(client, job: DetectJob) -> None:
    for path in ("", "/0.jpg"):
        assert client.get(f"/detect/jobs/{job.id}/frames{path}").status_code == 401
