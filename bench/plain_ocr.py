"""The yardstick: what somebody would write in an hour, with the same OCR models.

Every frame at 2 a second goes through rapidocr as it comes, each line of text is compared with the names by rapidfuzz,
and a frame that shows a name counts for the half second around it. No tracking, no caching, nothing skipped.

    python -m bench.plain_ocr VIDEO BRANDS.csv

prints JSON: ``{"brands": {name: [[start, end], …]}, "frames", "load_seconds", "work_seconds"}``, seconds of the video
and of the clock. It runs as a process of its own, so that its wall time and memory are those of the whole program.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz

FPS = 2
SIMILARITY = 85
"""Of a name's letters with the best part of a line, percent."""
SHORT_NAME, SHORT_SIMILARITY = 5, 75
"""Names under five letters are compared with whole lines: three letters are part of too many words."""
LEAST_LETTERS = 4
"""Of a line that is compared with a longer name."""

Names = dict[str, list[str]]


def read_names(path: Path) -> Names:
    """Spellings of each brand, as :func:`letters`, from a CSV of ``name,alias;alias``."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if row and row[0] != "name"]
    return {row[0]: [letters(text) for cell in row for text in cell.split(";") if text] for row in rows}


def letters(text: str) -> str:
    """Letters and digits alone, in lower case, without accents."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text.lower()) if sign.isalnum())


def brands_in(line: str, names: Names) -> set[str]:
    """The brands that a line of text names."""
    text = letters(line)
    return {brand for brand, spellings in names.items() if any(_alike(text, spelling) for spelling in spellings)}


def _alike(text: str, name: str) -> bool:
    if len(name) < SHORT_NAME:
        return bool(fuzz.ratio(name, text) >= SHORT_SIMILARITY)
    return len(text) >= max(LEAST_LETTERS, len(name) - 2) and bool(fuzz.partial_ratio(name, text) >= SIMILARITY)


def sampled_frames(path: Path, fps: int = FPS) -> Iterator[tuple[float, Any]]:
    """``(seconds, BGR picture)`` of the first frame at or after each sampling instant."""
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        number = 0
        for frame in container.decode(stream):
            if frame.time is not None and frame.time * fps >= number - 1e-6:
                number = int(frame.time * fps + 1e-6) + 1
                yield frame.time, frame.to_ndarray(format="bgr24")


def spans_of(instants: list[float], fps: int = FPS) -> list[list[float]]:
    """Half a sampling step to both sides of each instant, joined where they touch."""
    half, touching = 0.5 / fps, 0.1 / fps
    spans: list[list[float]] = []
    for instant in instants:
        start, end = max(0.0, instant - half), instant + half
        if spans and start <= spans[-1][1] + touching:
            spans[-1][1] = end
        else:
            spans.append([start, end])
    return [[round(start, 3), round(end, 3)] for start, end in spans]


def main() -> None:
    parser = argparse.ArgumentParser(description="Plain rapidocr on every frame at 2 fps: the benchmark's yardstick.")
    parser.add_argument("video", type=Path)
    parser.add_argument("brands", type=Path, help="CSV of name,alias;alias")
    arguments = parser.parse_args()
    print(json.dumps(read_video(arguments.video, read_names(arguments.brands))))


def read_video(video: Path, names: Names) -> dict[str, Any]:
    """What :func:`main` prints."""
    logging.disable(logging.INFO)
    began = time.perf_counter()
    read = _loaded_reader()
    loaded = time.perf_counter()
    seen: dict[str, list[float]] = {}
    frames = 0
    for instant, picture in sampled_frames(video):
        frames += 1
        for brand in {brand for line in read(picture).txts or () for brand in brands_in(line, names)}:
            seen.setdefault(brand, []).append(instant)
    return {
        "brands": {brand: spans_of(instants) for brand, instants in sorted(seen.items())},
        "frames": frames,
        "load_seconds": round(loaded - began, 3),
        "work_seconds": round(time.perf_counter() - loaded, 3),
    }


def _loaded_reader() -> Any:
    """rapidocr as it comes; it loads its models with its first picture, so it is given one with a word on it."""
    import cv2
    import numpy as np
    from rapidocr import RapidOCR

    read = RapidOCR()
    page = np.full((64, 256, 3), 255, np.uint8)
    cv2.putText(page, "bench", (20, 44), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (0, 0, 0), 3)
    read(page)
    return read


if __name__ == "__main__":
    main()
