"""The page on which settings are tried."""

from __future__ import annotations

import json
import re
from typing import Any

import cv2
import numpy as np
import pytest

from jobs.frames import job_frame_list
from jobs.models import DetectJob
from mediaproc.roles import Role
from tests.pages.text import body, inline_parts, words
from tests.trees.made import matched_job

pytestmark = pytest.mark.usefixtures("storage")


@pytest.fixture
def job(db, storage) -> DetectJob:
    made = matched_job(frames=True)
    assert made.timeline is not None
    made.timeline.frames_meta = [{"sequence": number, "timestamp": number / 2} for number in range(10)]
    made.timeline.save()
    return made


def setup_of(response: Any) -> dict[str, Any]:
    found = re.search(r'<script id="tune-setup" type="application/json">(.*?)</script>', response.content.decode())
    assert found is not None
    return json.loads(found[1])


def test_the_first_stage_that_can_be_tried_with_its_sliders(operator, job):
    response = operator.get(f"/jobs/{job.id}/tune")
    page = body(response)
    assert setup_of(response)["stage"] == "detect_edges"
    assert setup_of(response)["address"] == "/detect/replay-stage"
    assert 'type="range" min="1" max="45" step="0.5"' in page
    assert 'name="option.run_ocr.min_confidence"' not in page
    assert "Lines and pairs" in page
    assert inline_parts(response) == []


def test_frames_are_those_that_were_kept(operator, job):
    page = body(operator.get(f"/jobs/{job.id}/tune?stage=run_ocr&frame=7"))
    sequences = [int(text) for text in re.findall(r'data-sequence="(\d+)"', page)]
    assert sequences == [frame["sequence"] for frame in job_frame_list(job.id)]
    assert f'id="frame" src="/jobs/{job.id}/frames/7.jpg"' in page


@pytest.mark.parametrize("query", ["stage=compile_report", "stage=%00", "frame=999", "frame=x", "frame=²"])
def test_whatever_is_in_the_address(operator, job, query):
    assert operator.get(f"/jobs/{job.id}/tune?{query}").status_code == 200


def test_the_values_are_those_of_the_job(operator, job):
    job.config_overrides = {"detect_edges": {"max_angle_degrees": 12}}
    job.save()
    assert 'name="option.detect_edges.max_angle_degrees" value="12"' in body(operator.get(f"/jobs/{job.id}/tune"))


def test_before_there_are_frames_it_says_so(operator, make_job):
    job = make_job(status="pending")
    assert "There are no frames" in words(operator.get(f"/jobs/{job.id}/tune"))


def test_small_frames(client, job):
    response = client.get(f"/jobs/{job.id}/thumbs/3.jpg")
    image = cv2.imdecode(np.frombuffer(response.content, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape[1] == 240
    assert client.get(f"/jobs/{job.id}/thumbs/99.jpg").status_code == 404


def test_only_operators_try(client_of, job):
    assert client_of(Role.CURATOR).get(f"/jobs/{job.id}/tune").status_code == 403
