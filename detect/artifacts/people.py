"""Files of the people pipeline: everybody who was followed, frame by frame as COCO JSON, and as a list in CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from fractions import Fraction
from itertools import count
from pathlib import Path

from detect.artifacts.base import Artifact, FinishedRun
from detect.formats.coco import Entry, coco_annotation, coco_image, coco_text
from detect.stages.track_objects import TrackObjectsOutput


def write(run: FinishedRun, folder: Path) -> list[Artifact]:
    """``tracks.json`` and ``tracks.csv``.

    Every frame of the video is an image, also where nobody is seen. A box that was not found but lies between two that
    were has ``"interpolated": true`` and the score 0.
    """
    found: TrackObjectsOutput = run.output("track_objects")
    categories = [{"id": number, "name": name, "supercategory": ""} for number, name in enumerate(found.class_names, 1)]
    info = {
        "description": f"Tracks in {run.name}",
        "video": run.name,
        "time_base": found.time_base,
        "origin_pts": found.origin,
    }
    with (folder / "tracks.json").open("w", encoding="utf-8") as file:
        file.writelines(
            coco_text(info=info, categories=categories, images=_images(run, found), annotations=_annotations(found))
        )
    with (folder / "tracks.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("id", "label", "start", "end", "sightings", "confidence"))
        for track in found.tracks:
            span = (f"{float(_seconds(tick, found)):.3f}" for tick in (track.start, track.end))
            writer.writerow((track.id, track.label, *span, track.sightings, track.confidence))
    meta = {"tracks": len(found.tracks), "images": len(found.objects.times)}
    return [Artifact("json", "tracks", "tracks.json", meta), Artifact("csv", "tracks", "tracks.csv", meta)]


def _images(run: FinishedRun, found: TrackObjectsOutput) -> Iterator[Entry]:
    size = run.source.width, run.source.height
    for number, pts in enumerate(found.objects.times.tolist(), 1):
        yield coco_image(number, video=run.name, size=size, pts=pts, at=_seconds(pts, found))


def _annotations(found: TrackObjectsOutput) -> Iterator[Entry]:
    numbers = count(1)
    for image, frame in enumerate(found.objects, 1):
        people = zip(frame.boxes.tolist(), frame.scores.tolist(), frame.kinds.tolist(), frame.ids.tolist(), strict=True)
        for box, score, kind, track in people:
            entry = coco_annotation(next(numbers), image=image, category=kind + 1, box=box, score=score, track=track)
            yield entry if score > 0 else {**entry, "interpolated": True}


def _seconds(tick: int, found: TrackObjectsOutput) -> Fraction:
    return Fraction(tick - found.origin) * Fraction(found.time_base)
