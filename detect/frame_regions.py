"""What a stage found, frame by frame: as regions, and as pictures for people who tune it."""

from __future__ import annotations

from typing import Any

import msgspec

from detect.engines.board_overlays import draw_edges, draw_lines
from detect.engines.boards import BoardFindings
from detect.stages.base import Image, Stage
from detect.stages.extract_frames import encode_jpeg
from detect.types import BrandDetection, Region, TextTrack

_OVERLAY_QUALITY = 85
_WHY_NOT = {
    "extract_frames": "it makes the frames",
    "filter_scenes": "it compares each frame with the one before",
    "escalate_vlm": "it asks a model about candidates of the whole video",
    "escalate_cloud": "it asks a paid model about candidates of the whole video",
    "compile_report": "it adds up the whole video",
}


class EdgeOverlays(msgspec.Struct, frozen=True):
    """How ``detect_edges`` came to its regions: JPEGs of the frame's size, lines found and pairs of them judged."""

    edges: bytes
    lines: bytes
    horizontal_count: int
    pair_count: int


def draw_overlays(image: Image, findings: BoardFindings) -> EdgeOverlays:
    """The overlays of a ``(height, width, 3)`` BGR picture and what was found in it."""
    return EdgeOverlays(
        edges=encode_jpeg(draw_edges(image, findings), _OVERLAY_QUALITY),
        lines=encode_jpeg(draw_lines(image, findings), _OVERLAY_QUALITY),
        horizontal_count=len(findings.lines),
        pair_count=findings.pairs,
    )


def why_not_by_frame(stage: Stage) -> str:
    """Why a stage says nothing about single frames; empty for one that does."""
    fields = set(stage.Output.__struct_fields__)
    if "objects" in fields:
        return "it looks at every frame, not at sampled ones"
    if fields & {"regions", "tracks"} or ("detections" in fields and "calls" not in fields):
        return ""
    return _WHY_NOT.get(stage.name, "it gives no regions of frames")


def regions_at(output: Any, sequence: int) -> list[Region]:
    """What a stage's output shows in one frame; texts and brands are the labels of where they were seen.

    ``output`` is of a stage for which :func:`why_not_by_frame` is empty. A text has the confidence of its best
    reading, a brand that of its detection.
    """
    if hasattr(output, "regions"):
        return list(output.regions.get(sequence, ()))
    if hasattr(output, "tracks"):
        return [region for track in output.tracks for region in _of_track(track, sequence)]
    return [region for detection in output.detections for region in _of_detection(detection, sequence)]


def _of_track(track: TextTrack, sequence: int) -> list[Region]:
    best = track.readings[0]
    return [Region(seen.box, best.confidence, best.text) for seen in track.observations if seen.sequence == sequence]


def _of_detection(detection: BrandDetection, sequence: int) -> list[Region]:
    return [
        Region(seen.box, detection.confidence, detection.brand)
        for seen in detection.observations
        if seen.sequence == sequence
    ]
