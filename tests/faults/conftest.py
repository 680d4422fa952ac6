"""A clip, models to ask about it, and its uninterrupted run: what the others are compared with."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.engines.tiny_onnx import constant_network
from tests.faults.footage import BRANDS, CLOUD_KNOWS, LOCAL_KNOWS, OPTIONS, WORDLESS, emblem, match_clip
from tests.faults.installation import Installation, comparable, installation
from tests.providers.chat_server import Ask, ChatServer, Reaction, chat_server, verdict

PROVIDERS = """
providers:
  local: {{base_url: "{url}", model: tiny-vl, concurrency: 1, timeout_s: 120}}
  cloud:
    base_url: "{url}"
    model: large-vl
    kind: cloud
    concurrency: 1
    usd_per_million_input_tokens: 2
    usd_per_million_output_tokens: 2
"""


@dataclass
class Setup:
    """An installation with detector weights and model providers of its own, and the match to be analysed on it."""

    installation: Installation
    models: ChatServer
    clip: Path

    @property
    def request(self) -> tuple[str, ...]:
        listed = ("--brands", BRANDS, "--logo", f"{WORDLESS}={self.clip.with_name('emblem.png')}")
        return ("analyze", str(self.clip), *listed, *OPTIONS, "--out", str(self.report))

    @property
    def report(self) -> Path:
        return self.installation.folder / "report"

    def questions(self) -> list[tuple[str, str, tuple[bytes, ...]]]:
        """What the models were asked: model, words and pictures."""
        return [(ask.body["model"], ask.prompt, tuple(ask.images)) for ask in self.models.asks]


def answer(ask: Ask) -> Reaction:
    """The local model is sure of some names only, the cloud's of all."""
    name = ask.read_text
    known = ask.body["model"] == "large-vl" or name in LOCAL_KNOWS
    return verdict(name.title(), confidence=0.95 if known else 0.2)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = match_clip(tmp_path_factory.mktemp("clip") / "match.mp4")
    cv2.imwrite(str(path.with_name("emblem.png")), emblem())
    return path


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector that sees the same person in every picture."""
    boxes = np.zeros((1, 5, 84), np.float32)
    boxes[0, :, 0] = (54, 40, 16, 20, 0.9)  # around the emblem, which is looked for on people and boards
    path = tmp_path_factory.mktemp("weights") / "people.onnx"
    path.write_bytes(constant_network(boxes, metadata={"names": "{0: 'person'}", "imgsz": "[64, 64]", "stride": "32"}))
    return path


@contextmanager
def new_setup(clip: Path, weights: Path, *, running: bool) -> Iterator[Setup]:
    """An installation for one test; its database runs all along, or with its commands only."""
    with installation(MEDIAPROC_OBJECT_WEIGHTS=str(weights)) as made, chat_server(answer) as models:
        made.data.create()
        (made.data.root / "providers.yaml").write_text(PROVIDERS.format(url=models.base_url))
        with made.database() if running else nullcontext():
            yield Setup(made, models, clip)


@pytest.fixture
def setup(clip: Path, weights: Path) -> Iterator[Setup]:
    with new_setup(clip, weights, running=True) as made:
        yield made


@pytest.fixture
def fresh(clip: Path, weights: Path) -> Iterator[Setup]:
    """An installation on which no command was run yet: no server runs, there is no database."""
    with new_setup(clip, weights, running=False) as made:
        yield made


@pytest.fixture(scope="session")
def uninterrupted(clip: Path, weights: Path) -> Iterator[Setup]:
    """An installation on which the match was analysed once, without any trouble."""
    with new_setup(clip, weights, running=True) as made:
        outcome = made.installation.run(*made.request)
        assert outcome.code == 0, outcome.err
        asked = {ask.read_text for ask in made.models.asks}
        assert asked == {*LOCAL_KNOWS, *CLOUD_KNOWS}, "the tests that follow want questions to both models"
        rows = csv.DictReader((made.report / "report.csv").open())
        assert "logo" in {row["source"] for row in rows}, "and a brand found by its logo"
        yield made


@pytest.fixture(scope="session")
def expected(uninterrupted: Setup) -> dict[str, bytes]:
    """Its report, as comparable to others."""
    return comparable(uninterrupted.report)
