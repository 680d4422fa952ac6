"""Files of a report: what is in them, and that they are whole or absent."""

from __future__ import annotations

import os

import cv2
import msgspec
import numpy as np
import pytest

from detect.errors import StorageError
from detect.exports.crops import cut_crop, wanted_crops
from detect.exports.files import write_atomic
from detect.report import SCHEMA, Xywh, from_json, to_json
from detect.stages.base import Image
from jobs.exports import write_report
from tests.report.sample import HEIGHT, WIDTH, DrawnFrames, sample_report


@pytest.fixture(scope="module")
def report():
    return sample_report()


class TestJson:
    def test_the_published_fields_are_there(self, report):
        body = msgspec.json.decode(to_json(report))
        assert body["schema"] == SCHEMA == "mediaproc.report/1"
        assert {"job_id", "checkpoint_id", "pipeline", "profile", "config_digest", "unresolved"} <= body.keys()
        assert {"path", "sha256", "duration", "width", "height", "frame_rate"} <= body["source"].keys()
        brand = body["brands"][0]
        assert {
            *("name", "brand_id", "confirmed", "seconds", "seconds_uncertainty", "occurrences", "share_of_voice"),
            *("mean_area_share", "max_area_share", "clarity", "quality_score", "media_value", "by_placement"),
        } <= brand.keys()
        exposure = brand["exposures"][0]
        assert {
            *("start", "end", "start_uncertainty", "end_uncertainty", "placement", "position", "mean_confidence"),
            *("source", "evidence"),
        } <= exposure.keys()
        assert {"time", "sequence", "box", "text", "confidence", "crop"} <= exposure["evidence"][0].keys()
        assert len(exposure["evidence"][0]["box"]) == 4
        assert {"text", "seconds", "crop", "reason", "suggestions"} <= body["unresolved"][0].keys()
        assert body["unresolved"][0]["suggestions"] == [{"name": "Kestrel Air", "similarity": 0.74}]
        assert {"calls", "tokens", "usd"} <= body["costs"].keys()
        assert {"stage", "seconds", "reused"} <= body["stages"][0].keys()

    def test_round_trip_and_same_bytes(self, report):
        assert from_json(to_json(report)) == report
        assert to_json(sample_report()) == to_json(report)

    def test_stages_tell_what_was_reused(self, report):
        stages = {stage.stage: stage for stage in report.stages}
        assert stages["extract_frames"].reused
        assert not stages["run_ocr"].reused
        assert stages["run_ocr"].reused_units == 1


def cut(picture: Image, box: Xywh, *, width: int, height: int) -> Image:
    """A crop as a viewer decodes it."""
    crop = cv2.imdecode(np.frombuffer(cut_crop(picture, box, width=width, height=height), np.uint8), cv2.IMREAD_COLOR)
    assert crop is not None
    return crop.astype(np.uint8)


class TestCrops:
    def test_shows_the_box_with_a_margin(self):
        picture = np.zeros((100, 200, 3), np.uint8)
        picture[40:60, 80:120] = (0, 0, 255)
        crop = cut(picture, (80, 40, 40, 20), width=200, height=100)
        assert crop.shape == (44, 64, 3)
        red = crop[:, :, 2] > 128
        assert red[14:30, 14:50].all()
        assert not red[:10].any()
        assert not red[:, :10].any()

    def test_a_stored_frame_may_be_smaller_than_the_source(self):
        picture = np.zeros((50, 100, 3), np.uint8)
        crop = cut(picture, (80, 40, 40, 20), width=200, height=100)
        assert crop.shape == (22, 32, 3)

    @pytest.mark.parametrize("box", [(300, 0, 10, 10), (0, 0, 0, 5), (-20, 0, 10, 10)])
    def test_a_box_outside_is_refused(self, box):
        with pytest.raises(ValueError, match="shows nothing"):
            cut_crop(np.zeros((100, 200, 3), np.uint8), box, width=200, height=100)


class TestWriteReport:
    def test_every_named_crop_is_there_and_each_frame_was_decoded_once(self, report, tmp_path):
        frames = DrawnFrames()
        written = write_report(report, tmp_path / "out", frames)
        assert {path.name for path in written if path.parent.name == "out"} == {
            "report.json",
            "report.csv",
            "report.html",
        }
        for _, _, path in wanted_crops(report):
            assert cv2.imread(str(tmp_path / "out" / path)) is not None
        assert len(frames.loaded) == len(set(frames.loaded))
        assert (tmp_path / "out" / "report.json").read_bytes() == to_json(report)
        assert set(written) == {path for path in (tmp_path / "out").rglob("*") if path.is_file()}

    def test_written_twice_is_the_same(self, report, tmp_path):
        first = {path: path.read_bytes() for path in write_report(report, tmp_path, DrawnFrames())}
        assert {path: path.read_bytes() for path in write_report(report, tmp_path, DrawnFrames())} == first

    def test_a_lost_frame_costs_its_crops_only(self, report, tmp_path):
        lost = report.brands[0].exposures[0].evidence[0]
        written = write_report(report, tmp_path, DrawnFrames(lost=(lost.sequence,)))
        assert not (tmp_path / lost.crop).exists()
        assert tmp_path / "report.json" in written

    def test_a_folder_that_cannot_be_made_is_said(self, report, tmp_path):
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(StorageError, match="cannot make the folder"):
            write_report(report, tmp_path / "file" / "out", DrawnFrames())

    def test_a_full_disk_leaves_the_old_file_and_no_part(self, tmp_path, monkeypatch):
        target = write_atomic(tmp_path / "report.json", b"old")

        def full(descriptor, mode):
            os.close(descriptor)
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fdopen", full)
        with pytest.raises(StorageError, match="No space left on device"):
            write_atomic(target, b"new")
        assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
        assert target.read_bytes() == b"old"

    def test_others_may_read_it(self, tmp_path):
        assert write_atomic(tmp_path / "a", b"").stat().st_mode & 0o777 == 0o644


def test_the_sample_is_drawn_at_its_size():
    assert DrawnFrames().load(0).shape == (HEIGHT, WIDTH, 3)
