"""Loaded models, and a picture to send to them."""

from __future__ import annotations

import base64
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from detect.inference.models import Models
from detect.stages.base import Image
from tests.engines.scenes import board, ground, leaning, paste
from tests.engines.tiny_onnx import constant_network


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A detector that sees a person, and a dog less surely, in every picture."""
    output = np.zeros((1, 6, 84), np.float32)
    output[0, :, :2] = np.array([(32, 32, 20, 40, 0.9, 0), (50, 50, 8, 8, 0, 0.70000005)], np.float32).T
    path = tmp_path_factory.mktemp("weights") / "tiny.onnx"
    path.write_bytes(constant_network(output, metadata={"names": "{0: 'person', 1: 'dog'}", "imgsz": "[64, 64]"}))
    return path


@pytest.fixture(scope="session")
def models(weights) -> Models:
    return Models.load(weights=weights)


@pytest.fixture(scope="session")
def picture() -> Image:
    """640x360: a board with two names at the edge of a pitch."""
    panels = board(["VELMORA", "TAKVIA"], [(160, 40, 30), (30, 30, 150)])
    return paste(ground(640, 360), panels, leaning(60, 150, 500, 36, 2))


@pytest.fixture(scope="session")
def as_text() -> Callable[..., str]:
    """A picture as clients send it."""

    def encode(image: Image, suffix: str = ".png") -> str:
        return base64.b64encode(cv2.imencode(suffix, image)[1].tobytes()).decode()

    return encode
