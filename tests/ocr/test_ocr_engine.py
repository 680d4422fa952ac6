"""The OCR engine on lettering drawn here: what it reads, where, and that it repeats."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from detect.engines.ocr import OcrEngine, native_precision, ocr_digest, rectify
from detect.resources import Resources


@pytest.fixture(scope="module")
def engine() -> OcrEngine:
    return OcrEngine(threads=2, precision=native_precision())


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    image = np.full((360, 640, 3), (60, 120, 60), np.uint8)
    cv2.rectangle(image, (80, 100), (400, 160), (250, 250, 250), -1)
    cv2.putText(image, "VELMORA", (100, 145), cv2.FONT_HERSHEY_DUPLEX, 1.6, (20, 20, 20), 3, cv2.LINE_AA)
    cv2.putText(image, "Takvia 360", (300, 300), cv2.FONT_HERSHEY_DUPLEX, 1.2, (240, 240, 255), 2, cv2.LINE_AA)
    return image


def test_lines_are_found_where_they_are_and_read(engine, picture):
    found = engine.detect(picture, long_side=640)
    texts = {engine.read_line(rectify(picture, quad)).text: quad for quad, _ in found}
    assert set(texts) == {"VELMORA", "Takvia 360"}
    left, top = texts["VELMORA"].min(axis=0)
    right, bottom = texts["VELMORA"].max(axis=0)
    assert 80 <= left <= 115
    assert 95 <= top <= 120
    assert 290 <= right <= 380
    assert 140 <= bottom <= 170


def test_the_same_picture_gives_the_same_bits(engine, picture):
    first, second = (engine.detect(picture, long_side=960) for _ in range(2))
    assert [score for _, score in first] == [score for _, score in second]
    assert all(np.array_equal(one, other) for (one, _), (other, _) in zip(first, second, strict=True))
    line = rectify(picture, first[0][0])
    assert engine.read_line(line) == engine.read_line(line)


@pytest.mark.parametrize("shape", [(1, 1), (2, 900), (900, 2), (48, 3000), (37, 53)])
def test_lines_of_any_shape_can_be_read(engine, shape):
    line = engine.read_line(np.full((*shape, 3), 127, np.uint8))
    assert 0 <= line.confidence <= 1


@pytest.mark.parametrize("shape", [(31, 33), (64, 2000), (359, 641)])
def test_pictures_of_any_shape_can_be_searched(engine, shape):
    assert engine.detect(np.zeros((*shape, 3), np.uint8), long_side=640) == []


def test_lines_read_together_are_those_read_one_by_one(engine, picture):
    lines = [rectify(picture, quad) for quad, _ in engine.detect(picture, long_side=640)] * 4
    assert engine.read_lines(lines) == [engine.read_line(line) for line in lines]
    assert engine.read_lines([]) == []


def test_threads_do_not_change_what_is_found_and_read(engine, picture):
    alone = OcrEngine(threads=1, precision=native_precision())
    found, again = (one.detect(picture, long_side=640) for one in (engine, alone))
    assert [score for _, score in found] == [score for _, score in again]
    assert engine.read(picture, [quad for quad, _ in found]) == alone.read(picture, [quad for quad, _ in again])


def test_pictures_searched_at_once_give_what_they_give_one_by_one(engine, picture):
    def search(long_side: int) -> list[float]:
        return [score for _, score in engine.detect(picture, long_side=long_side)]

    sizes = [640, 480, 640, 320, 480, 640] * 3
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(search, sizes))
    assert at_once == [search(size) for size in sizes]


def test_threads_that_are_first_to_use_a_process_s_models_do_not_wait_for_each_other():
    """In a process of its own: only the first use of all was ever in danger."""
    code = (
        "import numpy as np; from concurrent.futures import ThreadPoolExecutor; from detect.engines.ocr import *\n"
        "engine = OcrEngine(threads=2, precision=native_precision())\n"
        "search = lambda number: engine.detect(np.zeros((64, 320, 3), np.uint8), long_side=320)\n"
        "print(list(ThreadPoolExecutor(4).map(search, range(8))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == str([[]] * 8)


def test_a_size_that_comes_again_after_many_others_finds_the_same(engine, picture):
    first = engine.detect(picture, long_side=640)
    for long_side in range(320, 320 + 10 * 32, 32):
        engine.detect(picture, long_side=long_side)
    again = engine.detect(picture, long_side=640)
    assert [score for _, score in first] == [score for _, score in again]


def test_a_tilted_line_is_set_upright():
    image = np.zeros((200, 400, 3), np.uint8)
    quad = np.array([[100, 50], [300, 100], [290, 140], [90, 90]], np.float32)
    cv2.fillPoly(image, [quad.astype(np.int32)], (255, 255, 255))
    upright = rectify(image, quad)
    assert upright.shape[1] > 4 * upright.shape[0]
    assert upright[2:-2, 2:-2].min() > 200


def test_the_digest_names_the_models_and_the_precision():
    assert len(ocr_digest("f32")) == 64
    assert ocr_digest("f32") == ocr_digest("f32")
    assert ocr_digest("f32") != ocr_digest("bf16")


def test_resources_run_text_models_as_the_processor_likes_or_as_told():
    assert Resources().ocr_digest == ocr_digest(native_precision())
    assert Resources(ocr_precision="f32").ocr_digest == ocr_digest("f32")
