"""compile_report on what the stages before it leave: skipped, broken off, in chunks, nothing."""

from __future__ import annotations

import msgspec
import pytest

from detect.checkpoints import serde
from detect.stages.compile_report import CompileReport, CompileReportOptions
from detect.stages.detect_objects import DetectObjectsOutput
from detect.stages.escalate_vlm import EscalateVlmOutput
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.types import (
    FrameSignals,
    Sample,
)
from tests.report.factories import compile_case, detection, extracted


class TestNotesAndSource:
    def test_skipped_and_incomplete_stages_are_noted_once(self):
        report = compile_case(
            [],
            detect_objects=[DetectObjectsOutput(regions={}, skipped="no weights")] * 3,
            escalate_vlm=EscalateVlmOutput(detections=[], unresolved=[], calls=[], incomplete=True),
        )
        assert [(note.stage, note.kind) for note in report.notes] == [
            ("detect_objects", "skipped"),
            ("escalate_vlm", "incomplete"),
        ]
        assert report.notes[0].reason == "no weights"

    def test_chunks_join(self):
        parts = [extracted(10), extracted(10, first=10)]
        scenes = [FilterScenesOutput(kept=[], stands_for={}, cuts=[])] * 2
        report = compile_case(
            [detection("Acme", [9]), detection("Acme", [10])], extract_frames=parts, filter_scenes=scenes
        )
        (exposure,) = report.brands[0].exposures
        assert (exposure.start, exposure.end) == (4.27, 5.27)
        assert report.analyzed_seconds == 10.0

    def test_a_broken_file_says_where(self):
        report = compile_case([], extract_frames=[extracted(4, problems=["the video breaks off"])])
        assert report.analyzed_seconds == 2.0
        assert report.problems == ["the video breaks off"]

    def test_an_observation_on_no_sample_is_a_fault(self):
        with pytest.raises(ValueError, match="never sampled"):
            compile_case([detection("Acme", [99])])

    def test_pictures_that_do_not_tell_how_long_they_stay_count_a_frame(self):
        samples = [Sample(index * 20, index * 10.0, "", "") for index in range(3)]
        pictures = ExtractFramesOutput(samples=samples, signals=FrameSignals([], [], [], []))
        report = compile_case([detection("Acme", [20])], extract_frames=[pictures])
        (brand,) = report.brands
        assert [(item.start, item.end) for item in brand.exposures] == [(10.0, 10.04)]

    def test_a_single_picture(self):
        picture = ExtractFramesOutput(
            samples=[Sample(0, 0.0, "", "", 0.0)], signals=FrameSignals([], [], [], []), ended_at=0.0
        )
        (brand,) = compile_case([detection("Acme", [0])], extract_frames=[picture]).brands
        assert (brand.seconds, brand.share_of_voice, brand.clarity) == (0.0, 0.0, 0.8)

    def test_empty_video(self):
        report = compile_case([], extract_frames=[], filter_scenes=[])
        assert (report.brands, report.analyzed_seconds) == ([], 0.0)


def test_it_is_a_stage_whose_output_can_be_stored():
    output = compile_case([detection("Acme", [2, 3, 4])], cuts=[0.8])
    stage = CompileReport()
    assert serde.unpack(serde.pack(serde.encode(output)), stage.Output) == output
    assert stage.uses_known_brands


def test_options_are_checked():
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"currency": "dollars"}, type=CompileReportOptions)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"full_size_share": 0}, type=CompileReportOptions)
