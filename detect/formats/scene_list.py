"""Scenes as JSON, and as the CSV that PySceneDetect writes: its columns, its frame numbers, its timecodes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from detect.stages.join_scenes import JoinScenesOutput, Scene
from detect.timecode import format_timecode

SCHEMA = "mediaproc.scenes/1"
COLUMNS = (
    "Scene Number",
    "Start Frame",
    "Start Timecode",
    "Start Time (seconds)",
    "End Frame",
    "End Timecode",
    "End Time (seconds)",
    "Length (frames)",
    "Length (timecode)",
    "Length (seconds)",
)


def scenes_json(found: JoinScenesOutput, *, video: str) -> str:
    """Scenes with their times in seconds and, exact, in ticks (``pts``) of ``time_base`` seconds as in the file."""
    document = {
        "schema": SCHEMA,
        "video": video,
        "time_base": found.time_base,
        "origin_pts": found.origin,
        "scenes": [_described(scene, found) for scene in found.scenes],
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def scenes_csv(found: JoinScenesOutput) -> str:
    """One line a scene. Frames count from 1, in the order in which they are shown; an end is the last frame's."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for scene in found.scenes:
        start, end = scene_seconds(scene, found)
        writer.writerow(
            [
                scene.number,
                scene.first_frame + 1,
                *_shown(start),
                scene.first_frame + scene.frames,
                *_shown(end),
                scene.frames,
                *_shown(end - start),
            ]
        )
    return text.getvalue()


def scene_seconds(scene: Scene, found: JoinScenesOutput) -> tuple[Fraction, Fraction]:
    """When a scene starts and ends, exact."""
    start, end = (Fraction(tick - found.origin) * Fraction(found.time_base) for tick in (scene.start, scene.end))
    return start, end


def _shown(seconds: Fraction) -> Sequence[str]:
    return format_timecode(seconds), f"{float(seconds):.3f}"


def _described(scene: Scene, found: JoinScenesOutput) -> dict[str, Any]:
    start, end = scene_seconds(scene, found)
    middle = Fraction(scene.middle - found.origin) * Fraction(found.time_base)
    return {
        "number": scene.number,
        "boundary": scene.boundary,
        "start": round(float(start), 6),
        "end": round(float(end), 6),
        "length": round(float(end - start), 6),
        "middle": round(float(middle), 6),
        "start_pts": scene.start,
        "end_pts": scene.end,
        "middle_pts": scene.middle,
        "first_frame": scene.first_frame,
        "frames": scene.frames,
    }
