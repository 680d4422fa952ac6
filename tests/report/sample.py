"""A whole report on a drawn match: eight invented brands over 64 seconds, with the frames it was made from."""

from __future__ import annotations

import random
from functools import cache

import cv2
import numpy as np

from detect.errors import StorageError
from detect.events import StageResult
from detect.report import Report, assemble
from detect.resources import Resources
from detect.stages.base import Image, StageContext, Stats
from detect.stages.compile_report import CompileReport, CompileReportInput, CompileReportOptions, CompileReportOutput
from detect.stages.detect_objects import DetectObjectsOutput
from detect.stages.escalate_cloud import EscalateCloudOutput
from detect.stages.escalate_vlm import EscalateVlmOutput
from detect.stages.extract_frames import ExtractFramesOutput, encode_jpeg
from detect.stages.filter_scenes import FilterScenesOutput
from detect.stages.match_brands import MatchBrandsOutput
from detect.types import (
    Box,
    BrandDetection,
    Candidate,
    DetectionSource,
    FrameSignals,
    KnownBrandRecord,
    KnownBrands,
    ModelCall,
    Observation,
    Placement,
    Sample,
    SourceInfo,
    Suggestion,
)

WIDTH, HEIGHT, SECONDS = 1280, 720, 64
CUTS = [11.48, 19.2, 33.84, 40.12, 52.6]
_SHOTS = list(zip([0.0, *CUTS], [*CUTS, float(SECONDS)], strict=True))

# name, placement, source, shots it is in, left edge, top edge, width, height
_BOARDS: list[tuple[str, Placement, DetectionSource, tuple[int, ...], int, int, int, int]] = [
    ("Norvana Energy", "led", "ocr", (0, 2, 4, 5), 520, 330, 300, 46),
    ("Kestrel Air", "board", "ocr", (0, 1, 2, 4), 80, 348, 210, 40),
    ("Kestrel Air", "jersey", "ocr", (1, 3), 600, 400, 90, 30),
    ("Halden Bank", "board", "ocr", (0, 2, 5), 900, 352, 230, 44),
    ("Quillo", "jersey", "logo", (1, 3, 5), 420, 410, 60, 44),
    ("Oberon Tyres", "board", "ocr", (2, 4), 260, 356, 190, 36),
    ("Premier Cup", "overlay", "ocr", (0, 1, 2, 3, 4, 5), 70, 48, 150, 26),
    ("Luma & Søn", "led", "local_vlm", (4, 5), 760, 336, 220, 46),
    ("Tarn", "other", "cloud_llm", (3,), 1010, 600, 90, 40),
]


def sample_source() -> SourceInfo:
    return SourceInfo(
        path="/footage/cup_final_first_minute.mp4",
        sha256="9f2c" * 16,
        duration=float(SECONDS),
        width=WIDTH,
        height=HEIGHT,
        frame_rate="25/1",
        variable_frame_rate=False,
        start_time=0.0,
    )


def sample_report(
    *, name: str = "", audience: int = 1_800_000, problems: tuple[str, ...] = (), seed: int = 7
) -> Report:
    """The whole report; ``name`` replaces the first brand's."""
    return assemble(
        sample_body(name=name, audience=audience, problems=problems, seed=seed),
        job_id="3f0c9f0e-6a2b-4a5e-9f3c-0c6b6f1f7a11",
        checkpoint_id="c3b7c0de-11aa-4a41-8d1c-5d1b3f6a9e02",
        source=sample_source(),
        pipeline="brands",
        profile="soccer_broadcast",
        config_digest="5d41" * 16,
        stages=_stages(),
    )


def sample_body(
    *, name: str = "", audience: int = 1_800_000, problems: tuple[str, ...] = (), seed: int = 7
) -> CompileReportOutput:
    """What compile_report makes of the drawn match."""
    sights = _detections(seed, name)
    samples = [Sample(i, i / 2, f"{i:064x}", "", i / 2 + 0.04) for i in range(SECONDS * 2)]
    known = KnownBrands(
        brands=tuple(
            KnownBrandRecord(name=brand, brand_id=str(i)) for i, brand in enumerate(_names()) if brand != "Tarn"
        )
    )
    return CompileReport().run(
        StageContext(
            source=sample_source(),
            options=CompileReportOptions(audience=audience, cpm=7.5),
            frames=DrawnFrames(seed),
            known_brands=known,
            resources=Resources(),
        ),
        CompileReportInput(
            extract_frames=[
                ExtractFramesOutput(
                    samples=samples,
                    signals=FrameSignals([], [], [], []),
                    ended_at=samples[-1].until if problems else float(SECONDS),
                    problems=list(problems),
                )
            ],
            filter_scenes=[FilterScenesOutput(kept=[], stands_for={}, cuts=CUTS)],
            detect_objects=[DetectObjectsOutput(regions={}, skipped="no detector weights in model_weights/")],
            match_brands=MatchBrandsOutput(
                detections=[item for item in sights if item.source in ("ocr", "logo")], unresolved=[]
            ),
            escalate_vlm=EscalateVlmOutput(
                detections=[item for item in sights if item.source == "local_vlm"],
                unresolved=[],
                calls=[ModelCall(f"{i}", "local", "vision-7b", 640, 22, "0", 0.9) for i in range(9)],
            ),
            escalate_cloud=EscalateCloudOutput(
                detections=[item for item in sights if item.source == "cloud_llm"],
                unresolved=_candidates(),
                calls=[ModelCall(f"c{i}", "cloud", "vision-large", 812, 31, "0.00143", 1.4) for i in range(4)],
            ),
        ),
    )


def _names() -> list[str]:
    return list(dict.fromkeys(board[0] for board in _BOARDS))


@cache
def _detections(seed: int, name: str) -> list[BrandDetection]:
    chance = random.Random(seed)
    found = []
    for brand, placement, source, shots, x, y, width, height in _BOARDS:
        for shot in shots:
            start, end = _SHOTS[shot]
            first, last = sorted((chance.uniform(start, end), chance.uniform(start, end)))
            if placement == "overlay" or last - first < 1.5:
                first, last = start, end
            sequences = [i for i in range(SECONDS * 2) if first <= i / 2 < last and chance.random() > 0.08]
            drift = chance.uniform(-14, 14) if placement != "overlay" else 0.0
            observations = [
                Observation(
                    i, _moved(x, y, width, height, drift * (i / 2 - first)), round(chance.uniform(0.62, 0.99), 3)
                )
                for i in sequences
            ]
            if observations:
                found.append(
                    BrandDetection(
                        brand=name if name and brand == _BOARDS[0][0] else brand,
                        source=source,
                        confidence=round(chance.uniform(0.8, 0.99), 3),
                        text="" if source == "logo" else brand.upper(),
                        placement=placement,
                        observations=observations,
                        rule="exact" if source == "ocr" else source,
                        model="" if source == "ocr" else "vision-7b",
                        confirmed=brand != "Tarn",
                    )
                )
    return found


def _moved(x: int, y: int, width: int, height: int, by: float) -> Box:
    left = min(max(0, int(x + by)), WIDTH - width)
    return Box(left, y, left + width, y + height)


def _candidates() -> list[Candidate]:
    texts = [("FJORDLINE", 23, "resembles no known brand closely"), ("kestre1", 70, "two brands are as near")]
    return [
        Candidate(
            candidate_id=f"candidate-{number}",
            text=text,
            confidence=0.71,
            placement="board",
            observations=[Observation(sequence + i, Box(610, 520, 790, 556), 0.7) for i in range(4)],
            crop_sequence=sequence,
            crop_box=Box(610, 520, 790, 556),
            members=1,
            reason=reason,
            suggestions=[Suggestion("Kestrel Air", 0.74)] if number else [],
        )
        for number, (text, sequence, reason) in enumerate(texts)
    ]


def _stages() -> list[StageResult]:
    rows: list[tuple[str, int, int, float, Stats, str]] = [
        ("extract_frames", 3, 3, 0.01, {"frames": 128, "decoded_frames": 1600}, ""),
        ("filter_scenes", 3, 0, 0.4, {"kept": 117, "near_duplicates": 9, "cuts": 5}, ""),
        ("detect_edges", 3, 0, 1.9, {"regions": 402}, ""),
        ("detect_objects", 3, 0, 0.0, {}, "no detector weights in model_weights/"),
        ("run_ocr", 3, 1, 14.62, {"tracks": 61, "crops_read": 188}, ""),
        ("match_brands", 1, 0, 0.21, {"matched": 29, "unresolved": 15}, ""),
        ("escalate_vlm", 1, 0, 4.4, {"asked": 9}, ""),
        ("escalate_cloud", 1, 0, 5.1, {"asked": 4}, ""),
        ("compile_report", 1, 0, 0.03, {"brands": 8, "exposures": 30}, ""),
    ]
    return [
        StageResult(stage, index, units, reused, seconds, stats, skipped, incomplete=False)
        for index, (stage, units, reused, seconds, stats, skipped) in enumerate(rows)
    ]


class DrawnFrames:
    """Draws a frame when it is asked for; counts how often. ``lost`` sequences are not in storage."""

    def __init__(self, seed: int = 7, *, lost: tuple[int, ...] = (), scale: float = 1.0) -> None:
        self._boards = _detections(seed, "")
        self._lost, self._scale = lost, scale
        self.loaded: list[int] = []

    def load(self, sequence: int) -> Image:
        self.loaded.append(sequence)
        if sequence in self._lost or not 0 <= sequence < SECONDS * 2:
            raise StorageError(f"frame {sequence} is not stored")
        rows = np.linspace(0, 1, HEIGHT)[:, None, None]
        shaded = (1 - rows) * np.array((96, 88, 84)) + rows * np.array((58, 128, 62))
        picture = np.ascontiguousarray(np.broadcast_to(shaded, (HEIGHT, WIDTH, 3)).astype(np.uint8))
        cv2.rectangle(picture, (0, 320), (WIDTH, 392), (52, 40, 34), -1)
        for x in range(0, WIDTH, 160):
            cv2.line(picture, (x, HEIGHT), (x // 2 + 320, 392), (70, 148, 76), 2)
        for detection in self._boards:
            for seen in detection.observations:
                if seen.sequence == sequence:
                    _draw(picture, seen.box, detection)
        size = (round(WIDTH * self._scale), round(HEIGHT * self._scale))
        return picture if self._scale == 1 else cv2.resize(picture, size)

    def load_jpeg(self, sequence: int) -> bytes:
        return encode_jpeg(self.load(sequence), 90)

    def save_jpeg(self, sequence: int, jpeg: bytes) -> None:
        raise AssertionError("a report does not write frames")


def _draw(picture: Image, box: Box, detection: BrandDetection) -> None:
    shade = sum(detection.brand.encode()) * 37
    colour = (shade % 150 + 60, shade // 3 % 150 + 40, shade // 7 % 150 + 50)
    cv2.rectangle(picture, (box.x1 - 12, box.y1 - 8), (box.x2 + 12, box.y2 + 8), colour, -1)
    text = detection.text or "Q"
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1, 2)
    scale = min(box.width / max(1, width), box.height / max(1, height))
    at = (box.x1, box.y2 - int((box.height - height * scale) / 2))
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), 2, cv2.LINE_AA)
