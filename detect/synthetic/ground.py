"""The stadium around the boards: pitch, lines, goals, stands. Drawn from textures made once per look."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from detect.synthetic.artwork import MIP_LEVELS, Mips, mipmaps
from detect.synthetic.camera import NEAR, Camera, Point3
from detect.synthetic.emblems import Picture

HALF_LENGTH, HALF_WIDTH = 52.5, 34.0
"""The pitch, metres from the centre spot."""
_GROUND = (-80.0, -52.0, 80.0, 44.0)
_GROUND_SCALE = 11
_STAND_LENGTH, _STAND_DEPTH, _STAND_SCALE = 40.0, 26.0, 18
_STANDS: tuple[tuple[Point3, Point3], ...] = tuple(
    [((x, 41.5, 2.2), (1.0, 0.0, 0.0)) for x in (-100.0, -60.0, -20.0, 20.0, 60.0)]
    + [((63.0, y, 2.2), (0.0, -1.0, 0.0)) for y in (-15.0, 25.0, 65.0)]
)
"""Left lower corner of each block of seats and the direction along it."""
_NIGHT, _CHALK = (38, 30, 26), (214, 226, 218)
_LINE_WIDTH = 0.12


@functools.lru_cache(maxsize=1)
def _ground_texture() -> Picture:
    """Mown stripes with the unevenness of real grass, and a darker track around."""
    rng = np.random.Generator(np.random.PCG64(11))
    x1, y1, x2, y2 = _GROUND
    width, height = round((x2 - x1) * _GROUND_SCALE), round((y2 - y1) * _GROUND_SCALE)
    x = np.linspace(x1, x2, width)[None, :]
    y = np.linspace(y2, y1, height)[:, None]
    stripes = np.tanh(8 * np.sin(x * math.pi / 5.25)) * 5 + 0 * y
    patches = cv2.GaussianBlur(rng.normal(0, 1, (height // 16 + 1, width // 16 + 1)).astype(np.float32), (0, 0), 2)
    patches = cv2.resize(patches, (width, height), interpolation=cv2.INTER_CUBIC) * 14
    blades = cv2.GaussianBlur(rng.normal(0, 1, (height, width)).astype(np.float32), (0, 0), 0.8) * 7
    tone = (stripes + patches + blades).astype(np.float32)
    grass = np.array([58, 128, 76], np.float32) + tone[..., None] * np.array([0.6, 1.0, 0.75], np.float32)
    track = np.array([66, 92, 70], np.float32) + tone[..., None] * 0.45
    outside = (np.abs(x) > HALF_LENGTH + 2.5) | (np.abs(y) > HALF_WIDTH + 2.0)
    return np.asarray(np.clip(np.where(outside[..., None], track, grass), 0, 255), np.uint8)


@functools.lru_cache(maxsize=1)
def _stand_texture() -> Mips:
    """Rows of people in the half-light, aisles between the blocks."""
    rng = np.random.Generator(np.random.PCG64(23))
    width, height = round(_STAND_LENGTH * _STAND_SCALE), round(_STAND_DEPTH * _STAND_SCALE)
    picture = np.full((height, width, 3), (46, 38, 36), np.uint8)
    shirts = np.array(
        [(60, 50, 150), (150, 140, 140), (140, 80, 50), (45, 45, 50), (70, 120, 60), (60, 130, 170), (90, 80, 85)]
    )
    pitch_x, pitch_y = 9, 15
    for row, y in enumerate(range(height - 6, 8, -pitch_y)):
        cv2.line(picture, (0, y + 6), (width, y + 6), (70, 62, 60), 2)
        for x in range(4 + (row % 2) * 4, width, pitch_x):
            if x % 190 < 12 or rng.random() < 0.12:
                continue
            shirt = shirts[rng.integers(len(shirts))] * rng.uniform(0.55, 1.0)
            at = (x + int(rng.integers(-1, 2)), y + int(rng.integers(-1, 2)))
            cv2.ellipse(picture, at, (4, 5), 0, 0, 360, tuple(float(c) for c in shirt), -1, cv2.LINE_AA)
            skin = np.array([110, 140, 190]) * rng.uniform(0.4, 0.95)
            cv2.circle(picture, (at[0], at[1] - 7), 3, tuple(float(c) for c in skin), -1, cv2.LINE_AA)
    fade = np.linspace(0.55, 1.0, height, dtype=np.float32)[:, None, None]
    return mipmaps(np.asarray(picture * fade * 0.8, np.uint8))


def draw_quad(canvas: Picture, camera: Camera, texture: Callable[[int], Picture], rows: int, corner: Point3,
              along: Point3, up: Point3, length: float, height: float) -> npt.NDArray[np.float32] | None:  # fmt: skip
    """Draws a flat picture ``length`` x ``height`` metres whose lower left corner is ``corner``.

    ``texture`` gives it at a mip level, ``rows`` pixels tall at level 0: it is asked for the scale that is seen.
    Returns the corners in pixels (clockwise from the top left), or ``None`` where the picture is out of sight or
    partly behind the camera.
    """
    plane = camera.plane(corner, along, up)
    points = np.array([(0, height, 1), (length, height, 1), (length, 0, 1), (0, 0, 1)], np.float64) @ plane.T
    if points[:, 2].min() < NEAR:
        return None
    pixels = points[:, :2] / points[:, 2:]
    (x1, y1), (x2, y2) = np.floor(pixels.min(axis=0)).astype(int), np.ceil(pixels.max(axis=0)).astype(int) + 1
    x1, y1, x2, y2 = max(0, x1), max(0, y1), min(canvas.shape[1], x2), min(canvas.shape[0], y2)
    if x1 >= x2 or y1 >= y2:
        return None
    seen = max(np.linalg.norm(pixels[0] - pixels[3]), np.linalg.norm(pixels[1] - pixels[2]))
    picture = texture(int(np.clip(np.log2(rows / max(1.0, float(seen))) + 0.35, 0, MIP_LEVELS - 1)))
    x_step, y_step = length / picture.shape[1], height / picture.shape[0]
    to_metres = np.array([[x_step, 0, 0.5 * x_step], [0, -y_step, height - 0.5 * y_step], [0, 0, 1]])
    shift = np.array([[1, 0, -x1], [0, 1, -y1], [0, 0, 1]], np.float64)
    cv2.warpPerspective(picture, shift @ plane @ to_metres, (x2 - x1, y2 - y1), dst=canvas[y1:y2, x1:x2],
                        flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)  # fmt: skip
    return pixels.astype(np.float32)


def draw_stands(canvas: Picture, camera: Camera) -> None:
    """Night above, seats full of people, and the wall below them."""
    cv2.rectangle(canvas, (0, 0), (canvas.shape[1], canvas.shape[0]), _NIGHT, -1)
    slope = (0.86, 0.5)
    for origin, along in _STANDS:
        away = (-along[1], along[0])
        up = (away[0] * slope[0], away[1] * slope[0], slope[1])
        seats = _stand_texture()
        draw_quad(canvas, camera, seats.__getitem__, len(seats[0]), origin, along, up, _STAND_LENGTH, _STAND_DEPTH)
        foot = (origin[0], origin[1], 0.0)
        draw_quad(canvas, camera, _wall().__getitem__, len(_wall()[0]), foot, along, (0, 0, 1), _STAND_LENGTH, 2.25)


@functools.lru_cache(maxsize=1)
def _wall() -> Mips:
    wall = np.full((24, 400, 3), (58, 52, 50), np.uint8)
    wall[:3] = (96, 90, 88)
    wall[:, ::40] = (48, 43, 41)
    return mipmaps(wall)


def draw_ground(canvas: Picture, camera: Camera) -> None:
    """Grass up to the foot of the stands, and the white lines."""
    x1, _, x2, y2 = _GROUND
    texture = _ground_texture()
    to_metres = np.array([[1 / _GROUND_SCALE, 0, x1], [0, -1 / _GROUND_SCALE, y2], [0, 0, 1]])
    ground = camera.plane((0, 0, 0), (1, 0, 0), (0, 1, 0))
    plane = ground @ to_metres
    limits = [_highest_row(ground, line, camera.width) for line in ((0.0, 1.0, -y2), (1.0, 0.0, -x2))]
    top = max(0, math.floor(max(camera.horizon() + 2, *limits)))
    if top >= camera.height:
        return
    shift = np.array([[1, 0, 0], [0, 1, -top], [0, 0, 1]], np.float64)
    cv2.warpPerspective(texture, shift @ plane, (camera.width, camera.height - top), dst=canvas[top:],
                        flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)  # fmt: skip
    for strip in _lines():
        _draw_strip(canvas, camera, strip)


def _highest_row(plane: npt.NDArray[np.float64], line: tuple[float, float, float], width: int) -> float:
    """The highest image row that a line on the ground (its three coefficients) reaches within the picture's width."""
    across, down, offset = np.linalg.solve(plane.T, np.array(line))
    return min(-(across * column + offset) / (down or 1e-9) for column in (0, width))


@functools.lru_cache(maxsize=1)
def _lines() -> tuple[npt.NDArray[np.float64], ...]:
    """Each white line as a strip on the ground: (2, N, 3) world points of its two edges."""
    length, width = HALF_LENGTH, HALF_WIDTH
    edges = [((-length, y), (length, y)) for y in (-width, width)] + [((0.0, -width), (0.0, width))]
    for side in (-length, length):
        edges.append(((side, -width), (side, width)))
        for depth, half in ((16.5, 20.15), (5.5, 9.16)):
            inner = side - math.copysign(depth, side)
            edges += [((side, -half), (inner, -half)), ((inner, -half), (inner, half)), ((inner, half), (side, half))]
    turn = np.linspace(0, math.tau, 65)
    circle = np.stack([9.15 * np.cos(turn), 9.15 * np.sin(turn)], axis=1)
    return tuple(_strip(path) for path in [*(np.linspace(start, end, 13) for start, end in edges), circle])


def _strip(path: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    along = np.gradient(path, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.linalg.norm(along, axis=1, keepdims=True)
    return np.pad(
        np.stack([path - across * _LINE_WIDTH / 2, path + across * _LINE_WIDTH / 2]), ((0, 0), (0, 0), (0, 1))
    )


def _draw_strip(canvas: Picture, camera: Camera, strip: npt.NDArray[np.float64]) -> None:
    pixels, depth = camera.project(strip)
    near = depth.reshape(2, -1).min(axis=0) > NEAR
    if not near.any():
        return
    left, right = pixels.reshape(2, -1, 2)[:, near]
    outline = np.concatenate([left, right[::-1]])
    if (outline.max(axis=0) > 0).all() and (outline.min(axis=0) < (camera.width, camera.height)).all():
        cv2.fillPoly(canvas, [np.round(np.clip(outline, -20000, 20000) * 16).astype(np.int32)], _CHALK, cv2.LINE_AA, 4)


def _draw_line(canvas: Picture, camera: Camera, line: npt.NDArray[np.float64], width: float) -> None:
    pixels, depth = camera.project(line)
    for first, second, near in zip(pixels, pixels[1:], np.minimum(depth[:-1], depth[1:]), strict=False):
        if near < NEAR or max(abs(first[0]), abs(second[0])) > 8 * camera.width:
            continue
        thickness = max(1, round(width * camera.focal / near * 0.7))
        ends = [tuple(int(v) for v in np.round(point * 16)) for point in (first, second)]
        cv2.line(canvas, ends[0], ends[1], _CHALK, thickness, cv2.LINE_AA, 4)


def draw_goal(canvas: Picture, camera: Camera, side: int) -> None:
    """The goal on the left (-1) or right (1) goal line: net first, then the frame."""
    x, back = side * HALF_LENGTH, side * (HALF_LENGTH + 1.9)
    corners, depth = camera.project(
        [(x, -3.7, 0), (x, 3.7, 0), (x, -3.7, 2.5), (x, 3.7, 2.5), (back, -3.7, 0), (back, 3.7, 0)]
    )
    outside = (corners.max(axis=0) < 0).any() or (corners.min(axis=0) > (camera.width, camera.height)).any()
    if depth.min() < NEAR or outside:
        return
    net = [((x, y, 2.44), (back, y, 0.0)) for y in np.linspace(-3.66, 3.66, 13)]
    net += [
        ((x + (back - x) * part, -3.66, 2.44 * (1 - part)), (x + (back - x) * part, 3.66, 2.44 * (1 - part)))
        for part in np.linspace(0, 1, 7)
    ]
    for start, end in net:
        _draw_line(canvas, camera, np.array([start, end]), 0.02)
    frame = [((x, -3.66, 0), (x, -3.66, 2.44)), ((x, 3.66, 0), (x, 3.66, 2.44)), ((x, -3.66, 2.44), (x, 3.66, 2.44))]
    for start, end in frame:
        _draw_line(canvas, camera, np.array([start, end]), 0.14)


def draw_ball(canvas: Picture, camera: Camera, x: float, y: float) -> None:
    """The ball on the ground, with its shadow."""
    pixels, depth = camera.project([(x, y, 0.11), (x + 0.08, y, 0.0)])
    if depth[0] < 3:
        return
    radius = max(2.0, 0.12 * camera.focal / float(depth[0]))
    if not (-radius < pixels[0, 0] < camera.width + radius and -radius < pixels[0, 1] < camera.height + radius):
        return
    for (u, v), size, paint in ((pixels[1], 0.9, (40, 78, 48)), (pixels[0], 1.0, (236, 240, 240))):
        cv2.circle(canvas, (round(u * 16), round(v * 16)), round(radius * size * 16), paint, -1, cv2.LINE_AA, 4)
