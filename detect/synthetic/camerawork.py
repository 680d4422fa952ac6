"""The director: which camera is on when, and how it moves. Board heights in pixels are what a level asks for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from detect.synthetic.camera import CameraPath, Point3
from detect.synthetic.levels import Level
from detect.synthetic.scene import Actor, Shot

FAR_BOARDS, END_BOARDS = 37.5, 57.0
"""Distance of the two rows of boards from the centre spot, metres."""
DISSOLVE_SECONDS = 0.4
_KINDS = ("wide", "close", "angle", "mid", "behind")


def plan_shots(level: Level, frames: int, fps: Fraction, unit: float, actors: Sequence[Actor],
               rng: np.random.Generator) -> tuple[Shot, ...]:  # fmt: skip
    """Shots that fill ``frames``, a wide one first, then every kind in a new order each round.

    The third shot, and every fifth after it, comes in by a dissolve; all others by a cut. ``unit`` is the picture's
    height / 720.
    """
    shots: list[Shot] = []
    waiting = list(_KINDS[:0:-1])
    start = 0
    while start < frames:
        kind = waiting.pop() if shots else "wide"
        if not waiting:
            waiting = [_KINDS[index] for index in rng.permutation(len(_KINDS))]
        length = round(float(rng.uniform(*level.shot_seconds)) * fps)
        end = start + length
        if frames - end < level.shot_seconds[0] * fps / 2:
            end = frames
        dissolve = round(DISSOLVE_SECONDS * fps) if len(shots) % 5 == 2 else 0
        shots.append(_shot(kind, start, end, dissolve, level, unit, float((end - start) / fps), actors, rng))
        start = end
    return tuple(shots)


def _shot(kind: str, start: int, end: int, dissolve: int, level: Level, unit: float, seconds: float,
          actors: Sequence[Actor], rng: np.random.Generator) -> Shot:  # fmt: skip
    if kind == "close":
        return _close_up(start, end, dissolve, level, unit, actors, rng)
    paths = {"wide": _wide, "mid": _mid, "angle": _angle, "behind": _behind}
    return Shot(kind, start, end, paths[kind](level, unit, seconds, rng), dissolve)


def _aimed(position: Point3, board: Point3, board_px: float, row_share: float, unit: float) -> tuple[Point3, float]:
    """Target and focal length that show the board at ``board`` ``board_px`` tall, ``row_share`` of the height down."""
    level_distance = math.hypot(board[0] - position[0], board[1] - position[1])
    focal = board_px * unit * math.hypot(level_distance, position[2] - board[2])
    tilt = math.atan2(position[2] - board[2], level_distance) + math.atan((0.5 - row_share) * 720 * unit / focal)
    return (board[0], board[1], position[2] - level_distance * math.tan(tilt)), focal


def _wide(level: Level, unit: float, seconds: float, rng: np.random.Generator) -> CameraPath:
    """The main camera, high on the near side, following the play."""
    x = float(rng.uniform(-24, 24))
    pan = -math.copysign(float(rng.uniform(0.5, 1.0)) * level.pan_speed, x)
    whip = 0.0
    if level.whip_pan and rng.random() < 0.7:
        whip = math.copysign(level.whip_pan * float(rng.uniform(0.6, 1.0)), pan)
    position = (x * 0.25, -62.0, 18.0)
    target, focal = _aimed(position, (x, FAR_BOARDS, 0.5), level.wide_board, 0.3, unit)
    return CameraPath(
        position, target, focal, drift=(pan, 0, 0), sway=level.sway, sway_period=float(rng.uniform(3.5, 6)),
        sway_phase=float(rng.uniform(0, math.tau)), whip=whip,
        whip_at=max(0.5, seconds * float(rng.uniform(0.35, 0.6))), zoom=float(rng.uniform(0.3, 1)) * level.zoom,
        zoom_seconds=seconds,
    )  # fmt: skip


def _mid(level: Level, unit: float, seconds: float, rng: np.random.Generator) -> CameraPath:
    """A longer lens from a lower place: figures a third of the picture tall."""
    x = float(rng.uniform(-18, 18))
    pan = float(rng.choice((-1, 1))) * level.pan_speed * float(rng.uniform(0.4, 0.8))
    position = (x + float(rng.uniform(-16, 16)), -34.0, 8.0)
    target, focal = _aimed(position, (x, FAR_BOARDS, 0.5), level.mid_board, 0.34, unit)
    return CameraPath(
        position, target, focal, drift=(pan, 0, 0), sway=0.5 * level.sway, sway_period=float(rng.uniform(3, 5)),
        sway_phase=float(rng.uniform(0, math.tau)), zoom=float(rng.uniform(0, 1)) * level.zoom, zoom_seconds=seconds,
        shake=0.02,
    )  # fmt: skip


def _angle(level: Level, unit: float, seconds: float, rng: np.random.Generator) -> CameraPath:
    """From a place near the touchline, looking along the boards."""
    side = float(rng.choice((-1, 1)))
    x = side * float(rng.uniform(8, 20))
    turn, distance = math.radians(level.angle), 40.0
    position = (x - side * distance * math.sin(turn), FAR_BOARDS - distance * math.cos(turn), 4.2)
    target, focal = _aimed(position, (x, FAR_BOARDS, 0.5), level.angle_board, 0.42, unit)
    pan = float(rng.uniform(-0.5, 0.5)) * level.pan_speed
    roll = float(rng.uniform(-level.roll, level.roll))
    return CameraPath(
        position, target, focal, drift=(pan, 0, 0), sway=0.5 * level.sway, sway_period=max(3.0, 0.8 * seconds),
        shake=0.015, roll=roll,
    )  # fmt: skip


def _behind(level: Level, unit: float, seconds: float, rng: np.random.Generator) -> CameraPath:
    """From behind one goal towards the other, where the second row of boards stands."""
    position = (-64.0, float(rng.uniform(-6, 6)), 9.0)
    target, focal = _aimed(position, (END_BOARDS, float(rng.uniform(-4, 12)), 0.5), level.wide_board * 1.15, 0.33, unit)
    return CameraPath(
        position, target, focal, drift=(0, 0.4 * level.pan_speed, 0), zoom=level.zoom, zoom_seconds=seconds,
        shake=0.02, roll=float(rng.uniform(-level.roll, level.roll)),
    )  # fmt: skip


def _close_up(start: int, end: int, dissolve: int, level: Level, unit: float, actors: Sequence[Actor],
              rng: np.random.Generator) -> Shot:  # fmt: skip
    """One player, head and shirt, the boards far behind and out of focus."""
    players = [actor for actor in actors if actor.team >= 0]
    facing = [actor for actor in players if actor.side == "front"]
    choice = facing if facing and rng.random() < 0.75 else players
    subject = choice[int(rng.integers(len(choice)))]
    spot = (float(rng.uniform(-14, 14)), float(rng.uniform(-8, 4)))
    across = float(rng.uniform(-5, 5))
    position = (spot[0] + across, spot[1] - 17.0, 1.75)
    aside = float(rng.uniform(-0.25, 0.25))
    path = CameraPath(
        position, (spot[0] + aside, spot[1], 1.42), 540 * unit * math.hypot(17.0, across),
        drift=(float(rng.uniform(-0.04, 0.04)), 0, 0), sway=0.05, sway_period=5.0, shake=0.006,
    )  # fmt: skip
    return Shot("close", start, end, path, dissolve, defocus=level.defocus * unit, subject=subject, spot=spot)
