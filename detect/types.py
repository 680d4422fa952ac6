"""Values that stages hand to one another.

Every value is a frozen :class:`msgspec.Struct`: typed, compact, comparable and serialised in one deterministic way
(``detect/checkpoints/serde.py``). Boxes are ``xyxy`` integer pixels of the upright source picture with a top-left
origin; ``x2``/``y2`` are exclusive. Times are seconds of the video, counted from its first presentation timestamp.
``sequence`` numbers sampling instants: the frame with sequence *n* is what was on screen at ``n / fps`` seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

import msgspec

DetectionSource = Literal["ocr", "logo", "local_vlm", "cloud_llm", "manual"]
Placement = Literal["board", "led", "jersey", "overlay", "other"]


class Value(msgspec.Struct, frozen=True):
    """Base of every value here: immutable and comparable."""


class Box(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """``xyxy`` integer pixels, top-left origin, ``x2``/``y2`` exclusive."""

    x1: int
    y1: int
    x2: int
    y2: int

    @classmethod
    def from_points(cls, points: Iterable[tuple[float, float]]) -> Box:
        """Smallest box around ``(x, y)`` points, rounded outwards to whole pixels."""
        xs, ys = zip(*points, strict=True)
        return cls(math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys)))

    @property
    def width(self) -> int:
        return max(0, self.x2 - self.x1)

    @property
    def height(self) -> int:
        return max(0, self.y2 - self.y1)

    @property
    def area(self) -> int:
        return self.width * self.height

    def to_xywh(self) -> tuple[int, int, int, int]:
        """COCO order: left, top, width, height."""
        return (self.x1, self.y1, self.width, self.height)


class StoredFile(Value, frozen=True):
    """A file that a stage made: its key in storage, its content's SHA-256 and its size."""

    key: str
    sha256: str
    size_bytes: int


class Region(Value, frozen=True):
    """A box worth reading or looking at, in one frame.

    ``quad`` holds the four corners, clockwise from top-left, where the region is not upright; empty otherwise.
    """

    box: Box
    confidence: float
    label: str
    quad: tuple[tuple[int, int], ...] = ()


class Sample(Value, frozen=True):
    """One sampled frame of a timeline. ``digest`` is the SHA-256 of its stored JPEG.

    It was on screen from ``timestamp`` to ``until``. A frame that stays through several sampling instants is one
    sample, so on a video of stills ``until`` lies far behind; None where that is not known.
    """

    sequence: int
    timestamp: float
    perceptual_hash: str
    digest: str
    until: float | None = None


class FrameSignals(Value, frozen=True):
    """How much the picture changed at each decoded frame (parallel lists), so cuts can be found without decoding."""

    timestamps: list[float]
    change: list[float]
    histogram: list[float]
    luma: list[float]


class Observation(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a track was in one sampled frame."""

    sequence: int
    box: Box
    confidence: float


class LatticeStep(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one step of recognition may have seen, in thousandths: nothing new (``blank``), or each of ``chars``."""

    blank: int
    chars: str
    shares: tuple[int, ...]


class Reading(Value, frozen=True):
    """A text that was read on a track: how often, how surely, and on which frame best.

    ``lattice`` is what else that reading may have been, step by step; empty where recognition was sure.
    """

    text: str
    confidence: float
    votes: int
    sequence: int
    box: Box
    lattice: tuple[LatticeStep, ...] = ()


class Edge(Value, frozen=True):
    """A moment and by how much it may be off, both in seconds."""

    time: float
    uncertainty: float


class TextTrack(Value, frozen=True):
    """One text followed through one shot.

    ``readings`` come best first. ``context`` tells what the text lies on, from edges, objects and motion: ``board``,
    ``led``, ``person``, ``overlay`` (fixed to the screen while the picture moves) or ``""`` when unknown.
    ``appears`` and ``vanishes`` tell when the text came before its first observation and went after its last one,
    None where samples and cuts are all that is known.
    """

    track_id: int
    readings: list[Reading]
    observations: list[Observation]
    context: str = ""
    appears: Edge | None = None
    vanishes: Edge | None = None


class Suggestion(Value, frozen=True):
    """A known brand that a candidate resembles, with similarity 0-1."""

    name: str
    similarity: float


class BrandDetection(Value, frozen=True):
    """A brand followed over one stretch of one shot: the unit that sightings are made from.

    ``appears`` and ``vanishes`` are as those of a :class:`TextTrack`.
    """

    brand: str
    source: DetectionSource
    confidence: float
    text: str
    placement: Placement
    observations: list[Observation]
    rule: str
    model: str = ""
    confirmed: bool = True
    appears: Edge | None = None
    vanishes: Edge | None = None


class Candidate(Value, frozen=True):
    """Text or a region that may be a brand and is not yet known to be one.

    ``candidate_id`` is stable over replays: it is made from where and what it is. ``crop`` is the frame and box that
    shows it best; ``members`` counts the tracks that were grouped into it. ``brand_like`` marks lettering that repeats
    as a brand's does: nobody having said otherwise by then, the report lists it as an unconfirmed brand.
    """

    candidate_id: str
    text: str
    confidence: float
    placement: Placement
    observations: list[Observation]
    crop_sequence: int
    crop_box: Box
    members: int
    reason: str
    brand_like: bool = False
    suggestions: list[Suggestion] = msgspec.field(default_factory=list)


class LogoReference(Value, frozen=True):
    """A reference picture of a brand: its SHA-256 and its storage key."""

    digest: str
    storage_key: str


class KnownBrandRecord(Value, frozen=True):
    """A known brand as a run sees it. ``brand_id`` is the database's, empty where there is none."""

    name: str
    aliases: tuple[str, ...] = ()
    brand_id: str = ""
    confirmed: bool = True
    logos: tuple[LogoReference, ...] = ()


class KnownBrands(Value, frozen=True):
    """The known-brand snapshot of a run: part of the key of whatever was matched against it.

    ``given`` says that the names were listed for this run: unknown text then stays unresolved and no brand is grown.
    ``rejected`` are normalised texts people said are no brands. ``cached`` maps a normalised text seen earlier in this
    source to the brand a model or a person gave it.
    """

    brands: tuple[KnownBrandRecord, ...] = ()
    given: bool = False
    rejected: tuple[str, ...] = ()
    cached: tuple[tuple[str, str], ...] = ()


class ModelCall(Value, frozen=True):
    """What one question to a vision-language model cost. ``usd`` is a Decimal written as text."""

    digest: str
    provider: str
    model: str
    input_tokens: int
    output_tokens: int
    usd: str
    seconds: float


class SourceInfo(Value, frozen=True):
    """The asset as the engine knows it."""

    path: str
    sha256: str
    duration: float
    width: int
    height: int
    frame_rate: str
    variable_frame_rate: bool
    start_time: float
    warnings: tuple[str, ...] = ()
