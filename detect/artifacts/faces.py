"""Files of the faces pipeline: every face as COCO JSON, and a picture of each face that was followed."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import count
from pathlib import Path

from detect.artifacts.base import Artifact, FinishedRun
from detect.artifacts.pictures import pictures_at, write_png
from detect.engines.faces import LANDMARKS
from detect.formats.coco import Entry, coco_annotation, coco_image, coco_keypoints, coco_text
from detect.stages.base import Image
from detect.stages.track_faces import FaceTrack, TrackFacesOutput

_LONGEST_SIDE = 240
# Of the face's longer side, shown around it to all sides.
_MARGIN = 0.25
_CATEGORY = 1
# Which landmarks a viewer joins by lines, positions in LANDMARKS from 1: the eyes, the nose to all, the mouth.
_SKELETON = [[1, 2], [1, 3], [2, 3], [3, 4], [3, 5], [4, 5]]


def write(run: FinishedRun, folder: Path) -> list[Artifact]:
    """``faces.json`` and ``face-0001.png`` … with the best sight of each."""
    found: TrackFacesOutput = run.output("track_faces")
    size = run.source.width, run.source.height
    category = {
        "id": _CATEGORY,
        "name": "face",
        "supercategory": "person",
        "keypoints": list(LANDMARKS),
        "skeleton": _SKELETON,
    }
    info = {
        "description": f"Faces in {run.name}",
        "video": run.name,
        "time_base": found.time_base,
        "origin_pts": found.origin,
        "cuts_pts": found.cuts,
    }
    with (folder / "faces.json").open("w", encoding="utf-8") as file:
        file.writelines(
            coco_text(
                info=info,
                categories=[category],
                images=_images(found, run.name, size),
                annotations=_annotations(found, size),
            )
        )
    meta = {"tracks": len(found.tracks), "images": len(found.objects.times)}
    return [Artifact("json", "faces", "faces.json", meta), *_thumbnails(run, found, folder)]


def _images(found: TrackFacesOutput, name: str, size: tuple[int, int]) -> Iterator[Entry]:
    for number, pts in enumerate(found.objects.times.tolist(), 1):
        at = Fraction(pts - found.origin) * Fraction(found.time_base)
        yield coco_image(number, video=name, size=size, pts=pts, at=at)


def _annotations(found: TrackFacesOutput, size: tuple[int, int]) -> Iterator[Entry]:
    numbers = count(1)
    for image, (frame, landmarks) in enumerate(found.pictures(), 1):
        faces = zip(frame.boxes.tolist(), frame.scores.tolist(), frame.ids.tolist(), landmarks.tolist(), strict=True)
        for box, score, track, points in faces:
            entry = coco_annotation(next(numbers), image=image, category=_CATEGORY, box=box, score=score, track=track)
            yield {**entry, **coco_keypoints(points, size=size)}


def _thumbnails(run: FinishedRun, found: TrackFacesOutput, folder: Path) -> list[Artifact]:
    most_seen = sorted(found.tracks, key=lambda track: (-track.sightings, track.id))
    chosen = most_seen[: run.options["track_faces"].max_thumbnails]
    if not chosen:
        return []
    by_tick: dict[int, list[FaceTrack]] = {}
    for track in sorted(chosen, key=lambda track: (track.best, track.id)):
        by_tick.setdefault(track.best, []).append(track)
    artifacts = []
    with run.video() as video:
        for tick, picture in pictures_at(video, by_tick):
            for track in by_tick[tick]:
                name = f"face-{track.id:04d}.png"
                width, height = write_png(folder / name, _crop(picture, track), longest_side=_LONGEST_SIDE)
                meta = {
                    "track_id": track.id,
                    "time": _seconds(track.best, found),
                    "start": _seconds(track.start, found),
                    "end": _seconds(track.end, found),
                    "width": width,
                    "height": height,
                }
                artifacts.append(Artifact("png", "thumbnail", name, meta))
    return artifacts


def _crop(picture: Image, track: FaceTrack) -> Image:
    """The best sight of a face with a little around it."""
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = track.best_box
    margin = _MARGIN * max(x2 - x1, y2 - y1)
    left, top = max(0, int(x1 - margin)), max(0, int(y1 - margin))
    right, bottom = min(width, int(x2 + margin) + 1), min(height, int(y2 + margin) + 1)
    return picture[top:bottom, left:right]


def _seconds(tick: int, found: TrackFacesOutput) -> float:
    return round(float(Fraction(tick - found.origin) * Fraction(found.time_base)), 6)
