"""Providers, questions, frames and candidates for these tests."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import cv2
import msgspec
import numpy as np

from detect.providers.answers import AnswerStore, MemoryAnswerStore
from detect.providers.catalog import Provider, ProviderCatalog
from detect.providers.questions import Question, ask_about
from detect.resources import Resources
from detect.stages.base import Image, StageContext
from detect.types import Box, Candidate, KnownBrands, Observation, SourceInfo, Suggestion

KEY = "sk-test-0123456789abcdef"
ENVIRONMENT = {"SOME_KEY": KEY}
SOURCE = SourceInfo("match.mp4", "0" * 64, 10.0, 320, 180, "25/1", False, 0.0)


def provider(base_url: str, **changes: Any) -> Provider:
    """A quick local provider that needs a key and costs nothing."""
    settings: dict[str, Any] = {
        "name": "local",
        "base_url": base_url,
        "model": "tiny-vl",
        "api_key_env": "SOME_KEY",
        "timeout_s": 5.0,
        "backoff_s": 0.001,
        "max_attempts": 3,
        "concurrency": 1,
    }
    return msgspec.convert({**settings, **changes}, Provider)


#: One call is reserved at about $0.0045 and costs exactly $0.00086 with the server's usual 400 + 30 tokens.
PRICES = {"usd_per_million_input_tokens": Decimal(2), "usd_per_million_output_tokens": Decimal(2), "image_tokens": 1000}


def question(text: str = "ACME") -> Question:
    return ask_about(text=text, placement="board", shortlist=["Acme"], images=[b"\xff\xd8 not really a JPEG"])


class RecordedWaits(threading.Event):
    """An event that is waited for without waiting, and remembers for how long it would have been."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        return self.is_set()


class DrawnFrames:
    """Frames with lettering that depends on their sequence: as many as are asked for."""

    def __init__(self) -> None:
        self.loaded: list[int] = []

    def load(self, sequence: int) -> Image:
        self.loaded.append(sequence)
        frame = np.full((180, 320, 3), 40 + sequence % 150, np.uint8)
        cv2.putText(frame, f"BRAND {sequence}", (40, 100), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (250, 250, 250), 2)
        return frame

    def load_jpeg(self, sequence: int) -> bytes:
        raise NotImplementedError

    def save_jpeg(self, sequence: int, jpeg: bytes) -> None:
        raise NotImplementedError


def candidate(name: str, *, frames: int = 4, sequence: int | None = None, **changes: Any) -> Candidate:
    """A candidate that reads ``name``, seen on ``frames`` sampled frames."""
    first = sum(map(ord, name)) if sequence is None else sequence
    box = Box(30, 70, 240, 110)
    values: dict[str, Any] = {
        "candidate_id": f"id-{name}",
        "text": name,
        "confidence": 0.9,
        "placement": "board",
        "observations": [Observation(first + step, box, 0.9) for step in range(frames)],
        "crop_sequence": first,
        "crop_box": box,
        "members": 1,
        "reason": "no known name is like it",
        "suggestions": [Suggestion("Acme", 0.6)],
    }
    return Candidate(**{**values, **changes})


def resources(providers: Sequence[Provider], answers: AnswerStore | None = None) -> Resources:
    catalog = ProviderCatalog({one.name: one for one in providers}, ENVIRONMENT)
    return Resources(providers=catalog, answers=MemoryAnswerStore() if answers is None else answers)


def context(options: Any, shared: Resources, known: KnownBrands | None = None, **changes: Any) -> StageContext:
    values: dict[str, Any] = {
        "source": SOURCE,
        "options": options,
        "frames": DrawnFrames(),
        "known_brands": KnownBrands() if known is None else known,
        "resources": shared,
    }
    return StageContext(**{**values, **changes})
