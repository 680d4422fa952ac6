"""Finding brands by their reference pictures in the kept frames of a run."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby, pairwise

import cv2
import numpy as np

from detect.context import lies_on, people_only, placement_of
from detect.engines.flat_marks import FlatMarkFinder
from detect.engines.logos import LogoMatcher
from detect.engines.mark_catalogue import catalogue_digest, find_mark
from detect.errors import StorageError
from detect.geometry import iou
from detect.in_order import in_order
from detect.logo_following import SURE, LogoSight, follow_logos
from detect.stages.base import Image, StageContext
from detect.stages.detect_edges import DetectEdgesOutput
from detect.stages.detect_objects import DetectObjectsOutput
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.types import Box, BrandDetection, Observation, Region

_MAX_GAP = 2
_MOST_MARKS = 24
_MARKS_SIDE = 480  # for marks from the catalogue, of which those on boards are looked for by their silhouette
# Frames of a shot that are searched in any case, and those between them that are where something came or went.
_WIDELY, _EVERY = 4, 2
# The former beyond their regions too, coarsely: a board out of focus has no clear edges, and large logos.
_BEYOND_SIDE = 480
_SAME_PLACE = 0.3

# Brand, box and confidence.
_Found = tuple[str, Box, float]
Find = Callable[[Image, Sequence[Region]], Iterable[_Found]]


@dataclass(frozen=True)
class _Search:
    """A way of looking for some brands: ``find`` gives brand, box and confidence in a picture with its regions.

    ``beyond`` looks anywhere, now and then, where ``find`` does not.
    """

    part: str
    digest: str
    model: str
    find: Find
    beyond: Callable[[Image], Iterable[_Found]] | None = None


def find_logos(
    ctx: StageContext,
    extracted: Sequence[ExtractFramesOutput],
    scenes: Sequence[FilterScenesOutput],
    edges: Sequence[DetectEdgesOutput],
    objects: Sequence[DetectObjectsOutput],
    read: Collection[str] = (),
) -> Iterator[list[BrandDetection]]:
    """Detections by logo, chunk by chunk; nothing, and no frame is loaded, when no known brand has a picture or a mark.

    A brand without one is looked for by its mark in the catalogue, where there are more than a few such only if its
    name is among those ``read`` in this source. The search of each chunk is remembered by itself: what options ask of
    its confidence can change for free.
    """
    searches = [*_by_pictures(ctx), *_by_marks(ctx, read)]
    if not searches:
        return
    confirmed = {brand.name: brand.confirmed for brand in ctx.known_brands.brands}
    for chunk, scene, edge, found in zip(extracted, scenes, edges, objects, strict=True):
        times = {sample.sequence: sample.timestamp for sample in chunk.samples}
        shots = _shots(scene, times)
        people = people_only(found.regions)
        detections = []
        for search in searches:
            regions = {sequence: _searched(sequence, edge, found) for sequence in scene.kept}
            depends_on = [[sample.digest for sample in chunk.samples], search.digest, regions, scene.cuts]
            compute = partial(_sights, ctx, search, shots, regions)
            sights = ctx.remember(search.part, depends_on, list[LogoSight], compute)
            sure = [sight for sight in sights if sight.confidence >= ctx.options.logo_confidence]
            for run in _runs(sure):
                observations = [Observation(sight.sequence, sight.box, sight.confidence) for sight in run]
                detections.append(
                    BrandDetection(
                        brand=run[0].brand,
                        source="logo",
                        confidence=round(sum(sight.confidence for sight in run) / len(run), 4),
                        text="",
                        placement=placement_of(lies_on(observations, people, edge.regions)),
                        observations=observations,
                        rule="logo",
                        model=search.model,
                        confirmed=confirmed[run[0].brand],
                    )
                )
        yield detections


def searched_boxes(sequence: int, edges: DetectEdgesOutput, objects: DetectObjectsOutput) -> list[Box]:
    """Where logos are looked for in a frame; all of it is searched where there is none."""
    return [region.box for region in _searched(sequence, edges, objects)]


def _searched(sequence: int, edges: DetectEdgesOutput, objects: DetectObjectsOutput) -> list[Region]:
    return [*edges.regions.get(sequence, ()), *objects.regions.get(sequence, ())]


def _by_pictures(ctx: StageContext) -> Iterator[_Search]:
    references = [(brand.name, logo) for brand in ctx.known_brands.brands for logo in brand.logos]
    if not references or ctx.resources.load_logo is None:
        return
    pictures = [(name, _decode(ctx, logo.storage_key)) for name, logo in references]
    matcher, coarse = LogoMatcher(pictures), LogoMatcher(pictures, max_side=_BEYOND_SIDE)

    def find(image: Image, regions: Sequence[Region]) -> Iterable[_Found]:
        boxes = [region.box for region in regions]
        return [(match.brand, match.box, match.confidence) for match in matcher.find(image, boxes or None)]

    def beyond(image: Image) -> Iterable[_Found]:
        return [(match.brand, match.box, match.confidence) for match in coarse.find(image)]

    digest = f"{matcher.digest} {coarse.digest}"
    yield _Search("logos", digest, f"logo features {matcher.digest[:12]}", find, beyond)


def _by_marks(ctx: StageContext, read: Collection[str]) -> Iterator[_Search]:
    if not ctx.options.catalogue_marks or not catalogue_digest():
        return
    brands = [brand for brand in ctx.known_brands.brands if not brand.logos]
    if len(brands) > _MOST_MARKS:
        brands = [brand for brand in brands if brand.name in read]
    marks = [(brand.name, mark) for brand in brands if (mark := find_mark((brand.name, *brand.aliases)))]
    if not marks:
        return
    flat = FlatMarkFinder([(name, mark.silhouette) for name, mark in marks])
    matcher = LogoMatcher([(name, mark.picture()) for name, mark in marks], max_side=_MARKS_SIDE, drawn=True)

    def find(image: Image, regions: Sequence[Region]) -> Iterable[_Found]:
        on_boards = flat.find(image, [region for region in regions if region.label == "board"])
        return [(match.brand, match.box, match.confidence) for match in on_boards]

    def beyond(image: Image) -> Iterable[_Found]:
        return [(match.brand, match.box, match.confidence) for match in matcher.find(image)]

    digest = f"{flat.digest} {matcher.digest}"
    yield _Search("marks", digest, f"catalogue marks {catalogue_digest()}", find, beyond)


def _sights(
    ctx: StageContext, search: _Search, shots: list[list[int]], regions: dict[int, list[Region]]
) -> list[LogoSight]:
    """What is found on some frames of each shot, and what follows from it on all of them.

    Every fourth frame is searched, widely. Between two that show the same brands, what they show is followed; between
    others, one frame more is searched.
    """
    apart = [list(dict.fromkeys([*shot[::_WIDELY], shot[-1]])) for shot in shots]
    found = _found(ctx, search, regions, [*chain.from_iterable(apart)], widely=True)
    between: list[int] = []
    for shot, searched in zip(shots, apart, strict=True):
        for before, after in pairwise(searched):
            if _brands(found[before]) != _brands(found[after]):
                between += shot[shot.index(before) + _EVERY : shot.index(after) : _EVERY]
    found |= _found(ctx, search, regions, between, widely=False)

    def followed(shot: list[int]) -> list[LogoSight]:
        seen = [
            LogoSight(brand, sequence, box, round(confidence, 4))
            for sequence in shot
            for brand, box, confidence in found.get(sequence, ())
        ]
        return follow_logos(shot, seen, ctx.frames.load)

    sights: list[LogoSight] = []
    for told in in_order(followed, shots, ctx.resources.threads):
        ctx.checkpoint()
        sights += told
    return sights


def _found(
    ctx: StageContext, search: _Search, regions: dict[int, list[Region]], sequences: Sequence[int], *, widely: bool
) -> dict[int, list[_Found]]:
    """What is found on each of these frames."""
    found = {}
    look = partial(_look, ctx, search, regions, widely=widely)
    for sequence, seen in zip(sequences, in_order(look, sequences, ctx.resources.threads), strict=True):
        ctx.checkpoint()
        found[sequence] = seen
    return found


def _brands(found: Iterable[_Found]) -> set[str]:
    return {brand for brand, _, confidence in found if confidence >= SURE}


def _look(
    ctx: StageContext, search: _Search, regions: dict[int, list[Region]], sequence: int, *, widely: bool
) -> list[_Found]:
    """What is found in one frame; searched ``widely``, outside of its regions too."""
    image = ctx.frames.load(sequence)
    found = list(search.find(image, regions[sequence]))
    if search.beyond is None or not widely:
        return found
    return found + [
        (brand, box, confidence)
        for brand, box, confidence in search.beyond(image)
        if not any(brand == known and iou(box, place) >= _SAME_PLACE for known, place, _ in found)
    ]


def _shots(scene: FilterScenesOutput, times: dict[int, float]) -> list[list[int]]:
    """Kept frames of each shot, in order."""
    cuts = sorted(scene.cuts)
    return [list(shot) for _, shot in groupby(scene.kept, lambda sequence: bisect_right(cuts, times[sequence]))]


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
