"""One short match, rendered once for all tests of this area."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from detect.synthetic import Match, Truth, build_match, render_match

FPS = Fraction(15)


@dataclass(frozen=True)
class Rendered:
    """A match, its video and the truth about it."""

    match: Match
    path: Path
    truth: Truth

    def frames(self) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
        """Number and decoded BGR picture of every frame of the file."""
        with av.open(str(self.path)) as container:
            for number, frame in enumerate(container.decode(video=0)):
                yield number, np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """Ten seconds of an easy match with a cut in it, 640 x 360."""
    match = build_match(9, "easy", 10, 640, 360, FPS)
    path = tmp_path_factory.mktemp("match") / "match.mp4"
    return Rendered(match, path, render_match(match, path))
