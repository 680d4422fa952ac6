"""Two results side by side."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from detect.checkpoints import serde
from detect.models import Checkpoint
from detect.types import KnownBrandRecord, KnownBrands
from jobs.results.accepted import result_accept
from jobs.services import job_replay
from tests.pages.text import body, inline_parts, words
from tests.report.factories import detection
from tests.trees.made import CANDIDATES, a_job, an_asset, matched_job, run

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


def test_only_what_differs_is_shown(client, db):
    asset = an_asset()
    same = detection("Acme", [0, 1, 2])
    left = run(matched_job(asset=asset, detections=[same]))
    right = run(matched_job(asset=asset, detections=[same, detection("Bolt", [4, 5])]))
    text = words(compared(client, left.id, right.id))
    assert "Bolt – 1.0 s +1.0 s 1 brand as long in both" in text
    assert "Gained 1 sighting, only in B Bolt" in text
    assert "Moved 0" in text


def test_hundreds_of_differences_come_in_pages_of_their_own(client, db):
    asset = an_asset()
    left = run(matched_job(asset=asset, detections=[detection(f"Old {n:02d}", [0, 1]) for n in range(30)]))
    right = run(matched_job(asset=asset, detections=[detection(f"New {n:02d}", [7, 8]) for n in range(60)]))
    first = compared(client, left.id, right.id)
    assert "Gained 60 sightings" in words(first)
    assert body(first).count("<figure") == 24 + 24
    assert f'href="?left={left.id}&right={right.id}&gained=2#s-gained"' in body(first)
    later = client.get(f"/compare?left={left.id}&right={right.id}&gained=3&lost=2")
    assert body(later).count("<figure") == 12 + 6
    assert "Page 3 of 3" in words(later)
    assert f'rel="prev" href="?left={left.id}&right={right.id}&gained=3&lost=1#s-lost"' in body(later)
    for odd in ("x", "0", "99999999", "²", "-1"):
        assert client.get(f"/compare?left={left.id}&right={right.id}&gained={odd}").status_code == 200


def test_what_is_left_to_people_and_what_they_confirmed(client, db):
    asset = an_asset()
    seen = [detection("Acme", [0, 1], confirmed=False)]
    unsure = serde.pack(serde.encode(KnownBrands(brands=(KnownBrandRecord("Acme", confirmed=False),))))
    left = run(matched_job(asset=asset, detections=seen, unresolved=CANDIDATES, known_brands=unsure))
    right = run(matched_job(asset=asset, detections=seen, unresolved=CANDIDATES[:1]))
    text = words(compared(client, left.id, right.id))
    assert "Left to decide 3 → 1" in text
    assert "Confirmed in B alone: Acme" in text
    assert "Confirmed in A alone: Acme" in words(compared(client, right.id, left.id))


def test_either_can_be_accepted_and_which_is_can_be_seen(client, curator, db):
    left = run(matched_job())
    right = run(job_replay(parent=left, start_stage="compile_report", overrides={}))
    page = body(compared(curator, left.id, right.id))
    assert f'action="/jobs/{right.id}/accept"' in page
    assert f'action="/jobs/{left.id}/accept"' not in page
    result_accept(job=right, by="user:cleo")
    response = compared(curator, left.id, right.id)
    assert f'action="/jobs/{left.id}/accept"' in body(response)
    assert "Accepted since" in words(response)
    assert "by cleo" in words(response)
    assert "/accept" not in body(compared(client, left.id, right.id))


def test_checkpoints_are_not_accepted(curator, db):
    job = run(matched_job())
    node = Checkpoint.objects.get(job_id=job.id, stage="match_brands")
    assert "/accept" not in body(compared(curator, node.id, job.id))


def test_pictures_whose_frames_are_gone_say_so(client, db):
    asset = an_asset()
    left = run(matched_job(asset=asset, detections=[]))
    right = run(matched_job(asset=asset, detections=[detection("Acme", [0, 1])]))
    page = body(compared(client, left.id, right.id))
    assert page.count('data-missing="its frame is gone"') == 1
    assert "js/pictures.js" in page


def test_the_same_is_said_to_be_the_same(client, db):
    job = run(matched_job())
    again = run(job_replay(parent=job, start_stage="compile_report", overrides={}))
    text = words(compared(client, job.id, again.id))
    assert "Every sighting is the same in both." in text
    assert "None: the same options throughout." in text


def test_two_checkpoints(client, db):
    job = run(matched_job())
    node = Checkpoint.objects.get(job_id=job.id, stage="match_brands")
    assert "as they were after match brands" in words(compared(client, node.id, job.id))


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
