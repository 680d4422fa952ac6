from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from detect.engines.logos import LogoMatch, LogoMatcher, confidence_of
from detect.geometry import iou
from detect.stages.base import Image
from detect.types import Box
from tests.engines.emblems import cut_out, emblem
from tests.engines.scenes import Quad, board, cover, ground, leaning, paste

REFERENCES = [(f"brand {seed}", emblem(seed)) for seed in range(5)]


@pytest.fixture(scope="module")
def matcher() -> LogoMatcher:
    return LogoMatcher(REFERENCES)


def placed(seed: int, quad: Quad, picture: Image | None = None) -> Image:
    return paste(ground(), emblem(seed) if picture is None else picture, quad)


def only(matches: list[LogoMatch]) -> LogoMatch:
    sure = [match for match in matches if match.confidence >= 0.6]
    assert len(sure) == 1, matches
    return sure[0]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "quad",
    [
        leaning(300, 380, 150, 150, 0),
        leaning(500, 420, 90, 90, 4),
        leaning(640, 360, 120, 190, 8, far=0.8),  # seen from the side
        np.array([(820, 330), (960, 400), (890, 540), (750, 470)]),  # turned by 27 degrees
    ],
    ids=["upright", "small", "slanted", "turned"],
)
def test_a_logo_is_found_where_it_is(matcher: LogoMatcher, seed: int, quad: Quad) -> None:
    match = only(matcher.find(cv2.GaussianBlur(placed(seed, quad), (0, 0), 0.7)))
    assert match.brand == f"brand {seed}" and match.reference == seed
    assert cover(quad, match.quad) > 0.8 and cover(match.quad, quad) > 0.8
    assert match.box == Box.from_points(match.quad)
    assert match.inliers >= 6 and match.correlation > 0.3


@pytest.mark.parametrize("seed", range(5))
def test_a_large_logo_out_of_focus_is_found(matcher: LogoMatcher, seed: int) -> None:
    """Blurred by a tenth of its height, as boards are behind a player in close-up."""
    quad = leaning(500, 380, 140, 140, 0)
    match = only(matcher.find(cv2.GaussianBlur(placed(seed, quad), (0, 0), 140 / 10 / 3)))
    assert match.brand == f"brand {seed}" and cover(quad, match.quad) > 0.8


@pytest.mark.parametrize("seed", range(5))
def test_other_colours_do_not_matter(matcher: LogoMatcher, seed: int) -> None:
    quad = leaning(500, 380, 140, 140, 3)
    # White on dark blue, as on a shirt, for dark on white, as on paper.
    shirt = cv2.addWeighted(255 - emblem(seed), 0.8, np.full((240, 240, 3), (90, 30, 10), np.uint8), 0.6, 0)
    match = only(matcher.find(placed(seed, quad, shirt)))
    assert match.brand == f"brand {seed}" and cover(quad, match.quad) > 0.8


def test_a_logo_repeated_along_a_strip_is_found_each_time(matcher: LogoMatcher) -> None:
    scene, places = ground(), [leaning(100 + 220 * index, 400 + 10 * index, 100, 100, 3) for index in range(5)]
    for place in places:
        scene = paste(scene, emblem(2), place)
    matches = [match for match in matcher.find(scene) if match.confidence >= 0.6]
    assert len(matches) == 5 and {match.brand for match in matches} == {"brand 2"}
    assert all(max(cover(place, match.quad) for match in matches) > 0.8 for place in places)


def test_several_brands_in_one_picture(matcher: LogoMatcher) -> None:
    scene = ground()
    for seed in range(5):
        scene = paste(scene, emblem(seed), leaning(60 + 230 * seed, 380, 130, 130, 0))
    matches = [match for match in matcher.find(scene) if match.confidence >= 0.6]
    assert sorted(match.brand for match in matches) == [f"brand {seed}" for seed in range(5)]


def lettered() -> Image:
    return paste(ground(), board(["NORVIK", "Teal&Co", "ORBITAL"], [(150, 60, 10)]), leaning(100, 340, 1000, 60, 2))


@pytest.mark.parametrize(
    "scene",
    [
        np.zeros((720, 1280, 3), np.uint8),
        ground(),
        ground(horizon=1.0),
        lettered(),
        placed(7, leaning(400, 350, 200, 200, 0)),
    ],
    ids=["black", "field", "crowd", "lettering", "a logo of nobody"],
)
def test_nothing_is_found_where_no_logo_is(matcher: LogoMatcher, scene: Image) -> None:
    assert [match for match in matcher.find(scene) if match.confidence >= 0.5] == []


def test_a_mirrored_logo_is_another_thing(matcher: LogoMatcher) -> None:
    assert matcher.find(placed(0, leaning(400, 380, 150, 150, 0), emblem(0)[:, ::-1].copy())) == []


def test_regions_limit_where_it_looks(matcher: LogoMatcher) -> None:
    left, right = leaning(200, 400, 120, 120, 0), leaning(900, 400, 120, 120, 0)
    scene = paste(placed(1, left), emblem(1), right)
    around_left = Box(180, 380, 340, 540)
    assert iou(only(matcher.find(scene, [around_left])).box, Box(200, 400, 320, 520)) > 0.7
    assert len([m for m in matcher.find(scene, [around_left, Box(880, 390, 1040, 530)]) if m.confidence > 0.6]) == 2
    assert matcher.find(scene, []) == [] and matcher.find(scene, [Box(0, 0, 0, 0)]) == []
    overlapping = [around_left, Box(190, 390, 350, 520), Box(0, 300, 400, 700)]
    assert only(matcher.find(scene, overlapping)).brand == "brand 1"


def test_transparent_references_are_looked_for_by_their_shape() -> None:
    matcher = LogoMatcher([("cut out", cut_out(emblem(4)))])
    quad = leaning(500, 200, 160, 160, 3)  # before a crowd, whose colours show around it
    match = only(matcher.find(placed(4, quad, cut_out(emblem(4)))))
    assert iou(match.box, Box.from_points([(float(x), float(y)) for x, y in quad])) > 0.6


@pytest.mark.parametrize("kind", ["grey", "16 bit", "wide border", "large"])
def test_references_come_in_any_form(kind: str) -> None:
    plain = emblem(3)
    picture: Image = {
        "grey": cv2.cvtColor(plain, cv2.COLOR_BGR2GRAY),
        "16 bit": (plain.astype(np.uint16) * 257),
        "wide border": cv2.copyMakeBorder(plain, 300, 100, 50, 500, cv2.BORDER_CONSTANT, value=(255, 255, 255)),
        "large": cv2.resize(plain, (1500, 1500), interpolation=cv2.INTER_CUBIC),
    }[kind]
    quad = leaning(500, 380, 150, 150, 0)
    match = only(LogoMatcher([("any", picture)]).find(placed(3, quad)))
    assert cover(quad, match.quad) > 0.8


def test_references_without_detail_are_named_and_find_nothing() -> None:
    blank, dot = np.zeros((50, 80, 3), np.uint8), np.zeros((1, 1, 3), np.uint8)
    fade = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 120, axis=0).repeat(3, axis=2)
    matcher = LogoMatcher([("fade", fade), ("crest", emblem(0)), ("blank", blank), ("dot", dot), ("dot", blank)])
    assert matcher.weak == ("fade", "blank", "dot")
    assert matcher.find(paste(ground(), fade, leaning(400, 400, 240, 120, 0))) == []
    assert LogoMatcher([]).find(ground()) == [] and matcher.find(np.zeros((3, 4, 3), np.uint8)) == []


def test_the_same_picture_gives_the_same_matches(matcher: LogoMatcher) -> None:
    scene = placed(2, leaning(400, 380, 100, 140, 5))
    before = scene.copy()
    again = LogoMatcher(REFERENCES)
    assert matcher.find(scene) == again.find(scene) == matcher.find(scene)
    assert np.array_equal(scene, before)


def test_digest_tells_references_and_limits_apart(matcher: LogoMatcher) -> None:
    assert matcher.digest == LogoMatcher(REFERENCES).digest
    renamed = [("other", REFERENCES[0][1]), *REFERENCES[1:]]
    changed = REFERENCES[0][1].copy()
    changed[0, 0, 0] ^= 1
    others = [
        LogoMatcher(REFERENCES[:4]),
        LogoMatcher(REFERENCES[::-1]),
        LogoMatcher(renamed),
        LogoMatcher([("brand 0", changed), *REFERENCES[1:]]),
        LogoMatcher(REFERENCES, max_side=640),
        LogoMatcher(REFERENCES, max_features=500),
    ]
    assert len({matcher.digest, *(other.digest for other in others)}) == 7


def test_confidence_grows_with_evidence() -> None:
    assert confidence_of(4, 0.1) < 0.1 < confidence_of(6, 0.3) < confidence_of(10, 0.3) < confidence_of(10, 0.5)
    assert confidence_of(40, 0.8) > 0.99


def test_large_pictures_cost_no_more_and_lose_nothing(matcher: LogoMatcher) -> None:
    quad = leaning(400, 360, 170, 170, 0)
    large = cv2.resize(placed(1, quad), (3840, 2160), interpolation=cv2.INTER_CUBIC)
    match = only(matcher.find(large))
    assert cover(quad * 3, match.quad) > 0.8


BRANDS = ["BMW", "Fedex", "Ferrari", "Ford", "HP", "Porsche", "Puma", "Unicef"]


def test_real_logos_are_found_and_others_are_not_taken_for_them(real_media: Path) -> None:
    folder = real_media / "flickrlogos27"
    boxes: dict[str, tuple[str, tuple[int, ...]]] = {}
    with (folder / "boxes.csv").open() as rows:
        for row in csv.DictReader(rows):
            box = tuple(int(row[side]) for side in ("x1", "y1", "x2", "y2"))
            known = boxes.get(row["image"])
            if known is None or area(box) > area(known[1]):
                boxes[row["image"]] = (row["brand"], box)
    pictures = {
        name: np.asarray(cv2.imread(str(folder / name)), np.uint8)
        for name, (brand, _) in boxes.items()
        if brand in BRANDS
    }
    references: dict[str, str] = {}
    for name in sorted(pictures):
        brand, (x1, y1, x2, y2) = boxes[name]
        if brand not in references or area(boxes[references[brand]][1]) < area(boxes[name][1]):
            references[brand] = name
    crops = []
    for brand, name in references.items():
        x1, y1, x2, y2 = boxes[name][1]
        crops.append((brand, pictures[name][max(0, y1) : y2, max(0, x1) : x2]))
    matcher = LogoMatcher(crops)
    right = wrong = 0
    for name, picture in pictures.items():
        if name in references.values():
            continue
        found = {match.brand for match in matcher.find(picture) if match.confidence >= 0.6}
        right += boxes[name][0] in found
        wrong += len(found - {boxes[name][0]})
    assert right >= 0.4 * 4 * len(BRANDS)
    assert wrong <= 0.05 * (right + wrong)


def area(box: tuple[int, ...]) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])
