"""Player figures: drawn once for each pose and kit with soft shading, then placed at the size they are seen at.

A sprite is 1.2 m wide and 2.0 m tall, feet on its lower edge. Sides are ``front`` (towards the camera) and ``back``.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from detect.drawing.typeset import Face, set_text
from detect.synthetic.artwork import blend
from detect.synthetic.brands import Colour, colour
from detect.synthetic.emblems import Picture

Side = Literal["front", "back"]
SPRITE_WIDTH, SPRITE_HEIGHT = 1.2, 2.0
RUN_POSES = 8
STANDING = RUN_POSES
"""Pose number of somebody standing; 0 … RUN_POSES-1 are a stride."""
CHEST = 1.36
"""Height of the middle of the shirt's front print, metres."""
_NAME_HEIGHT, _NUMBER_HEIGHT = 1.475, 1.30


@dataclass(frozen=True)
class Kit:
    """What a team wears. ``pattern`` is plain, stripes, hoops or sash; ``lettering`` is the ink of name and number."""

    shirt: str
    second: str
    shorts: str
    socks: str
    lettering: str
    pattern: str = "plain"


@dataclass(frozen=True)
class Print:
    """A picture put on a shirt before shading: BGR, coverage, and its centre in metres across and up."""

    picture: Picture
    alpha: npt.NDArray[np.uint8]
    across: float
    up: float


@dataclass(frozen=True)
class _Part:
    """One piece of the body: where it is in the sprite, its coverage, and how light falls on it (1 is neutral)."""

    kind: str
    left: int
    top: int
    mask: npt.NDArray[np.uint8]
    light: npt.NDArray[np.float32]


_SKINS = ("#e0b08c", "#c68b5e", "#8a5a3a", "#f0c8a4", "#5e3b26")
_HAIRS = ("#241a14", "#3b2616", "#101010", "#6b4a26", "#241a14")


def sprite(kit: Kit, pose: int, side: Side, complexion: int, scale: int, prints: tuple[Print, ...] = ()) -> Picture:
    """The figure in one pose, ``scale`` pixels a metre: BGRA, premultiplied by coverage; ``prints`` on its shirt."""
    picture = np.zeros((round(SPRITE_HEIGHT * scale), round(SPRITE_WIDTH * scale), 4), np.float32)
    for part in _body(pose, side, scale):
        rows, columns = part.mask.shape
        area = picture[part.top : part.top + rows, part.left : part.left + columns]
        paint = _cloth(part, kit, scale, prints) if part.kind == "shirt" else _flat(part.kind, kit, complexion)
        weight = part.mask.astype(np.float32)[..., None] * np.float32(1 / 255)
        area[..., :3] += (np.minimum(paint * part.light[..., None], 255) - area[..., :3]) * weight
        area[..., 3:] += (255 - area[..., 3:]) * weight
    return picture.round().astype(np.uint8)


def _flat(kind: str, kit: Kit, complexion: int) -> npt.NDArray[np.float32]:
    paints = {
        "skin": _SKINS[complexion % len(_SKINS)], "hair": _HAIRS[complexion % len(_HAIRS)], "shorts": kit.shorts,
        "socks": kit.socks, "boots": "#e8e8e8" if complexion % 2 else "#20242c", "trim": kit.second,
        "eyes": "#1a1512", "sleeve": kit.shirt if kit.pattern != "sash" else kit.second,
    }  # fmt: skip
    return np.array(colour(paints[kind]), np.float32)


def _cloth(part: _Part, kit: Kit, scale: int, prints: tuple[Print, ...]) -> npt.NDArray[np.float32]:
    """The shirt's front or back: its colours and pattern, and what is printed on it."""
    height, width = round(SPRITE_HEIGHT * scale), round(SPRITE_WIDTH * scale)
    cloth = np.full((height, width, 3), colour(kit.shirt), np.uint8)
    second: Colour = colour(kit.second)
    step = round(0.09 * scale)
    if kit.pattern == "stripes":
        for x in range(width // 2 - 6 * step - step // 2, width, 2 * step):
            cloth[:, max(0, x) : x + step] = second
    elif kit.pattern == "hoops":
        for y in range(0, height, 2 * step):
            cloth[y : y + step] = second
    elif kit.pattern == "sash":
        corners = [(0.33, 0.45), (0.52, 0.45), (0.95, 1.12), (0.76, 1.12)]
        cv2.fillPoly(cloth, [np.round(np.array(corners) * scale).astype(np.int32)], second, cv2.LINE_AA)
    for item in prints:
        rows, columns = item.alpha.shape
        left, top = (
            round((SPRITE_WIDTH / 2 + item.across) * scale - columns / 2),
            round((SPRITE_HEIGHT - item.up) * scale - rows / 2),
        )
        if kit.pattern != "plain":
            # Real kits keep a plain patch under the lettering too, for it to be read.
            edge = round(0.025 * scale)
            cloth[max(0, top - edge) : top + rows + edge, max(0, left - edge) : left + columns + edge] = colour(
                kit.shirt
            )
        blend(cloth, item.picture, item.alpha, left, top)
    rows, columns = part.mask.shape
    return cloth[part.top : part.top + rows, part.left : part.left + columns].astype(np.float32)


def name_and_number(name: str, number: int, ink: str, scale: int) -> tuple[Print, ...]:
    """The back of a shirt: the name in an arc's place, the number below."""
    letters = set_text(name, Face("sans", 700, spacing=0.08), max(4, round(0.05 * scale))).mask
    digits = set_text(str(number), Face("sans", 800), max(6, round(0.2 * scale))).mask
    longest = round(0.36 * scale)
    if letters.shape[1] > longest:
        letters = np.asarray(cv2.resize(letters, (longest, letters.shape[0]), interpolation=cv2.INTER_AREA), np.uint8)
    return tuple(
        Print(np.full((*mask.shape, 3), colour(ink), np.uint8), mask, 0.0, up)
        for mask, up in ((letters, _NAME_HEIGHT), (digits, _NUMBER_HEIGHT))
    )


@functools.lru_cache(maxsize=64)
def _body(pose: int, side: Side, scale: int) -> tuple[_Part, ...]:
    """The pieces of a figure from back to front."""
    stride = 0.0 if pose == STANDING else math.sin(math.tau * pose / RUN_POSES)
    lift = 0.0 if pose == STANDING else math.cos(math.tau * pose / RUN_POSES)
    lean = 0.0 if pose == STANDING else 0.035
    draw = _Easel(scale)
    parts: list[_Part] = []
    for leg, swing, raised in ((-1, stride, max(0.0, lift)), (1, -stride, max(0.0, -lift))):
        parts += _leg(draw, leg, swing, raised)
    for arm in (-1, 1):
        parts += _arm(draw, arm, stride * arm, lean, running=pose != STANDING)
    shorts = [(-0.19, 1.02), (0.19, 1.02), (0.215, 0.66), (0.02, 0.69), (0.0, 0.78), (-0.02, 0.69), (-0.215, 0.66)]
    parts.append(draw.polygon("shorts", shorts))
    parts.append(draw.capsule("skin", (lean, 1.52), (lean * 1.4, 1.64), 0.06, 0.055))
    torso = [
        (-0.075, 1.575),
        (0.075, 1.575),
        (0.235, 1.51),
        (0.235, 1.32),
        (0.19, 1.0),
        (0.20, 0.94),
        (-0.20, 0.94),
        (-0.19, 1.0),
        (-0.235, 1.32),
        (-0.235, 1.51),
    ]
    parts.append(draw.polygon("shirt", [(x + lean * (y - 0.95), y) for x, y in torso], folds=True))
    parts.append(draw.ellipse("trim", (lean, 1.572), (0.078, 0.022)))
    return tuple(parts + _head(draw, side, lean * 1.5))


def _leg(draw: _Easel, leg: int, swing: float, raised: float) -> list[_Part]:
    hip, knee = (0.1 * leg, 0.9), (0.1 * leg + 0.2 * swing, 0.5 + 0.1 * raised)
    ankle = (knee[0] + 0.12 * swing - 0.1 * raised, 0.1 + 0.26 * raised)
    toe = (ankle[0] + 0.05 * (1 if swing >= 0 else -1) + 0.02 * leg, ankle[1] - 0.05)
    return [
        draw.capsule("boots", ankle, toe, 0.055, 0.045),
        draw.capsule("skin", hip, knee, 0.088, 0.062),
        draw.capsule("socks", (knee[0] * 0.95 + ankle[0] * 0.05, knee[1] - 0.03), ankle, 0.062, 0.045),
    ]


def _arm(draw: _Easel, arm: int, swing: float, lean: float, *, running: bool) -> list[_Part]:
    shoulder = (0.205 * arm + lean * 0.6, 1.475)
    elbow = (0.30 * arm + 0.08 * swing, 1.22) if running else (0.275 * arm, 1.2)
    hand = (0.25 * arm + 0.16 * swing, 1.06 + 0.12 * abs(swing)) if running else (0.27 * arm, 0.95)
    cuff = tuple(shoulder[i] * 0.35 + elbow[i] * 0.65 for i in (0, 1))
    return [
        draw.capsule("skin", elbow, hand, 0.048, 0.036),
        draw.ellipse("skin", (hand[0], hand[1] - 0.03), (0.036, 0.05)),
        draw.capsule("skin", shoulder, elbow, 0.06, 0.048),
        draw.capsule("sleeve", shoulder, (cuff[0], cuff[1]), 0.078, 0.072),
    ]


def _head(draw: _Easel, side: Side, x: float) -> list[_Part]:
    middle = (x, 1.74)
    ears = [draw.ellipse("skin", (x + offset, 1.73), (0.018, 0.032)) for offset in (-0.093, 0.093)]
    if side == "back":
        return [*ears, draw.ellipse("skin", middle, (0.092, 0.122)), draw.ellipse("hair", (x, 1.765), (0.098, 0.105))]
    face = [draw.ellipse("hair", (x, 1.785), (0.1, 0.095)), draw.ellipse("skin", (x, 1.73), (0.088, 0.118))]
    fringe = [
        (x - 0.09, 1.78),
        (x - 0.075, 1.85),
        (x, 1.875),
        (x + 0.075, 1.85),
        (x + 0.09, 1.78),
        (x + 0.05, 1.815),
        (x - 0.04, 1.82),
    ]
    face.append(draw.polygon("hair", fringe))
    face += [draw.ellipse("eyes", (x + offset, 1.745), (0.014, 0.008)) for offset in (-0.036, 0.036)]
    face += [draw.capsule("eyes", (x + s * 0.022, 1.77), (x + s * 0.055, 1.768), 0.005, 0.004) for s in (-1, 1)]
    face += [
        draw.capsule("skin", (x, 1.735), (x, 1.708), 0.009, 0.015),
        draw.capsule("eyes", (x - 0.024, 1.672), (x + 0.024, 1.672), 0.0045, 0.0045),
    ]
    return [*ears, *face]


class _Easel:
    """Draws body parts given in metres: x from the middle of the sprite, y up from the ground."""

    def __init__(self, scale: int) -> None:
        self.scale = scale
        self.size = round(SPRITE_HEIGHT * scale), round(SPRITE_WIDTH * scale)

    def _pixels(self, points: list[tuple[float, float]]) -> npt.NDArray[np.float64]:
        metres = np.array(points, np.float64)
        return np.stack([(metres[:, 0] + SPRITE_WIDTH / 2), SPRITE_HEIGHT - metres[:, 1]], axis=1) * self.scale

    def polygon(self, kind: str, points: list[tuple[float, float]], *, folds: bool = False) -> _Part:
        """A piece of cloth or hair: its corners are rounded off."""
        return self._part(kind, points, rounding=max(3, self.scale // 30) | 1, folds=folds)

    def ellipse(self, kind: str, middle: tuple[float, float], axes: tuple[float, float]) -> _Part:
        turn = np.linspace(0, math.tau, 33)
        return self._part(kind, [(middle[0] + axes[0] * math.cos(t), middle[1] + axes[1] * math.sin(t)) for t in turn])

    def capsule(self, kind: str, start: tuple[float, float], end: tuple[float, float], r1: float, r2: float) -> _Part:
        """A limb: two discs and what lies between them."""
        along = math.atan2(end[1] - start[1], end[0] - start[0])
        points = []
        for centre, radius, first in ((start, r1, along + math.pi / 2), (end, r2, along - math.pi / 2)):
            turns = np.linspace(first, first + math.pi, 9)
            points += [(centre[0] + radius * math.cos(turn), centre[1] + radius * math.sin(turn)) for turn in turns]
        return self._part(kind, points)

    def _part(self, kind: str, points: list[tuple[float, float]], *, rounding: int = 0, folds: bool = False) -> _Part:
        pixels = self._pixels(points)
        (left, top), (right, bottom) = (
            np.floor(pixels.min(axis=0)).astype(int) - 1,
            np.ceil(pixels.max(axis=0)).astype(int) + 2,
        )
        left, top, right, bottom = max(0, left), max(0, top), min(self.size[1], right), min(self.size[0], bottom)
        mask = np.zeros((bottom - top, right - left), np.uint8)
        cv2.fillPoly(mask, [np.round((pixels - (left, top)) * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)
        if rounding:
            soft = cv2.GaussianBlur(mask, (rounding, rounding), 0, borderType=cv2.BORDER_CONSTANT)
            mask = np.asarray(np.clip((soft.astype(np.int32) - 64) * 2, 0, 255), np.uint8)
        return _Part(kind, int(left), int(top), mask, self._light(mask, folds=folds))

    def _light(self, mask: npt.NDArray[np.uint8], *, folds: bool) -> npt.NDArray[np.float32]:
        """Light from the upper left on a rounded body: brighter where the surface leans that way."""
        edged = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
        depth = cv2.distanceTransform(edged, cv2.DIST_L2, 3)[1:-1, 1:-1]
        depth = np.sqrt(np.minimum(depth, 0.09 * self.scale) * self.scale * 0.1)
        depth = cv2.GaussianBlur(depth, (0, 0), max(0.6, self.scale / 70))
        light = 0.97 + 0.035 * cv2.Sobel(depth, cv2.CV_32F, 1, 0) + 0.045 * cv2.Sobel(depth, cv2.CV_32F, 0, 1)
        if folds:
            rng = np.random.Generator(np.random.PCG64(5))
            cloth = cv2.GaussianBlur(rng.normal(0, 1, (18, 14)).astype(np.float32), (0, 0), 1.6)
            light = light + 0.28 * cv2.resize(cloth, mask.shape[::-1], interpolation=cv2.INTER_CUBIC)
        return np.asarray(np.clip(light, 0.5, 1.2), np.float32)
