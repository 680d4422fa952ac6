"""Two results side by side."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from detect.models import Checkpoint
from jobs.services import job_replay
from tests.pages.text import body, inline_parts, words
from tests.report.factories import detection
from tests.trees.made import a_job, an_asset, matched_job, run

pytestmark = pytest.mark.usefixtures("storage")


def compared(client: Client, left: uuid.UUID | str, right: uuid.UUID | str) -> Any:
    return client.get(f"/compare?left={left}&right={right}")


def test_gained_lost_and_the_options_that_differ(client, db):
    asset = an_asset()
    left = run(matched_job(asset=asset, detections=[detection("Acme", [0, 1, 2])]))
    right = run(
        matched_job(
            asset=asset,
            detections=[detection("<Bolt>", [4, 5])],
            overrides={"run_ocr": {"min_confidence": 0.7}},
        )
    )
    response = compared(client, left.id, right.id)
    page, text = body(response), words(response)
    assert "Gained 1 sighting, only in B" in text
    assert "Lost 1 sighting, only in A" in text
    assert "min confidence Read text 0.5 0.7" in text
    assert f"/jobs/{left.id}/crops/" in page
    assert f"/jobs/{right.id}/crops/" in page
    assert "&lt;Bolt&gt;" in response.content.decode()
    assert f'href="?left={right.id}&right={left.id}"' in page
    assert inline_parts(response) == []


def test_the_same_is_said_to_be_the_same(client, db):
    job = run(matched_job())
    again = run(job_replay(parent=job, start_stage="compile_report", overrides={}))
    text = words(compared(client, job.id, again.id))
    assert "Every sighting is the same in both." in text
    assert "None: the same options throughout." in text


def test_two_checkpoints(client, db):
    job = run(matched_job())
    node = Checkpoint.objects.get(job_id=job.id, stage="match_brands")
    assert "as it was after match brands" in words(compared(client, node.id, job.id))


def test_nothing_chosen_says_where_to_choose(client, db):
    response = client.get("/compare")
    assert response.status_code == 200
    assert "in a job's tree" in words(response)


@pytest.mark.parametrize("text", ["x", "", "%00"])
def test_what_is_no_id(client, db, text):
    assert client.get(f"/compare?left={text}&right={uuid.UUID(int=1)}").status_code == 400


def test_an_unknown_id(client, db):
    response = compared(client, uuid.UUID(int=1), uuid.UUID(int=2))
    assert response.status_code == 404
    assert "There is no job and no checkpoint" in words(response)


def test_results_of_two_videos_are_not_compared(client, db):
    one, other = run(matched_job()), run(matched_job(asset=an_asset(sha256="f" * 64)))
    response = compared(client, one.id, other.id)
    assert response.status_code == 400
    assert "different videos" in words(response)


def test_a_job_that_has_not_got_so_far(client, db):
    job = run(matched_job())
    response = compared(client, job.id, a_job(job.source_asset).id)
    assert response.status_code == 400
    assert "got as far as nothing" in words(response)
