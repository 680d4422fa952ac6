"""Stage 3: people, vehicles or whatever the user's own weights know."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from detect.engines.objects import check_classes
from detect.resources import NO_WEIGHTS
from detect.stages.base import Needs, Options, StageContext, StageOutput, Stats
from detect.stages.filter_scenes import FilterScenesOutput
from detect.types import Region

if TYPE_CHECKING:
    from detect.resources import Resources

__all__ = ["NO_WEIGHTS", "DetectObjects", "DetectObjectsInput", "DetectObjectsOptions", "DetectObjectsOutput"]


class DetectObjectsOptions(Options, frozen=True):
    """Options of :class:`DetectObjects`."""

    confidence: Annotated[
        float, Meta(ge=0.01, le=1, description="Objects the model is no surer of than this are left out.")
    ] = 0.35
    iou: Annotated[
        float, Meta(ge=0.1, le=1, description="Of two boxes of one class that overlap more than this (IoU) one stays.")
    ] = 0.6
    classes: Annotated[
        tuple[str, ...], Meta(description="Class names to keep, as the weights name them; empty keeps all.")
    ] = ()
    max_per_frame: Annotated[
        int, Meta(ge=1, le=1000, description="At most this many objects of a frame are kept, the surest first.")
    ] = 100


class DetectObjectsInput(msgspec.Struct, frozen=True):
    filter_scenes: FilterScenesOutput


class DetectObjectsOutput(StageOutput, frozen=True):
    """``regions`` by sequence, surest first; ``label`` is the class name. Every kept frame has an entry."""

    regions: dict[int, list[Region]]


class DetectObjects:
    """Find people, vehicles or your own classes with a YOLO model."""

    name: ClassVar[str] = "detect_objects"
    version: ClassVar[int] = 1
    scope: ClassVar[Literal["chunk", "asset"]] = "chunk"
    uses_known_brands: ClassVar[bool] = False
    needs: ClassVar[Needs] = "gpu"
    Options: ClassVar[type[DetectObjectsOptions]] = DetectObjectsOptions
    Input: ClassVar[type[DetectObjectsInput]] = DetectObjectsInput
    Output: ClassVar[type[DetectObjectsOutput]] = DetectObjectsOutput

    def model_digests(self, options: DetectObjectsOptions, resources: Resources) -> tuple[str, ...]:
        model = resources.object_model()
        return () if model is None else (model.digest,)

    def run(self, ctx: StageContext, data: DetectObjectsInput) -> DetectObjectsOutput:
        """Raises ``WeightsError`` for weights that cannot be used or that lack a class asked for, and
        ``InferenceError`` where they run on a server that fails.
        """
        model = ctx.resources.object_model()
        if model is None:
            return DetectObjectsOutput(regions={}, skipped=ctx.resources.no_objects_because)
        options: DetectObjectsOptions = ctx.options
        detector = model.open()
        check_classes("detect_objects.classes", options.classes, detector, model.name)
        regions: dict[int, list[Region]] = {}
        for sequence in ctx.each(data.filter_scenes.kept):
            found = detector.detect(ctx.frames.load(sequence), confidence=options.confidence, iou=options.iou)
            wanted = [region for region in found if not options.classes or region.label in options.classes]
            regions[sequence] = wanted[: options.max_per_frame]
        return DetectObjectsOutput(regions=regions, stats=_stats(regions, model.name))


def _stats(regions: dict[int, list[Region]], weights: str) -> Stats:
    counts = Counter(region.label for found in regions.values() for region in found)
    stats: Stats = {"weights": weights, "frames": len(regions), "objects": counts.total()}
    return stats | {f"objects_{label.replace(' ', '_')}": count for label, count in sorted(counts.items())}
