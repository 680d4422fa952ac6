"""Finding brands by their reference pictures in the kept frames of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import cv2
import msgspec
import numpy as np

from detect.context import lies_on, people_only, placement_of
from detect.engines.logos import LogoMatcher
from detect.errors import StorageError
from detect.stages.base import Image, StageContext
from detect.stages.detect_edges import DetectEdgesOutput
from detect.stages.detect_objects import DetectObjectsOutput
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.types import Box, BrandDetection, Observation

_MAX_GAP = 2


class LogoSight(msgspec.Struct, frozen=True, array_like=True):
    """A reference picture recognised in one frame."""

    brand: str
    sequence: int
    box: Box
    confidence: float


def find_logos(
    ctx: StageContext,
    extracted: Sequence[ExtractFramesOutput],
    scenes: Sequence[FilterScenesOutput],
    edges: Sequence[DetectEdgesOutput],
    objects: Sequence[DetectObjectsOutput],
) -> Iterator[BrandDetection]:
    """Detections by logo over the whole asset; nothing is loaded when no known brand has a reference picture.

    The search of each chunk is remembered by itself: what options ask of its confidence can change for free.
    """
    references = [(brand.name, logo) for brand in ctx.known_brands.brands for logo in brand.logos]
    if not references or ctx.resources.load_logo is None:
        return
    matcher = LogoMatcher([(name, _decode(ctx, logo.storage_key)) for name, logo in references])
    confirmed = {brand.name: brand.confirmed for brand in ctx.known_brands.brands}
    for chunk, scene, edge, found in zip(extracted, scenes, edges, objects, strict=True):
        regions = {sequence: searched_boxes(sequence, edge, found) for sequence in scene.kept}
        depends_on = [[sample.digest for sample in chunk.samples], matcher.digest, regions]
        sights = ctx.remember("logos", depends_on, list[LogoSight], partial(_search, ctx, matcher, regions))
        sure = [sight for sight in sights if sight.confidence >= ctx.options.logo_confidence]
        people = people_only(found.regions)
        for run in _runs(sure):
            observations = [Observation(sight.sequence, sight.box, sight.confidence) for sight in run]
            yield BrandDetection(
                brand=run[0].brand,
                source="logo",
                confidence=round(sum(sight.confidence for sight in run) / len(run), 4),
                text="",
                placement=placement_of(lies_on(observations, people, edge.regions)),
                observations=observations,
                rule="logo",
                model=f"logo features {matcher.digest[:12]}",
                confirmed=confirmed[run[0].brand],
            )


def searched_boxes(sequence: int, edges: DetectEdgesOutput, objects: DetectObjectsOutput) -> list[Box]:
    """Where logos are looked for in a frame; all of it is searched where there is none."""
    return [region.box for region in (*edges.regions.get(sequence, ()), *objects.regions.get(sequence, ()))]


def _search(ctx: StageContext, matcher: LogoMatcher, regions: dict[int, list[Box]]) -> list[LogoSight]:
    sights = []
    for sequence, boxes in regions.items():
        ctx.checkpoint()
        sights += [
            LogoSight(match.brand, sequence, match.box, round(match.confidence, 4))
            for match in matcher.find(ctx.frames.load(sequence), boxes or None)
        ]
    return sights


def _runs(sights: Iterable[LogoSight]) -> Iterator[list[LogoSight]]:
    """Sights of one brand without a gap of more than two sampled frames."""
    runs: dict[str, list[LogoSight]] = {}
    for sight in sorted(sights, key=lambda sight: (sight.brand, sight.sequence, sight.box.x1)):
        run = runs.get(sight.brand)
        if run is None or sight.sequence - run[-1].sequence > _MAX_GAP:
            if run is not None:
                yield run
            run = runs[sight.brand] = []
        run.append(sight)
    yield from runs.values()


def _decode(ctx: StageContext, storage_key: str) -> Image:
    assert ctx.resources.load_logo is not None
    image = cv2.imdecode(np.frombuffer(ctx.resources.load_logo(storage_key), np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise StorageError(f"the reference picture {storage_key} is not a readable image")
    return image
