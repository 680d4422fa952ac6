"""A pinhole camera over the pitch and the way it moves through a shot.

World coordinates are metres: x to the right along the far touchline, y away from the main stand's camera, z up; the
origin is the centre spot. Image coordinates are pixels, x right, y down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Point3 = tuple[float, float, float]

NEAR = 1.0
"""Nearest depth that is drawn, metres."""


@dataclass(frozen=True)
class Camera:
    """A camera at one instant. ``matrix`` (3x4) takes world metres to homogeneous pixels of its picture."""

    matrix: Array = field(repr=False)
    position: Point3
    focal: float
    width: int
    height: int

    @classmethod
    def look(cls, position: Point3, target: Point3, focal: float, width: int, height: int, roll: float = 0.0) -> Camera:
        """A camera at ``position`` aimed at ``target``; ``focal`` in pixels, ``roll`` in radians."""
        forward = np.subtract(target, position)
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, (0.0, 0.0, 1.0))
        right = right / np.linalg.norm(right)
        down = np.cross(forward, right)
        right, down = right * math.cos(roll) + down * math.sin(roll), down * math.cos(roll) - right * math.sin(roll)
        rotation = np.stack([right, down, forward])
        intrinsics = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
        matrix = intrinsics @ np.hstack([rotation, -rotation @ np.reshape(position, (3, 1))])
        return cls(matrix, position, focal, width, height)

    def project(self, points: npt.ArrayLike) -> tuple[Array, Array]:
        """Pixels (N, 2) and depths in metres (N,) of world points (N, 3); pixels are only meant where depth > 0."""
        world = np.asarray(points, np.float64).reshape(-1, 3)
        homogeneous = world @ self.matrix[:, :3].T + self.matrix[:, 3]
        depth = homogeneous[:, 2]
        safe = np.where(np.abs(depth) < 1e-6, 1e-6, depth)
        return homogeneous[:, :2] / safe[:, None], depth

    def plane(self, origin: Point3, along: Point3, up: Point3) -> Array:
        """Homography (3x3) from metres ``(a, b)`` on the plane ``origin + a·along + b·up`` to pixels."""
        frame = np.zeros((4, 3))
        frame[:3, 0], frame[:3, 1], frame[:3, 2], frame[3, 2] = along, up, origin, 1.0
        return np.asarray(self.matrix @ frame, np.float64)

    def axis_point(self, distance: float) -> Point3:
        """The world point in the middle of the picture, ``distance`` metres away."""
        middle = np.array([self.width / 2, self.height / 2, 1.0])
        ray = np.linalg.solve(self.matrix[:, :3], middle)
        x, y, z = (float(value) for value in np.add(self.position, ray / np.linalg.norm(ray) * distance))
        return x, y, z

    def horizon(self) -> float:
        """The lowest image row at which the ground vanishes, over the picture's width; negative for a high camera."""
        across, down, offset = np.cross(self.matrix[:, 0], self.matrix[:, 1])
        return float(max(-(across * column + offset) / down for column in (0, self.width)))


def smoothstep(value: float) -> float:
    """0 to 1 with flat ends, clamped."""
    value = min(1.0, max(0.0, value))
    return value * value * (3 - 2 * value)


@dataclass(frozen=True)
class CameraPath:
    """How a camera moves in one shot; times are seconds since the shot began.

    The target drifts at ``drift`` m/s, sways by ``sway`` metres with period ``sway_period``, and is thrown ``whip``
    metres sideways from ``whip_at`` on, within ``whip_seconds``. ``dolly`` moves the camera itself, in m/s. ``zoom``
    is the focal length's relative change over ``zoom_seconds``. ``shake`` is handheld unrest, in metres at the target.
    """

    position: Point3
    target: Point3
    focal: float
    drift: Point3 = (0.0, 0.0, 0.0)
    dolly: Point3 = (0.0, 0.0, 0.0)
    sway: float = 0.0
    sway_period: float = 9.0
    sway_phase: float = 0.0
    whip: float = 0.0
    whip_at: float = 0.0
    whip_seconds: float = 0.7
    zoom: float = 0.0
    zoom_seconds: float = 4.0
    shake: float = 0.0
    roll: float = 0.0

    def at(self, seconds: float, width: int, height: int) -> Camera:
        """The camera ``seconds`` into the shot."""
        swing = self.sway * (
            math.sin(math.tau * seconds / self.sway_period + self.sway_phase) - math.sin(self.sway_phase)
        )
        side = swing + self.whip * smoothstep((seconds - self.whip_at) / self.whip_seconds)
        unrest = (
            self.shake * (math.sin(7.1 * seconds) + 0.6 * math.sin(11.3 * seconds + 1)),
            self.shake * math.sin(8.7 * seconds),
        )
        target = (
            self.target[0] + self.drift[0] * seconds + side + unrest[0],
            self.target[1] + self.drift[1] * seconds,
            self.target[2] + self.drift[2] * seconds + unrest[1],
        )
        x, y, z = (start + speed * seconds for start, speed in zip(self.position, self.dolly, strict=True))
        focal = self.focal * (1 + self.zoom * smoothstep(seconds / self.zoom_seconds))
        return Camera.look((x, y, z), target, focal, width, height, self.roll)
