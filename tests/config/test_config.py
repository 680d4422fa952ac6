"""Options are named and checked before anything runs."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detect.config import builtin_profiles, resolve
from detect.errors import ConfigError
from detect.options import merge, parse_assignments
from detect.planner import chunk_windows, input_fields
from detect.registry import load_pipeline


@pytest.fixture(scope="module")
def brands():
    return load_pipeline("brands")


def test_the_brand_pipeline_has_its_nine_stages_in_order(brands):
    assert [stage.name for stage in brands.stages] == [
        "extract_frames", "filter_scenes", "detect_edges", "detect_objects", "run_ocr", "match_brands", "escalate_vlm",
        "escalate_cloud", "compile_report",
    ]  # fmt: skip


def test_every_stage_reads_only_stages_before_it_and_says_what_it_is(brands):
    for index, stage in enumerate(brands.stages):
        assert set(input_fields(stage)) <= {earlier.name for earlier in brands.stages[:index]}
        assert (stage.__doc__ or "").strip()
        assert stage.version >= 1
        assert stage.scope in ("chunk", "asset")


@pytest.mark.parametrize("profile", builtin_profiles())
def test_every_profile_resolves(profile):
    pipeline = load_pipeline(builtin_profiles()[profile].pipeline or "brands")
    assert set(resolve(pipeline, profile).options) == {stage.name for stage in pipeline.stages}


@pytest.mark.parametrize(
    ("overrides", "parts"),
    [
        ({"run_ocd": {}}, ["unknown stage 'run_ocd'", "run_ocr", "compile_report"]),
        ({"run_ocr": {"speed": 1}}, ["unknown option 'run_ocr.speed'", "min_confidence"]),
        ({"run_ocr": {"min_confidence": 2}}, ["run_ocr.min_confidence", "2", "at most 1", "default 0.5"]),
        ({"extract_frames": {"fps": "fast"}}, ["extract_frames.fps", "fast", "at least 0.05"]),
        ({"extract_frames": {"fps": 0}}, ["extract_frames.fps", "at least 0.05"]),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(brands, overrides, parts):
    with pytest.raises(ConfigError) as caught:
        resolve(brands, "soccer_broadcast", overrides)
    for part in parts:
        assert part in str(caught.value)


def test_an_unknown_profile_is_named_with_those_there_are(brands, monkeypatch):
    monkeypatch.setattr("detect.config._saved_profiles", None)
    with pytest.raises(ConfigError, match=r"unknown profile 'curling': there are .*soccer_broadcast"):
        resolve(brands, "curling")


def test_overrides_win_over_the_profile_and_the_profile_over_defaults(brands):
    assert resolve(brands, "motorsport").options["extract_frames"].fps == 3.0
    assert resolve(brands, "motorsport", {"extract_frames": {"fps": 5}}).options["extract_frames"].fps == 5.0
    assert resolve(brands).options["extract_frames"].fps == 2.0


def test_assignments_are_read_as_typed_values():
    parsed = parse_assignments(["run_ocr.min_confidence=0.7", "detect_objects.classes=[person, car]", "a.b=true"])
    assert parsed == {
        "run_ocr": {"min_confidence": 0.7}, "detect_objects": {"classes": ["person", "car"]}, "a": {"b": True},
    }  # fmt: skip


@pytest.mark.parametrize("text", ["fps=2", "extract_frames.fps", "=", ".=1", "extract_frames.=1", "a.b=[1"])
def test_a_malformed_assignment_is_said_to_be_one(text):
    with pytest.raises(ConfigError, match=r"stage\.option=value|cannot be read"):
        parse_assignments([text])


def test_merging_changes_neither_side():
    base, top = {"a": {"x": 1}}, {"a": {"y": 2}, "b": {"z": 3}}
    assert merge(base, top) == {"a": {"x": 1, "y": 2}, "b": {"z": 3}}
    assert base == {"a": {"x": 1}}
    assert top == {"a": {"y": 2}, "b": {"z": 3}}


@given(st.floats(0, 20000), st.integers(5, 600))
def test_chunks_cover_the_video_without_gap_overlap_or_sliver(duration, seconds):
    chunks = list(chunk_windows(duration, seconds))
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    assert chunks[0].start == "0"
    assert chunks[-1].end is None
    for chunk, following in itertools.pairwise(chunks):
        assert chunk.end == following.start
    assert len(chunks) == 1 or Fraction(str(duration)) - Fraction(chunks[-1].start) >= Fraction(seconds, 2)
