"""Boxes over a finished job's video: those of its report, at their times, and nothing of what it does not show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from detect.geometry import iou
from detect.models import Checkpoint
from detect.overlay import DrawnTrack, build_overlay
from detect.report import Report
from detect.stages.compile_report import CompileReportInput, CompileReportOptions
from detect.stages.escalate_cloud import EscalateCloudOutput
from detect.stages.escalate_vlm import EscalateVlmOutput
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.stages.match_brands import MatchBrandsOutput
from detect.types import (
    Box,
    BrandDetection,
    Candidate,
    FrameSignals,
    KnownBrandRecord,
    KnownBrands,
    Observation,
    Sample,
    SourceInfo,
)
from jobs import boxes
from jobs.boxes import JobBoxes, job_boxes
from jobs.models import DetectJob
from jobs.selectors import job_report
from mediaproc.roles import Role

Get = Callable[..., Any]


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    boxes._overlays._kept.clear()


def box_at(track: DrawnTrack, time: float) -> tuple[float, ...] | None:
    """As the player has it: between two points on a straight line."""
    if not track.start <= time < track.end:
        return None
    before = max((row for row in track.points if row[0] <= time), default=track.points[0], key=lambda row: row[0])
    after = min((row for row in track.points if row[0] > time), default=before, key=lambda row: row[0])
    share = (time - before[0]) / (after[0] - before[0]) if after[0] > before[0] else 0.0
    return tuple(a + share * (b - a) for a, b in zip(before[1:], after[1:], strict=True))


def pixels(found: tuple[float, ...], report: Report) -> Box:
    x, y, width, height = (
        value * size for value, size in zip(found, (report.source.width, report.source.height) * 2, strict=True)
    )
    return Box(round(x), round(y), round(x + width), round(y + height))


def test_every_evidence_of_the_report_has_its_box_at_its_time(job: DetectJob) -> None:
    report = job_report(job)
    evidence = [(brand.name, one) for brand in report.brands for shown in brand.exposures for one in shown.evidence]
    assert len(evidence) > 10
    tracks = job_boxes(job.id, 0, 30).tracks
    for name, one in evidence:
        x, y, width, height = one.box
        drawn = [box_at(track, one.time + 0.0005) for track in tracks if track.brand == name]
        wanted = Box(x, y, x + width, y + height)
        assert any(found and iou(pixels(found, report), wanted) > 0.99 for found in drawn), (name, one.time, one.box)


def test_they_are_on_screen_when_the_report_says_so(job: DetectJob) -> None:
    report = job_report(job)
    tracks = job_boxes(job.id, 0, 30).tracks
    assert {track.brand for track in tracks} == {brand.name for brand in report.brands}
    for brand in report.brands:
        for track in (track for track in tracks if track.brand == brand.name):
            assert any(
                shown.start <= track.start + 0.001 and track.end <= shown.end + 0.001 for shown in brand.exposures
            ), (brand.name, track.start, track.end)
            assert track.confirmed == brand.confirmed


def test_candidates_that_nobody_decided_on_come_by_themselves(job: DetectJob) -> None:
    found = job_boxes(job.id, 0, 30)
    report = job_report(job)
    assert {track.brand for track in found.undecided} == {one.text for one in report.unresolved}
    assert not any(track.confirmed for track in found.undecided)


def test_a_window_has_what_is_drawn_in_it(job: DetectJob) -> None:
    everything = job_boxes(job.id, 0, 30).tracks
    for start in (0.0, 1.3, 3.0, 6.9):
        end = start + 1.0
        window = job_boxes(job.id, start, end).tracks
        for step in range(10):
            time = start + step / 10
            whole = sorted((track.brand, *found) for track in everything if (found := box_at(track, time)))
            part = sorted((track.brand, *found) for track in window if (found := box_at(track, time)))
            assert part == whole
        assert all(track.start <= end and track.end > start for track in window)
    assert sum(len(track.points) for track in job_boxes(job.id, 3, 4).tracks) < sum(
        len(track.points) for track in everything
    )


def test_nothing_is_decoded_again_while_it_is_kept(job: DetectJob, django_assert_num_queries: Any) -> None:
    first = job_boxes(job.id, 0, 4)
    with django_assert_num_queries(2):
        assert job_boxes(job.id, 0, 4) == first
    with django_assert_num_queries(2):
        job_boxes(job.id, 4, 8)


def test_a_replay_that_found_nothing_yet_shows_what_it_branches_off(
    job: DetectJob, django_assert_num_queries: Any
) -> None:
    first = job_boxes(job.id, 0, 4)
    replay = DetectJob.objects.create(
        source_asset=job.source_asset,
        video_path=job.video_path,
        known_brands=job.known_brands,
        parent_job=job,
        branch_point=Checkpoint.objects.filter(job_id=job.id).latest("stage_index"),
    )
    with django_assert_num_queries(3):
        assert job_boxes(replay.id, 0, 4) == first


def test_what_a_job_has_so_far(job: DetectJob) -> None:
    everything = job_boxes(job.id, 0, 30)
    Checkpoint.objects.filter(job_id=job.id, stage="compile_report").delete()
    Checkpoint.objects.filter(job_id=job.id, stage__startswith="escalate").delete()
    assert job_boxes(job.id, 0, 30) == everything  # no model had been asked
    Checkpoint.objects.filter(job_id=job.id, stage="match_brands").delete()
    assert job_boxes(job.id, 0, 30) == JobBoxes([], [])
    Checkpoint.objects.filter(job_id=job.id).delete()
    assert job_boxes(job.id, 0, 30) == JobBoxes([], [])


def test_one_file_of_a_window(client: Client, key_of: Callable[[Role], dict[str, str]], job: DetectJob) -> None:
    answer = client.get(reverse("job-boxes", args=[job.id]), {"from": "2", "to": "4.5"}, headers=key_of(Role.VIEWER))
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    told = answer.json()
    tracks = job_boxes(job.id, 2, 4.5).tracks
    assert [(track["brand"], track["points"]) for track in told["tracks"]] == [
        (one.brand, one.points) for one in tracks
    ]
    first = told["tracks"][0]
    assert set(first) == {"brand", "confirmed", "placement", "start", "end", "seen_from", "seen_to", "points"}
    assert all(len(point) == 5 for point in first["points"])
    assert isinstance(told["undecided"], list)


@pytest.mark.parametrize(
    "query",
    [
        {"from": "5", "to": "5"},
        {"from": "6", "to": "5"},
        {"from": "-1", "to": "5"},
        {"from": "0", "to": "601"},
        {"from": "nan", "to": "5"},
        {"from": "0", "to": "inf"},
        {"from": "inf"},
        {"from": "soon"},
    ],
)
def test_what_is_no_window(
    client: Client, key_of: Callable[[Role], dict[str, str]], job: DetectJob, query: dict[str, str]
) -> None:
    answer = client.get(reverse("job-boxes", args=[job.id]), query, headers=key_of(Role.VIEWER))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_the_first_half_minute_where_nothing_is_said(
    client: Client, key_of: Callable[[Role], dict[str, str]], job: DetectJob
) -> None:
    path = reverse("job-boxes", args=[job.id])
    plain = client.get(path, headers=key_of(Role.VIEWER))
    assert plain.content == client.get(path, {"from": "0", "to": "30"}, headers=key_of(Role.VIEWER)).content


def test_a_job_that_nobody_knows(client: Client, key_of: Callable[[Role], dict[str, str]], db: None) -> None:
    answer = client.get(reverse("job-boxes", args=[UUID(int=5)]), headers=key_of(Role.VIEWER))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


SOURCE = SourceInfo("match.mp4", "0" * 64, 10.0, 1000, 500, "25/1", False, 0.0)


NOBODY = KnownBrands()


def drawn(
    *, detections: list[BrandDetection], unresolved: list[Candidate], known: KnownBrands = NOBODY, **options: Any
) -> tuple[list[DrawnTrack], list[DrawnTrack]]:
    samples = [Sample(index, index / 2, "", "", index / 2 + 0.04) for index in range(20)]
    data = CompileReportInput(
        extract_frames=[ExtractFramesOutput(samples=samples, signals=FrameSignals([], [], [], []), ended_at=10.0)],
        filter_scenes=[FilterScenesOutput(kept=[4], stands_for={5: 4}, cuts=[])],
        detect_objects=[],
        match_brands=MatchBrandsOutput(detections=detections, unresolved=unresolved),
        escalate_vlm=EscalateVlmOutput(detections=[], unresolved=unresolved, calls=[]),
        escalate_cloud=EscalateCloudOutput(detections=[], unresolved=unresolved, calls=[]),
    )
    return build_overlay(data, SOURCE, CompileReportOptions(**options), known).between(0, 10)


def detection(brand: str, confidence: float = 0.9, **change: Any) -> BrandDetection:
    values = {"source": "ocr", "text": brand, "placement": "board", "rule": "exact"}
    seen = [Observation(4, Box(100, 50, 200, 100), 0.9)]
    return BrandDetection(brand=brand, confidence=confidence, observations=seen, **{**values, **change})


def candidate(text: str, *, brand_like: bool) -> Candidate:
    box = Box(400, 50, 500, 100)
    return Candidate(text, text, 0.8, "board", [Observation(8, box, 0.8)], 8, box, 1, "", brand_like=brand_like)


def test_lettering_that_is_proposed_as_a_brand_is_one_that_is_not_confirmed() -> None:
    brands, undecided = drawn(
        detections=[detection("Acme")],
        unresolved=[candidate("PROPOSED", brand_like=True), candidate("whatever", brand_like=False)],
    )
    assert [(one.brand, one.confirmed) for one in brands] == [("Acme", True), ("PROPOSED", False)]
    assert [(one.brand, one.confirmed) for one in undecided] == [("whatever", False)]


def test_whether_it_is_confirmed_is_what_the_job_knew_of_the_brand() -> None:
    known = KnownBrands(brands=(KnownBrandRecord("Acme", confirmed=False), KnownBrandRecord("Bolt")))
    guesses = [detection(name, confirmed=name == "Acme") for name in ("Acme", "Bolt", "Corp")]
    brands, _ = drawn(detections=guesses, unresolved=[], known=known)
    assert {one.brand: one.confirmed for one in brands} == {"Acme": False, "Bolt": True, "Corp": False}


def test_what_the_report_leaves_out_is_not_drawn() -> None:
    both = [detection("Acme"), detection("Bolt", confidence=0.4)]
    brands, _ = drawn(detections=both, unresolved=[], min_confidence=0.5)
    assert {one.brand for one in brands} == {"Acme"}
    brands, _ = drawn(detections=both, unresolved=[], min_seconds=5.0)
    assert brands == []


def test_near_duplicates_have_the_box_of_the_frame_that_stands_for_them() -> None:
    (one,), _ = drawn(detections=[detection("Acme")], unresolved=[])
    assert [point[0] for point in one.points][1:3] == [2.0, 2.5]
    assert one.points[1][1:] == one.points[2][1:] == [0.1, 0.1, 0.1, 0.1]
