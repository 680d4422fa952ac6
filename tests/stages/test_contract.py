"""What every stage of the brand pipeline must do, checked on a real run over a small synthetic match."""

from __future__ import annotations

import msgspec
import pytest

from detect.checkpoints import serde
from detect.errors import CancelledError
from detect.options import convert_options, describe_option
from detect.registry import load_pipeline
from detect.resources import Resources
from detect.stages.base import Video
from tests.stages.recording import Recorded, call_again, record_brand_pipeline

NAMES = [stage.name for stage in load_pipeline("brands").stages]
# these do nothing where no model or provider is configured, and say so
SKIPPED = {"detect_objects", "escalate_vlm", "escalate_cloud"}


@pytest.fixture(scope="module")
def calls(tmp_path_factory) -> list[Recorded]:
    return record_brand_pipeline(tmp_path_factory.mktemp("match"))


@pytest.fixture(params=NAMES)
def calls_of(request, calls) -> list[Recorded]:
    return [call for call in calls if call.stage.name == request.param]


def test_a_chunk_stage_runs_once_a_chunk_and_an_asset_stage_once(calls_of):
    assert len(calls_of) == (2 if calls_of[0].stage.scope == "chunk" else 1)


def test_the_same_input_gives_the_same_bytes(calls_of):
    for call in calls_of:
        assert serde.encode(call_again(call)) == serde.encode(call.output)


def test_an_output_survives_being_stored(calls_of):
    for call in calls_of:
        packed = serde.pack(serde.encode(call.output))
        assert serde.unpack(packed, call.stage.Output) == call.output


def test_progress_rises_to_its_total(calls_of):
    for call in calls_of:
        steps: list[float] = []
        call_again(call, progress=lambda done, total, steps=steps: steps.append(done / total))
        assert steps == sorted(steps)
        assert not steps or (steps[0] > 0 and steps[-1] == 1)


def test_work_on_frames_can_be_stopped(calls_of):
    call = calls_of[0]
    if call.stage.scope == "asset" or call.stage.name in SKIPPED:
        pytest.skip(f"{call.stage.name} has no long work here: it was skipped, or reads no frame")

    def stop() -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        call_again(call, checkpoint=stop)


def test_a_stage_that_did_nothing_says_why_and_another_gives_figures(calls_of):
    for call in calls_of:
        assert bool(call.output.skipped) == (call.stage.name in SKIPPED)
        assert call.output.skipped or call.output.stats


@pytest.mark.parametrize("video", [None, Video("/nowhere/match.mp4", "0", "5")])
def test_texts_are_read_without_the_video_too_and_wait_for_their_edges(calls, video):
    call = next(call for call in calls if call.stage.name == "run_ocr")
    known = [edge for track in call.output.tracks for edge in (track.appears, track.vanishes) if edge is not None]
    assert known and all(0 <= edge.time <= 10 and edge.uncertainty < 0.25 for edge in known)
    without = call.stage.run(call.context, msgspec.structs.replace(call.data, video=video))
    assert without.incomplete and not call.output.incomplete
    for there, here in zip(call.output.tracks, without.tracks, strict=True):
        # between samples a text may be seen to be on the next one, too
        assert set(here.observations) <= set(there.observations)
        assert here == msgspec.structs.replace(there, appears=None, vanishes=None, observations=here.observations)


@pytest.mark.parametrize("stage", load_pipeline("brands").stages, ids=NAMES)
def test_every_option_has_a_default_and_says_what_it_is(stage):
    options = convert_options(stage, {})
    assert isinstance(options, stage.Options)
    for name in stage.Options.__struct_fields__:
        described = describe_option(stage, name)
        assert "default" in described
        assert len(described) > 30, f"{stage.name}.{name} has no description"


@pytest.mark.parametrize("stage", load_pipeline("brands").stages, ids=NAMES)
def test_model_digests_are_stable_and_need_no_model_loaded(stage):
    options = convert_options(stage, {})
    first, again = (stage.model_digests(options, Resources()) for _ in range(2))
    assert first == again
    assert all(isinstance(digest, str) for digest in first)


def test_the_run_found_brands_of_the_match(calls):
    brands = calls[-1].output.brands
    assert brands
    assert all(brand.seconds > 0 and brand.exposures and brand.exposures[0].evidence for brand in brands)
