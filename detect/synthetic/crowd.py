"""Puts the figures of a match into a picture, and says where the names on their shirts are."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import cv2
import numpy as np

from detect.synthetic.artwork import Mips, mipmaps, stamp
from detect.synthetic.camera import Camera
from detect.synthetic.emblems import Picture
from detect.synthetic.figures import (
    CHEST,
    RUN_POSES,
    SPRITE_HEIGHT,
    SPRITE_WIDTH,
    STANDING,
    Kit,
    Print,
    name_and_number,
    sprite,
)
from detect.synthetic.scene import Actor, Match, Team
from detect.synthetic.sightline import Owners

_STEWARD = Kit("#d8e021", "#40444c", "#23262d", "#23262d", "#23262d")
_SCALES = (64, 128, 256, 512)
_CHEST_WIDTH = 0.37
"""Widest print on a shirt's front, metres."""
_STRIDES_PER_SECOND = 1.5


@dataclass(frozen=True)
class Standing:
    """A figure in the picture: feet at ``x, y`` pixels, ``scale`` pixels a metre."""

    actor: Actor
    x: float
    y: float
    scale: float
    pose: int


def place(match: Match, camera: Camera, seconds: float, beyond: float = 0.0) -> list[Standing]:
    """The figures more than ``beyond`` metres away, from the farthest to the nearest, that can be in the picture."""
    play, play_speed = match.play(seconds), match.play_speed(seconds)
    feet = np.array([(*actor.position(seconds, play), 0.0) for actor in match.actors])
    pixels, depth = camera.project(feet)
    standing = []
    for index in np.argsort(-depth):
        scale = camera.focal / max(depth[index], 0.1)
        x, y = (float(value) for value in pixels[index])
        reach = SPRITE_WIDTH / 2 * scale
        seen = -reach < x < camera.width + reach and 0 < y < camera.height + SPRITE_HEIGHT * scale
        if depth[index] > max(3.0, beyond) and seen:
            actor = match.actors[index]
            pose = _pose(actor, seconds, actor.speed(seconds, play_speed))
            standing.append(Standing(actor, x, y, scale, pose))
    return standing


def stand(actor: Actor, spot: tuple[float, float], camera: Camera) -> Standing:
    """``actor`` standing still at ``spot``."""
    pixels, depth = camera.project([(*spot, 0.0)])
    return Standing(actor, float(pixels[0, 0]), float(pixels[0, 1]), camera.focal / float(depth[0]), STANDING)


def _pose(actor: Actor, seconds: float, speed: float) -> int:
    if abs(speed) < 0.7:
        return STANDING
    turn = seconds * _STRIDES_PER_SECOND + actor.phase
    return int(turn * RUN_POSES) % RUN_POSES


def draw(canvas: Picture, owners: Owners, match: Match, figure: Standing) -> None:
    """Draws a figure with its shadow, and enters it in the map of what covers what."""
    _shadow(canvas, figure)
    fitting = next((scale for scale in _SCALES if scale >= figure.scale), _SCALES[-1])
    mips = _sprite(match, figure, fitting)
    level = 0
    while mips[level].shape[0] > 1.6 * SPRITE_HEIGHT * figure.scale and level + 1 < len(mips):
        level += 1
    factor = SPRITE_HEIGHT * figure.scale / mips[level].shape[0]
    left, top = figure.x - SPRITE_WIDTH / 2 * figure.scale, figure.y - SPRITE_HEIGHT * figure.scale
    x1, y1 = max(0, math.floor(left)), max(0, math.floor(top))
    x2 = min(canvas.shape[1], math.ceil(left + SPRITE_WIDTH * figure.scale) + 1)
    y2 = min(canvas.shape[0], math.ceil(figure.y) + 1)
    if x1 >= x2 or y1 >= y2:
        return
    warp = np.array([[factor, 0, left - x1], [0, factor, top - y1]], np.float64)
    figure_picture = cv2.warpAffine(mips[level], warp, (x2 - x1, y2 - y1), flags=cv2.INTER_LINEAR)
    alpha = figure_picture[:, :, 3]
    behind = cv2.cvtColor(cv2.bitwise_not(alpha), cv2.COLOR_GRAY2BGR)
    area = canvas[y1:y2, x1:x2]
    area[:] = cv2.add(cv2.multiply(area, behind, scale=1 / 255), figure_picture[:, :, :3])
    owners[y1:y2, x1:x2][alpha > 127] = figure.actor.surface


def _shadow(canvas: Picture, figure: Standing) -> None:
    x, y, reach = round(figure.x), round(figure.y), figure.scale * 0.42
    x1, x2 = max(0, round(x - reach)), min(canvas.shape[1], round(x + reach))
    y1, y2 = max(0, round(y - reach * 0.25)), min(canvas.shape[0], round(y + reach * 0.25))
    if x1 < x2 and y1 < y2:
        across = (np.arange(x1, x2, dtype=np.float32)[None, :] - x) / reach
        down = (np.arange(y1, y2, dtype=np.float32)[:, None] - y) / (reach * 0.25)
        dark = 1 - 0.45 * np.clip(1.2 - across * across - down * down, 0, 1)
        area = canvas[y1:y2, x1:x2]
        area[:] = (area * dark[..., None]).astype(np.uint8)


def _sprite(match: Match, figure: Standing, scale: int) -> Mips:
    actor = figure.actor
    if actor.team < 0:
        return _drawn(_STEWARD, figure.pose, actor.side, actor.complexion, scale, None, "", 0, 0.0)
    team = match.teams[actor.team]
    if actor.side == "front":
        return _drawn(team.kit, figure.pose, "front", actor.complexion, scale, team, "", 0, match.level.jersey_cap)
    return _drawn(team.kit, figure.pose, "back", actor.complexion, scale, None, actor.name, actor.number, 0.0)


@functools.lru_cache(maxsize=320)
def _drawn(kit: Kit, pose: int, side: str, complexion: int, scale: int, team: Team | None, name: str, number: int,
           cap: float) -> Mips:  # fmt: skip
    prints: tuple[Print, ...] = ()
    if team is not None:
        art = stamp(team.sponsor, max(3, round(sponsor_cap(team, cap) * scale)), team.kit.lettering)
        prints = (Print(art.picture, art.alpha, 0.0, CHEST),)
    elif name:
        prints = name_and_number(name, number, kit.lettering, scale)
    return mipmaps(sprite(kit, pose, "front" if side == "front" else "back", complexion, scale, prints))


def sponsor_cap(team: Team, cap: float) -> float:
    """Height of the shirt sponsor's capitals, metres: ``cap``, or what a long name leaves room for."""
    art = stamp(team.sponsor, 100, team.kit.lettering)
    return min(cap, _CHEST_WIDTH * 100 / art.picture.shape[1])


def sponsor_box(team: Team, cap: float, figure: Standing) -> tuple[float, float, float, float]:
    """Where the shirt sponsor's name is: ``x1, y1, x2, y2`` in pixels."""
    art = stamp(team.sponsor, 100, team.kit.lettering)
    rows, columns = (side * sponsor_cap(team, cap) * figure.scale / 100 for side in art.picture.shape[:2])
    middle = figure.y - CHEST * figure.scale
    return figure.x - columns / 2, middle - rows / 2, figure.x + columns / 2, middle + rows / 2
