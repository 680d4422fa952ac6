"""Files of the scenes pipeline: scenes as JSON and CSV, and a picture of each."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from detect.artifacts.base import Artifact, FinishedRun
from detect.artifacts.pictures import pictures_at, write_png
from detect.formats.scene_list import scenes_csv, scenes_json
from detect.stages.join_scenes import JoinScenesOutput

_LONGEST_SIDE = 320


def write(run: FinishedRun, folder: Path) -> list[Artifact]:
    """``scenes.json``, ``scenes.csv`` and ``scene-0001.png`` … with what is on screen halfway through each."""
    found: JoinScenesOutput = run.output("join_scenes")
    (folder / "scenes.json").write_text(scenes_json(found, video=run.name), encoding="utf-8")
    (folder / "scenes.csv").write_text(scenes_csv(found), encoding="utf-8")
    meta = {"scenes": len(found.scenes)}
    return [
        Artifact("json", "scenes", "scenes.json", meta),
        Artifact("csv", "scenes", "scenes.csv", meta),
        *_thumbnails(run, found, folder),
    ]


def _thumbnails(run: FinishedRun, found: JoinScenesOutput, folder: Path) -> list[Artifact]:
    longest = sorted(found.scenes, key=lambda scene: (scene.start - scene.end, scene.number))
    chosen = longest[: run.options["join_scenes"].max_thumbnails]
    if not chosen:
        return []
    by_tick = {scene.middle: scene for scene in chosen}
    artifacts = []
    with run.video() as video:
        for tick, picture in pictures_at(video, sorted(by_tick)):
            number = by_tick[tick].number
            name = f"scene-{number:04d}.png"
            width, height = write_png(folder / name, picture, longest_side=_LONGEST_SIDE)
            seconds = Fraction(tick - found.origin) * Fraction(found.time_base)
            meta = {"scene": number, "time": round(float(seconds), 6), "width": width, "height": height}
            artifacts.append(Artifact("png", "thumbnail", name, meta))
    return artifacts
