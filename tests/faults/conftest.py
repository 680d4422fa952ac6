"""A clip, models to ask about it, and its uninterrupted run: what the others are compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.engines.tiny_onnx import constant_network
from tests.faults.footage import BRANDS, CLOUD_KNOWS, LOCAL_KNOWS, OPTIONS, match_clip
from tests.faults.installation import Installation, comparable, installation
from tests.providers.chat_server import Ask, ChatServer, Reaction, chat_server, verdict

_PROVIDERS = """
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
        return ("analyze", str(self.clip), "--brands", BRANDS, *OPTIONS, "--out", str(self.report))

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
    return match_clip(tmp_path_factory.mktemp("clip") / "match.mp4")


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector that sees the same person in every picture."""
    boxes = np.zeros((1, 5, 84), np.float32)
    boxes[0, :, 0] = (8, 40, 6, 20, 0.9)
    path = tmp_path_factory.mktemp("weights") / "people.onnx"
    path.write_bytes(constant_network(boxes, metadata={"names": "{0: 'person'}", "imgsz": "[64, 64]", "stride": "32"}))
    return path


@pytest.fixture(scope="session")
def set_up(clip: Path, weights: Path) -> Iterator[Callable[..., Setup]]:
    """Makes installations; their servers stop at the end of the session."""
    with ExitStack() as stack:

        def make(*, running: bool = True) -> Setup:
            made = stack.enter_context(installation(MEDIAPROC_OBJECT_WEIGHTS=str(weights)))
            models = stack.enter_context(chat_server(answer))
            made.data.create()
            (made.data.root / "providers.yaml").write_text(_PROVIDERS.format(url=models.base_url))
            if running:
                stack.enter_context(made.database())
            return Setup(made, models, clip)

        yield make


@pytest.fixture(scope="session")
def uninterrupted(set_up: Callable[..., Setup]) -> Setup:
    """An installation on which the match was analysed once, without any trouble."""
    setup = set_up()
    outcome = setup.installation.run(*setup.request)
    assert outcome.code == 0, outcome.err
    asked = {ask.read_text for ask in setup.models.asks}
    assert asked == {*LOCAL_KNOWS, *CLOUD_KNOWS}, "the tests that follow want questions to both models"
    return setup


@pytest.fixture(scope="session")
def expected(uninterrupted: Setup) -> dict[str, bytes]:
    """Its report, as comparable to others."""
    return comparable(uninterrupted.report)
