"""The truth agrees with the pixels, with itself, and with the scoring rule."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from detect.errors import MediaError, StorageError
from detect.scoring import score
from detect.synthetic import Truth
from detect.synthetic.brands import Brand, colour
from detect.synthetic.truth import CERTAIN, CERTAIN_TEXT, PLACEMENTS, ROW, BrandTruth
from tests.synthetic.conftest import Rendered


def _inkiness(picture: npt.NDArray[np.uint8], brand: Brand) -> npt.NDArray[np.float64]:
    """For each pixel how far its colour is on the way from the board's ground (0) to the lettering's ink (1)."""
    ground, ink = (np.array(colour(code), np.float64) for code in (brand.ground, brand.ink))
    way = ink - ground
    return np.asarray((picture - ground) @ way / (way @ way), np.float64)


def test_every_clearly_seen_mark_shows_its_brands_colours_in_the_decoded_video(rendered: Rendered) -> None:
    """Not only where it is drawn but in the file, at the frame that the truth names."""
    brands: dict[str, Brand] = {brand.name: brand for brand in rendered.match.brands}
    checked = set()
    for number, picture in rendered.frames():
        for row in rendered.truth.boxes(number):
            brand, placement = brands[rendered.truth.brands[row["brand"]].name], PLACEMENTS[row["placement"]]
            plain = placement in ("board", "led", "overlay") and brand.kind == "text" and not brand.face.outline
            if not plain or row["visible"] < 0.99 or row["size"] < 9 or row["blur"] > 2.5:
                continue
            inside = picture[row["y1"] : row["y2"], row["x1"] : row["x2"]]
            inkiness = _inkiness(inside, brand)
            assert np.percentile(inkiness, 10) < 0.25, (number, brand.name, placement)
            assert np.percentile(inkiness, 95) > 0.6, (number, brand.name, placement)
            checked.add((brand.name, placement))
    assert len(checked) >= 3


def test_boxes_lie_in_the_picture_and_are_about_as_tall_as_the_lettering(rendered: Rendered) -> None:
    rows = rendered.truth.rows
    assert len(rows) > 0
    assert (rows["x1"] >= 0).all()
    assert (rows["y1"] >= 0).all()
    assert (rows["x2"] <= rendered.match.width).all()
    assert (rows["y2"] <= rendered.match.height).all()
    assert (rows["x1"] < rows["x2"]).all()
    whole = rows[(rows["visible"] > 0.99) & (rows["size"] > 10)]
    assert (whole["y2"] - whole["y1"] >= whole["size"] * 0.8).all()


def test_a_brand_is_certain_exactly_in_the_frames_of_its_certain_spans(rendered: Rendered) -> None:
    truth = rendered.truth
    for known in truth.brands:
        inside = np.zeros(len(truth.pts), bool)
        for span in truth.spans(known.name):
            if span.certain:
                inside |= [span.start <= truth.time(frame) < span.end for frame in range(len(truth.pts))]
        assert np.array_equal(inside, truth.states(known.name) == CERTAIN), known.name
        assert truth.seconds(known.name) == pytest.approx(float(inside.sum() / rendered.match.fps))


def test_a_certain_frame_has_a_mark_that_is_large_and_free_enough(rendered: Rendered) -> None:
    truth = rendered.truth
    for index, known in enumerate(truth.brands):
        for frame in np.flatnonzero(truth.states(known.name) == CERTAIN):
            boxes = truth.boxes(int(frame))
            own = boxes[boxes["brand"] == index]
            assert ((own["size"] >= CERTAIN_TEXT) & (own["visible"] >= 0.6)).any()


def test_spans_begin_and_end_on_frames_and_change_at_cuts(rendered: Rendered) -> None:
    truth = rendered.truth
    times = {truth.time(frame) for frame in range(len(truth.pts) + 1)}
    spans = [span for known in truth.brands for span in truth.spans(known.name)]
    assert all(span.start in times and span.end in times and span.start < span.end for span in spans)
    assert truth.cuts == tuple(shot.start for shot in rendered.match.shots[1:])
    cut = truth.time(truth.cuts[0])
    assert any(cut in (span.start, span.end) for span in spans)
    for known in truth.brands:
        own = list(truth.spans(known.name))
        assert all(before.end <= after.start for before, after in pairwise(own))


def test_several_brands_are_certain_and_something_is_not(rendered: Rendered) -> None:
    entries = rendered.truth.to_spans()
    assert len({entry["brand"] for entry in entries if not entry.get("uncertain")}) >= 4
    assert any(entry.get("uncertain") for entry in entries)


def test_a_report_that_repeats_the_truth_scores_one_and_a_shifted_one_less(rendered: Rendered) -> None:
    entries = rendered.truth.to_spans()
    exact: dict[str, list[tuple[float, float]]] = {}
    for entry in entries:
        if not entry.get("uncertain"):
            exact.setdefault(entry["brand"], []).append((entry["t_start"], entry["t_end"]))
    assert score(exact, entries).f1 == 1
    shifted = {name: [(start + 1, end + 1) for start, end in spans] for name, spans in exact.items()}
    assert score(shifted, entries).f1 < 0.95


def test_truth_survives_saving_and_reads_like_the_truth_of_real_clips(rendered: Rendered, tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    rendered.truth.save(path)
    loaded = Truth.load(path)
    assert loaded.to_spans() == rendered.truth.to_spans()
    assert np.array_equal(loaded.rows, rendered.truth.rows)
    assert (loaded.brands, loaded.cuts, loaded.time_base) == (
        rendered.truth.brands,
        rendered.truth.cuts,
        rendered.truth.time_base,
    )
    assert json.loads(path.read_text())["spans"] == rendered.truth.to_spans()
    assert path.stat().st_size < 60_000


@pytest.mark.parametrize(
    "content", ["", "{}", '{"schema": "other/1"}', '{"schema": "mediaproc.truth/1", "width": 3}', "[]"]
)
def test_something_else_is_not_taken_for_truth(content: str, tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    path.write_text(content)
    with pytest.raises(MediaError):
        Truth.load(path)


def test_truth_that_cannot_be_written_says_where(rendered: Rendered, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="nowhere"):
        rendered.truth.save(tmp_path / "nowhere" / "truth.json")


def _single_mark(**values: float) -> Truth:
    row = {"visible": 1.0, "size": 20.0, "blur": 0.0, "placement": 0, "x2": 9, "y2": 9, **values}
    rows = np.zeros(1, ROW)
    for name, value in row.items():
        rows[name] = value
    pts = np.arange(2, dtype=np.int64)
    return Truth(100, 100, Fraction(1, 10), pts, 2, (BrandTruth("Velmora", "text", ()),), rows)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, [False]),
        ({"visible": 0.5}, [True]),
        ({"visible": 0.01}, []),
        ({"size": 6}, [True]),
        ({"size": 2}, []),
        ({"blur": 19}, [True]),
    ],
)
def test_what_nobody_could_read_is_uncertain_and_what_nobody_could_see_is_absent(
    values: dict[str, float], expected: list[bool]
) -> None:
    assert [entry.get("uncertain", False) for entry in _single_mark(**values).to_spans()] == expected


def test_repeated_truth_has_the_same_spans_again(rendered: Rendered) -> None:
    truth, twice = rendered.truth, rendered.truth.repeated(2)
    frames = len(truth.pts)
    assert twice.duration == 2 * truth.duration
    for known in truth.brands:
        once = truth.states(known.name)
        assert np.array_equal(twice.states(known.name), np.tile(once, 2))
    assert twice.cuts == (*truth.cuts, frames, *(frames + cut for cut in truth.cuts))
    assert np.array_equal(twice.boxes(frames + 3)["x1"], truth.boxes(3)["x1"])
