"""The sample match of the demo: invented brands, rendered once into the data folder."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2

from detect.errors import StorageError
from detect.exports.files import make_folder, write_atomic
from detect.synthetic import Match, build_match, logo_image, render_match

_SEED, _LEVEL, _SECONDS = 7, "easy", 20.0


@dataclass(frozen=True)
class Sample:
    """A video, the list of its brands, and a reference picture for each brand whose mark has no words."""

    video: Path
    brands: Path
    logos: dict[str, Path]


def sample_match(folder: Path, progress: Callable[[int, int], None]) -> Sample:
    """The sample in ``folder``, rendered if it is not there; ``progress`` gets frames done and frames in all.

    Raises StorageError.
    """
    make_folder(folder)
    match = build_match(_SEED, _LEVEL, _SECONDS)
    video = folder / f"match-{_SEED}-{_LEVEL}-{_SECONDS:.0f}s.mp4"
    if not video.exists():
        _render(match, video, progress)
    logos = {brand.name: folder / f"{brand.name}.png" for brand in match.brands if brand.kind == "logo"}
    for brand in match.brands:
        if brand.name in logos:
            write_atomic(logos[brand.name], cv2.imencode(".png", logo_image(brand))[1].tobytes())
    return Sample(video, write_atomic(folder / "brands.csv", _brand_list(match).encode()), logos)


def _render(match: Match, video: Path, progress: Callable[[int, int], None]) -> None:
    """Under another name first: a render that was stopped leaves no half video behind."""
    try:
        with tempfile.TemporaryDirectory(dir=video.parent, prefix=".rendering-") as folder:
            draft = Path(folder) / video.name
            render_match(match, draft, progress)
            draft.replace(video)
    except OSError as error:
        raise StorageError(f"cannot write the sample match to {video}: {error.strerror or error}") from error


def _brand_list(match: Match) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["name", "aliases"])
    rows.writerows([brand.name, ";".join(brand.aliases)] for brand in match.brands)
    return text.getvalue()
