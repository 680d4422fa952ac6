"""A short match for these tests: boards, cuts and standing pictures, small enough to be read in seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from detect.stages.base import Image
from tests.media.clips import write_clip

SIZE = (320, 180)
RATE = 10
SECONDS = 22
CHUNK_SECONDS = 5
CHUNKS = 4  # the last one takes what is left

#: How the clip is analysed here: several chunks, and few and small pictures to read.
OPTIONS = (
    *("--set", "extract_frames.fps=1"),
    *("--set", f"extract_frames.chunk_seconds={CHUNK_SECONDS}"),
    *("--set", "run_ocr.detect_side=480"),
)
#: Listed for the runs. The other names are left for models: the local one is sure of some, the cloud one of the rest.
BRANDS = "Acme Cola, Globex, Umbrella"
#: It has no words: its reference picture is :func:`emblem`.
WORDLESS = "Umbrella"
LOCAL_KNOWS = ("SOYLENT", "TYRELL")
CLOUD_KNOWS = ("INITECH", "HOOLI")

#: The upper and lower board of each shot. Shots begin at 0, 4.5, 9, 13.5 and 18 seconds: no chunk begins there.
_BOARDS = (
    ("ACME COLA", "INITECH"),
    ("GLOBEX", "SOYLENT"),
    ("TYRELL", "ACME COLA"),
    ("HOOLI", WORDLESS),
    ("ACME COLA", "INITECH"),
)
_SHOT_FRAMES = 45


def match_clip(path: Path) -> Path:
    """Write the clip. Boards drift to the left; in the second half of each shot the picture stands still."""
    return write_clip(path, _pictures(), rate=RATE, size=SIZE, gop=10)


def emblem() -> Image:
    """A picture with plenty of corners and no letter in it."""
    picture: Image = np.full((192, 192, 3), 240, np.uint8)
    for x, y, size, *colour in np.random.default_rng(5).integers(
        (8, 8, 8, 0, 0, 0), (170, 170, 30, 200, 200, 200), (30, 6)
    ):
        cv2.rectangle(picture, (int(x), int(y)), (int(x + size), int(y + size // 2 + 4)), [int(c) for c in colour], -1)
    return picture


def _pictures() -> Iterator[Image]:
    for number in range(SECONDS * RATE):
        shot, frame = divmod(number, _SHOT_FRAMES)
        yield _picture(shot, min(frame, _SHOT_FRAMES // 2))


def _picture(shot: int, step: int) -> Image:
    width, height = SIZE
    rows = np.linspace(40 + 25 * shot, 110 + 20 * shot, height, dtype=np.uint8)
    picture: Image = np.repeat(np.repeat(rows[:, None], width, axis=1)[..., None], 3, axis=2)
    picture[..., shot % 3] //= 2
    for row, name in enumerate(_BOARDS[shot]):
        left, top = 60 - step + 12 * row, 20 + 85 * row + 4 * shot
        if name == WORDLESS:
            picture[100:164, 236:300] = cv2.resize(emblem(), (64, 64), interpolation=cv2.INTER_AREA)
            continue
        cv2.rectangle(picture, (left, top), (left + 220, top + 50), (245, 245, 245), -1)
        place = (left + 10, top + 36)
        cv2.putText(picture, name, place, cv2.FONT_HERSHEY_DUPLEX, 1.1, (20, 20, 20), 2, cv2.LINE_AA)
    return picture
