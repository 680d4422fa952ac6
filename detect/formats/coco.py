"""COCO JSON of objects in a video's frames: https://cocodataset.org/#format-data.

An image is a frame of the video: ``file_name`` is the video's name with the second as a media fragment
(``clip.mp4#t=1.200``), ``timestamp`` that second and ``pts`` the frame's ticks. ``track_id`` joins the annotations of
one object. Boxes are ``[x, y, width, height]`` pixels with the origin at the top left. The text comes in pieces, entry
by entry: it is never whole in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

Entry = Mapping[str, Any]

# What COCO calls a keypoint that is there but cannot be seen, and one that can be.
_HIDDEN, _VISIBLE = 1, 2


def coco_text(
    *, info: Entry, categories: Sequence[Entry], images: Iterable[Entry], annotations: Iterable[Entry]
) -> Iterator[str]:
    """The document in pieces; ``annotations`` are gone through first, then ``images``."""
    yield '{"annotations": ['
    yield from _entries(annotations)
    yield '],\n"categories": ['
    yield from _entries(categories)
    yield '],\n"images": ['
    yield from _entries(images)
    yield f'],\n"info": {_compact(info)}}}\n'


def coco_image(number: int, *, video: str, size: tuple[int, int], pts: int, at: Fraction) -> Entry:
    """A frame shown at ``at`` seconds; ``size`` is its width and height."""
    return {
        "id": number,
        "file_name": f"{video}#t={float(at):.3f}",
        "width": size[0],
        "height": size[1],
        "timestamp": round(float(at), 6),
        "pts": pts,
    }


def coco_annotation(
    number: int, *, image: int, category: int, box: Sequence[float], score: float, track: int
) -> dict[str, Any]:
    """An object in an image; ``box`` is ``xyxy``."""
    x1, y1, x2, y2 = (round(side, 2) for side in box)
    width, height = round(x2 - x1, 2), round(y2 - y1, 2)
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": [x1, y1, width, height],
        "area": round(width * height, 2),
        "iscrowd": 0,
        "score": round(score, 4),
        "track_id": track,
    }


def coco_keypoints(points: Sequence[Sequence[float]], *, size: tuple[int, int]) -> dict[str, Any]:
    """What an annotation says of its keypoints ``(x, y)``; those outside of the picture count as hidden."""
    flat: list[float] = []
    for x, y in points:
        inside = 0 <= x < size[0] and 0 <= y < size[1]
        flat += [round(x, 2), round(y, 2), _VISIBLE if inside else _HIDDEN]
    return {"keypoints": flat, "num_keypoints": len(points)}


def _entries(entries: Iterable[Entry]) -> Iterator[str]:
    before = "\n"
    for entry in entries:
        yield before + _compact(entry)
        before = ",\n"


def _compact(entry: Entry) -> str:
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), allow_nan=False)
