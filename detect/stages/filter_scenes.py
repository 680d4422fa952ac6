"""Stage 1: cuts, and which sampled frames are worth analysing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import cv2
import msgspec
import numpy as np
from msgspec import Meta

from detect.in_order import in_order
from detect.stages.base import Image, Needs, Options, StageContext, StageOutput
from detect.stages.extract_frames import ExtractFramesOutput
from detect.types import FrameSignals, Sample

if TYPE_CHECKING:
    from detect.resources import Resources


class FilterScenesOptions(Options, frozen=True, kw_only=True):
    """When the picture counts as new, as the same, and as useless."""

    cut_change: Annotated[
        float, Meta(ge=1, le=255, description="mean luma change between two frames that may be a cut, grey levels")
    ] = 14.0
    cut_ratio: Annotated[
        float, Meta(ge=1, le=50, description="how many times larger than around it a change must be to be a cut")
    ] = 3.0
    duplicate_bits: Annotated[
        int, Meta(ge=0, le=64, description="hash bits that may differ between near-duplicate frames; 0 keeps all")
    ] = 3
    duplicate_change: Annotated[
        float, Meta(ge=0, le=64, description="largest local luma change between near-duplicates, grey levels")
    ] = 10.0
    min_contrast: Annotated[
        float, Meta(ge=0, le=64, description="frames whose luma varies less than this are dropped, grey levels")
    ] = 4.0


class FilterScenesInput(msgspec.Struct, frozen=True):
    extract_frames: ExtractFramesOutput


class FilterScenesOutput(StageOutput, frozen=True, kw_only=True):
    """``kept`` sequences are analysed; ``stands_for`` maps each dropped near-duplicate to the kept frame before it.

    ``cuts`` are the seconds of the first frame of each new shot inside the chunk. A frame that is neither kept nor in
    ``stands_for`` was useless (black, no detail).
    """

    kept: list[int]
    stands_for: dict[int, int]
    cuts: list[float]


class FilterScenes:
    """Find cuts; drop near-duplicates and empty frames, remembering what stands for them."""

    name, version = "filter_scenes", 1
    scope: Literal["chunk"] = "chunk"
    uses_known_brands = False
    needs: Needs = "cpu"
    Options, Input, Output = FilterScenesOptions, FilterScenesInput, FilterScenesOutput

    def model_digests(self, options: FilterScenesOptions, resources: Resources) -> tuple[str, ...]:
        return ()

    def run(self, ctx: StageContext, data: FilterScenesInput) -> FilterScenesOutput:
        options: FilterScenesOptions = ctx.options
        cuts = find_cuts(data.extract_frames.signals, options.cut_change, options.cut_ratio)
        kept: list[int] = []
        stands_for: dict[int, int] = {}
        last: tuple[Sample, Image] | None = None
        useless = 0
        samples = data.extract_frames.samples
        thumbnails = in_order(
            lambda sample: _thumbnail(ctx.frames.load(sample.sequence)), samples, ctx.resources.threads
        )
        for sample, small in zip(ctx.each(samples), thumbnails, strict=True):
            if (
                last is not None
                and _hash_distance(sample, last[0]) <= options.duplicate_bits
                and _same_picture(small, last[1], options)
                and not _cut_between(cuts, last[0], sample)
            ):
                stands_for[sample.sequence] = last[0].sequence
                continue
            if float(small.std()) < options.min_contrast:
                useless += 1
                continue
            kept.append(sample.sequence)
            last = (sample, small)
        stats = {"kept": len(kept), "near_duplicates": len(stands_for), "useless": useless, "cuts": len(cuts)}
        return FilterScenesOutput(kept=kept, stands_for=stands_for, cuts=cuts, stats=dict(stats))


def find_cuts(signals: FrameSignals, min_change: float, ratio: float) -> list[float]:
    """Seconds of frames that begin a new shot.

    A cut is a single frame whose luma change is at least ``min_change`` and ``ratio`` times the larger of the changes
    around it (adaptive thresholding over a window, as in rolling-average cut detectors): a fast pan changes much at
    every frame, a cut at one.
    """
    change = np.asarray(signals.change, dtype=np.float64)
    cuts: list[float] = []
    for index in np.flatnonzero(change >= min_change).tolist():
        around = np.concatenate([change[max(0, index - 4) : index], change[index + 1 : index + 5]])
        if around.size == 0 or change[index] >= ratio * max(float(np.median(around)), 1.0):
            cuts.append(signals.timestamps[index])
    return cuts


def _thumbnail(image: Image) -> Image:
    return cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (160, 90), interpolation=cv2.INTER_AREA)


def _same_picture(small: Image, other: Image, options: FilterScenesOptions) -> bool:
    """Whether no part of the picture changed by more than the option allows: an LED board that changes is a part."""
    difference = cv2.blur(cv2.absdiff(small, other), (3, 3))
    return float(difference.max()) <= options.duplicate_change


def _hash_distance(sample: Sample, other: Sample) -> int:
    return (int(sample.perceptual_hash, 16) ^ int(other.perceptual_hash, 16)).bit_count()


def _cut_between(cuts: list[float], before: Sample, after: Sample) -> bool:
    return any(before.timestamp < cut <= after.timestamp for cut in cuts)
