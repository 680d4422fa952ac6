"""What is drawn can be read in the encoded video, at 360 lines and at 2160; what is not drawn over stays as it was."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from detect.engines.ocr import OcrEngine
from detect.stages.base import Image
from detect.stages.time_zones import TimeZonesOutput
from detect.zones import Stop, Visit, Zone, ZoneTime
from tests.drawing.annotating import Found, annotate, shown_frames
from tests.media.clips import write_clip

SIZES = [(640, 360), (3840, 2160), (1080, 1920)]


@pytest.fixture(scope="module")
def ocr() -> OcrEngine:
    return OcrEngine(threads=2, precision="f32")


def busy_picture(width: int, height: int) -> Image:
    """Coarse noise: worse ground for letters than most pictures."""
    coarse = np.random.default_rng(3).integers(0, 256, (height // 24, width // 24, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_class_id_confidence_and_times_can_be_read(tmp_path: Path, ocr: OcrEngine, width: int, height: int) -> None:
    picture = busy_picture(width, height)
    source = write_clip(tmp_path / "source.mp4", [picture] * 3, options={"preset": "ultrafast", "crf": "20"})
    found: Sequence[Found] = (
        ((0.1 * width, 0.2 * height, 0.4 * width, 0.4 * height), 0.87, 0, 3),
        ((0.6 * width, 0.55 * height, 0.7 * width, 0.95 * height), 0.42, 1, 128),
    )
    zone = Zone(name="Fuel", points=((0.05, 0.6), (0.45, 0.6), (0.45, 0.95), (0.05, 0.95)))
    visit = Visit(start=0, end=9, track_id=3, label="car", start_uncertainty=0, end_uncertainty=0)
    times = TimeZonesOutput(
        zones=[ZoneTime(name="Fuel", measure="fuel", seconds=9, uncertainty=0, visits=[visit])],
        stops=[Stop(start=-2.41, end=0.04, track_id=3, label="car", start_uncertainty=0, end_uncertainty=0)],
        stop=0,
        shapes=(zone,),
    )
    result = annotate(source, tmp_path, found=lambda _: found, times=times, quality=23)
    texts = read(ocr, last_picture(result.path))
    assert {"car30.87", "person1280.42", "fuel0.08s", "stop2.45s"} <= texts


def read(ocr: OcrEngine, picture: Image) -> set[str]:
    """The texts in a picture, folded to what spaces and capitals do not change."""
    quads = [quad for quad, _ in ocr.detect(picture, long_side=max(picture.shape[:2]))]
    lines = ocr.read(picture, quads)
    return {line.text.replace(" ", "").lower() for line in lines}


def last_picture(path: Path) -> Image:
    *_, (_, frame) = shown_frames(path)
    return frame.to_ndarray(format="bgr24")


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p"])
def test_what_is_not_drawn_over_stays(tmp_path: Path, pixel_format: str) -> None:
    picture = busy_picture(640, 360)
    source = write_clip(tmp_path / "source.mp4", [picture] * 5, pixel_format=pixel_format)
    found: Sequence[Found] = (((200, 100, 300, 200), 0.9, 0, 1),)
    result = annotate(source, tmp_path, found=lambda _: found, quality=12)
    for (_, before), (_, after) in zip(shown_frames(source), shown_frames(result.path), strict=True):
        assert after.color_range == before.color_range
        for plane, step in ((0, 1), (1, 2), (2, 2)):
            drawn = slice(60 // step, 230 // step), slice(180 // step, 420 // step)
            error = (samples(before, plane).astype(float) - samples(after, plane)) ** 2
            inside = error[drawn].mean()
            error[drawn] = 0
            assert 10 * np.log10(255**2 / error.mean()) > 40
            assert inside > 50


def samples(frame: av.VideoFrame, index: int) -> Image:
    plane = frame.planes[index]
    rows = np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width]
