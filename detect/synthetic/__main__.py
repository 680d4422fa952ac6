"""``python -m detect.synthetic``: renders a match to a folder, with its truth and what ``analyze`` needs to know."""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import cv2

from detect.errors import MediaprocError, StorageError
from detect.synthetic import LEVELS, Match, Truth, build_match, logo_image, loop_video, render_match

_Number = TypeVar("_Number", int, float, Fraction)
_DESCRIPTION = """\
Render a synthetic football match with invented brands, and the exact truth about them.

writes into the folder given with --out:
  match.mp4    the video (H.264)
  truth.json   which brand was where in every frame, and when on screen (t_start, t_end)
  brands.csv   names and aliases, as `manage.py analyze --brands` takes them
  logos/       a reference picture of every brand's mark (needed for those without words)

The same seed, level and size give the same video.
"""
_EXAMPLES = """\
examples:
  python -m detect.synthetic --out data/match
  python -m detect.synthetic --seed 3 --level hard --seconds 60 --out data/hard
  python -m detect.synthetic --seconds 20 --repeat 60 --out data/long     a 20-minute video, encoded once
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; 0 when the files are written, 1 with one line on stderr when they cannot be."""
    options = _parser().parse_args(arguments)
    try:
        match = build_match(options.seed, options.level, options.seconds, options.width, options.height, options.fps)
        truth = write_match(match, options.out, repeat=options.repeat, quiet=options.quiet)
    except MediaprocError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if not options.quiet:
        for known in truth.brands:
            sys.stdout.write(f"{known.name:<20} {truth.seconds(known.name):7.2f} s\n")
        sys.stdout.write(f"{options.out / 'match.mp4'}: {truth.duration:.2f} s, {len(truth.pts)} frames\n")
    return 0


def write_match(match: Match, folder: Path, *, repeat: int = 1, quiet: bool = True) -> Truth:
    """Renders ``match`` with its truth, brand list and logos into ``folder``. Raises :class:`StorageError`."""
    try:
        (folder / "logos").mkdir(parents=True, exist_ok=True)
        with (folder / "brands.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("name", "aliases"))
            writer.writerows((brand.name, ";".join(brand.aliases)) for brand in match.brands)
        for brand in match.brands:
            picture = cv2.imencode(".png", logo_image(brand))[1]
            (folder / "logos" / f"{brand.name}.png").write_bytes(picture.tobytes())
    except OSError as error:
        raise StorageError(f"cannot write into {folder}: {error.strerror or error}.") from error
    video = folder / "match.mp4"
    if repeat == 1:
        truth = render_match(match, video, progress=None if quiet else _report)
    else:
        once = folder / "once.mp4"
        truth = render_match(match, once, progress=None if quiet else _report).repeated(repeat)
        loop_video(once, video, repeat)
        once.unlink()
    truth.save(folder / "truth.json")
    return truth


def _report(done: int, frames: int) -> None:
    if done % 10 == 0 or done == frames:
        end = "\n" if done == frames else ""
        sys.stderr.write(f"\rrendering {done}/{frames} frames{end}")
        sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m detect.synthetic", description=_DESCRIPTION, epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder to write into, made when missing"
    )
    parser.add_argument("--seed", type=int, default=7, help="which match (default: 7)")
    parser.add_argument("--level", choices=tuple(LEVELS), default="easy", help="how hard it is to read (default: easy)")
    parser.add_argument("--seconds", type=_positive(float), default=20.0, help="length of the match (default: 20)")
    parser.add_argument("--width", type=_positive(int), default=1280, help="picture width, even (default: 1280)")
    parser.add_argument("--height", type=_positive(int), default=720, help="picture height, even (default: 720)")
    parser.add_argument(
        "--fps",
        type=_positive(Fraction),
        default=Fraction(30),
        help="frames a second, such as 25 or 30000/1001 (default: 30)",
    )
    parser.add_argument(
        "--repeat",
        type=_positive(int),
        default=1,
        metavar="N",
        help="play the match N times in a row, without encoding again (default: 1)",
    )
    parser.add_argument("--quiet", action="store_true", help="say nothing unless something goes wrong")
    return parser


def _positive(kind: type[_Number]) -> Callable[[str], _Number]:
    def number(text: str) -> _Number:
        try:
            value = kind(text)
        except ZeroDivisionError as error:
            raise ValueError(text) from error
        if not 0 < value < math.inf:
            raise ValueError(text)
        return value

    number.__name__ = f"positive {kind.__name__.lower()}"
    return number


if __name__ == "__main__":
    raise SystemExit(main())
