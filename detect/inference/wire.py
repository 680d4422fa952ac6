"""What client and server say to each other, as JSON."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from detect.frame_regions import EdgeOverlays
from detect.types import Box, Region


class Ask(msgspec.Struct, frozen=True):
    """A picture (base64 of a JPEG or PNG) and the stage's options."""

    image: str
    config: dict[str, Any] = msgspec.field(default_factory=dict)


class WireRegion(msgspec.Struct, frozen=True, omit_defaults=True):
    """A region in pixels of the picture, top-left origin; ``quad`` where it is not upright, ``text`` where it was read.

    Numbers and corners arrive as they were sent: a region is the same on both sides.
    """

    x: int
    y: int
    w: int
    h: int
    confidence: float
    label: str
    quad: tuple[tuple[int, int], ...] = ()
    text: str | None = None

    @classmethod
    def of(cls, region: Region, *, text: str | None = None) -> WireRegion:
        x, y, width, height = region.box.to_xywh()
        return cls(x, y, width, height, region.confidence, region.label, region.quad, text)

    def region(self) -> Region:
        box = Box(self.x, self.y, self.x + self.w, self.y + self.h)
        return Region(box, self.confidence, self.label, self.quad)


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was found, and the digest of the model that found it, empty where none was needed."""

    regions: list[WireRegion]
    model: str = ""


class DebugAnswer(msgspec.Struct, frozen=True):
    """Boards with the pictures that show how they were found: base64 of JPEGs of the picture's size."""

    regions: list[WireRegion]
    edge_overlay_b64: str
    lines_overlay_b64: str
    horizontal_count: int
    pair_count: int

    @classmethod
    def of(cls, regions: list[Region], overlays: EdgeOverlays) -> DebugAnswer:
        return cls([WireRegion.of(region) for region in regions], **overlay_fields(overlays))


class ObjectsInfo(msgspec.Struct, frozen=True):
    """The object detector of a server: file name, SHA-256, class names in the model's order, ``cpu`` or ``cuda``."""

    name: str
    digest: str
    classes: tuple[str, ...]
    device: str


class OcrInfo(msgspec.Struct, frozen=True):
    """The text models of a server."""

    digest: str
    device: str


class LoadedModels(msgspec.Struct, frozen=True):
    """What a server has loaded."""

    detect_objects: ObjectsInfo | None
    ocr: OcrInfo


class Health(msgspec.Struct, frozen=True):
    """``GET /healthz``. ``stages`` are the versions of the stages whose results it gives: same version, same result.

    ``busy`` requests are worked on now, ``waiting`` ones come after them.
    """

    status: str
    device: str
    models: LoadedModels
    stages: dict[str, int]
    busy: int
    waiting: int


def overlay_fields(overlays: EdgeOverlays) -> dict[str, Any]:
    """Overlays under the names clients know."""
    return {
        "edge_overlay_b64": base64.b64encode(overlays.edges).decode("ascii"),
        "lines_overlay_b64": base64.b64encode(overlays.lines).decode("ascii"),
        "horizontal_count": overlays.horizontal_count,
        "pair_count": overlays.pair_count,
    }
