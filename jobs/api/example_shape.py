"""What an example of the document is, and the ids that stand for the same thing in all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

JOB = "3f0d9d1e-6a3b-4c57-9a35-0d7a3c1f5b10"
REPLAY = "8a1c6f0e-1f2b-4f6d-8f0a-6d2f7f1f9c22"
ASSET = "b6a5f6b2-47f1-4f0e-9f5d-2f0f8c9f4a11"
CHECKPOINT = "5c9d0c44-02c4-4d5e-8b0f-7d9d2d3a6e33"
UPLOAD = "d2f3b7a0-9a0e-4b0b-8f57-1c2d3e4f5a44"
DATASET = "7e2c4b9a-5d31-4a86-b1f4-3c9e8d7a6b77"
TASK = "0b0f3e52-7d0f-4a5f-9b7c-3d1e2f4a5b66"
PRESET = "interviews"
ARTIFACT = "first-half.mp4/speech/transcript.vtt"
WHEN = "2026-03-14T20:45:00Z"


@dataclass(frozen=True)
class Example:
    """Bodies by title; an operation's answers are those of its first 2xx status."""

    requests: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
