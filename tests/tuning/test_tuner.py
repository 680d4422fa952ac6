"""Trying single stages, without a database."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from detect.byte_cache import ByteCache
from detect.errors import ConfigError, ConflictError, StorageError
from detect.frame_regions import regions_at
from detect.tuning import DEFAULT_FRAMES, Tuner, stage_overrides
from tests.matches import Finished


@pytest.mark.parametrize("stage", ["detect_edges", "detect_objects", "match_brands"])
def test_without_overrides_it_finds_what_is_stored(finished: Finished, stage: str) -> None:
    trial = Tuner().run(finished.ground(), stage=stage, config=finished.config(), sequences=_kept(finished))
    parts = finished.output(stage)
    stored = {number: [one for part in parts for one in regions_at(part, number)] for number in _kept(finished)}
    assert trial.regions == stored
    assert sum(map(len, stored.values())) > 5


def test_a_text_is_read_on_its_frame_alone(finished: Finished) -> None:
    sequence = _kept(finished)[0]
    trial = Tuner().run(finished.ground(), stage="run_ocr", config=finished.config(), sequences=[sequence])
    first = finished.output("run_ocr")[0].tracks
    there = {reading.text for track in first for reading in track.readings}
    read = {region.label for region in trial.regions[sequence]}
    assert len(read) >= 3 and read <= there


def test_options_change_what_is_found(finished: Finished) -> None:
    tuner, ground = Tuner(), finished.ground()
    strict = finished.config(detect_edges={"min_confidence": 1.0}, match_brands={"min_confidence": 1.0})
    for stage in ("detect_edges", "match_brands"):
        usual = tuner.run(ground, stage=stage, config=finished.config(), sequences=_kept(finished))
        narrow = tuner.run(ground, stage=stage, config=strict, sequences=_kept(finished))
        assert _count(narrow.regions) < _count(usual.regions)


def test_nothing_is_stored(finished: Finished) -> None:
    before = dict(finished.store._outputs), dict(finished.store._checkpoints), dict(finished.frames.jpegs)
    other = finished.config(match_brands={"min_similarity": 0.93}, detect_edges={"work_width": 480})
    for stage in ("detect_edges", "run_ocr", "match_brands"):
        Tuner().run(finished.ground(), stage=stage, config=other, sequences=[0])
    assert (finished.store._outputs, finished.store._checkpoints, finished.frames.jpegs) == before


def test_some_kept_frames_are_taken_where_none_are_named(finished: Finished) -> None:
    trial = Tuner().run(finished.ground(), stage="detect_edges", config=finished.config())
    kept = _kept(finished)
    assert len(kept) > DEFAULT_FRAMES
    assert len(trial.regions) == DEFAULT_FRAMES
    assert set(trial.regions) <= set(kept)
    assert min(trial.regions) < kept[len(kept) // 4] and max(trial.regions) > kept[-len(kept) // 4]


def test_frames_come_once_and_in_order(finished: Finished) -> None:
    trial = Tuner().run(finished.ground(), stage="detect_edges", config=finished.config(), sequences=[9, 2, 9, 0])
    assert list(trial.regions) == [0, 2, 9]


def test_overlays_are_of_the_frames_size_and_change_nothing(finished: Finished) -> None:
    tuner, ground = Tuner(), finished.ground()
    plain = tuner.run(ground, stage="detect_edges", config=finished.config(), sequences=[0, 3])
    debug = tuner.run(ground, stage="detect_edges", config=finished.config(), sequences=[0, 3], debug=True)
    assert plain.overlays == {} and debug.regions == plain.regions and list(debug.overlays) == [0, 3]
    for overlays in debug.overlays.values():
        pictures = [cv2.imdecode(np.frombuffer(body, np.uint8), 1) for body in (overlays.edges, overlays.lines)]
        assert [picture.shape for picture in pictures if picture is not None] == [(360, 640, 3)] * 2
        assert overlays.horizontal_count > 0 and overlays.pair_count > 0


def test_a_frame_is_decoded_once(finished: Finished) -> None:
    tuner, loaded = Tuner(), []

    class Counting:
        def load(self, sequence: int):
            loaded.append(sequence)
            return finished.frames.load(sequence)

    ground = finished.ground(frames=Counting())
    for _ in range(3):
        tuner.run(ground, stage="detect_edges", config=finished.config(), sequences=[1, 2])
    assert loaded == [1, 2]
    tuner.run(finished.ground(frames=Counting(), timeline="other"), stage="detect_edges", config=finished.config())
    assert len(loaded) == 2 + DEFAULT_FRAMES


@pytest.mark.parametrize(
    "stage", ["extract_frames", "filter_scenes", "escalate_vlm", "escalate_cloud", "compile_report"]
)
def test_stages_that_say_nothing_about_frames_say_so(finished: Finished, stage: str) -> None:
    with pytest.raises(ConfigError, match=f"^not tunable frame by frame: {stage}, for it .*; replay from it instead$"):
        Tuner().run(finished.ground(), stage=stage, config=finished.config())


def test_frame_that_is_not_there(finished: Finished) -> None:
    with pytest.raises(ConfigError, match=r"^frame 900 is not in the timeline: its 16 frames end with 15$"):
        Tuner().run(finished.ground(), stage="detect_edges", config=finished.config(), sequences=[3, 900])


def test_run_that_did_not_get_there(finished: Finished) -> None:
    outputs = {name: key for name, key in finished.node.outputs.items() if name in ("extract_frames", "filter_scenes")}
    early = finished.ground(node=replace(finished.node, outputs=outputs))
    assert Tuner().run(early, stage="detect_edges", config=finished.config(), sequences=[0]).regions[0]
    with pytest.raises(ConflictError, match=r"nothing to replay run_ocr from: .* detect_edges, detect_objects yet"):
        Tuner().run(early, stage="run_ocr", config=finished.config())
    with pytest.raises(ConflictError, match="no output of extract_frames, filter_scenes yet"):
        Tuner().run(finished.ground(node=None), stage="detect_edges", config=finished.config())


def test_frame_that_was_removed(finished: Finished) -> None:
    class Gone:
        def load(self, sequence: int):
            raise StorageError("the stored frame cannot be read")

    with pytest.raises(StorageError):
        Tuner().run(finished.ground(frames=Gone()), stage="detect_edges", config=finished.config())


def test_overrides_in_either_form(finished: Finished) -> None:
    pipeline = finished.pipeline
    wanted = {"detect_edges": {"max_regions": 3}}
    assert stage_overrides(pipeline, "detect_edges", {"max_regions": 3}) == wanted
    assert stage_overrides(pipeline, "detect_edges", wanted) == wanted
    assert stage_overrides(pipeline, "detect_edges", {}) == {"detect_edges": {}}
    with pytest.raises(ConfigError, match="options of run_ocr have no effect on detect_edges alone"):
        stage_overrides(pipeline, "detect_edges", {**wanted, "run_ocr": {}})
    with pytest.raises(ConfigError, match="must be an object, not 3"):
        stage_overrides(pipeline, "detect_edges", {"detect_edges": 3})


def test_cache_holds_what_fits_and_drops_the_oldest() -> None:
    cache: ByteCache[str, bytes] = ByteCache(100, len)
    made: list[str] = []

    def get(key: str, size: int = 25) -> bytes:
        return cache.get(key, lambda: made.append(key) or bytes(size))  # type: ignore[func-returns-value]

    for key in ("a", "b", "c", "d", "a", "e", "b"):
        get(key)
    assert made == ["a", "b", "c", "d", "e", "b"]
    assert cache.used == 100
    get("large", 26)
    get("large", 26)
    assert made[-2:] == ["large", "large"] and cache.used == 100


def _kept(finished: Finished) -> list[int]:
    return [sequence for part in finished.output("filter_scenes") for sequence in part.kept]


def _count(regions) -> int:
    return sum(map(len, regions.values()))
