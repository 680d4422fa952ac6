"""Renders a synthetic match with all that a measurement needs, or repeats a video; a process of its own.

python -m bench.render match LEVEL SEED SECONDS FOLDER    match.mp4, truth.json, brands.csv, NAME.png for logos
python -m bench.render loop SOURCE TIMES TARGET
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path


def render_match(level: str, seed: int, seconds: float, folder: Path) -> None:
    """The files of one match; the truth comes last, so a folder that has one is whole."""
    import cv2

    from detect.synthetic import build_match, logo_image, render_match

    folder.mkdir(parents=True, exist_ok=True)
    match = build_match(seed, level, seconds)
    truth = render_match(match, folder / "match.mp4")
    with (folder / "brands.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["name", "aliases"])
        rows.writerows([brand.name, ";".join(brand.aliases)] for brand in match.brands)
    for brand in match.brands:
        if brand.kind == "logo":
            cv2.imwrite(str(folder / f"{brand.name}.png"), logo_image(brand))
    truth.save(folder / "truth.new")
    (folder / "truth.new").replace(folder / "truth.json")


def main() -> None:
    parser = argparse.ArgumentParser(description="Render a synthetic match, or repeat a video.")
    commands = parser.add_subparsers(dest="command", required=True)
    match = commands.add_parser("match")
    match.add_argument("level")
    match.add_argument("seed", type=int)
    match.add_argument("seconds", type=float)
    match.add_argument("folder", type=Path)
    repeat = commands.add_parser("loop")
    repeat.add_argument("source", type=Path)
    repeat.add_argument("times", type=int)
    repeat.add_argument("target", type=Path)
    given = parser.parse_args()
    if given.command == "match":
        render_match(given.level, given.seed, given.seconds, given.folder)
    else:
        from detect.synthetic import loop_video

        loop_video(given.source, given.target, given.times)


if __name__ == "__main__":
    main()
