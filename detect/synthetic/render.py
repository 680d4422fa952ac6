"""Draws the frames of a match, and with each frame the list of what brand is where in it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt

from detect.synthetic import crowd, overlays
from detect.synthetic.artwork import BOARD_SCALE, blend
from detect.synthetic.boards import BOARD_HEIGHT, Row, panel_marks, panel_picture
from detect.synthetic.camera import NEAR, Camera
from detect.synthetic.camerawork import FAR_BOARDS
from detect.synthetic.emblems import Picture
from detect.synthetic.ground import draw_ball, draw_goal, draw_ground, draw_quad, draw_stands
from detect.synthetic.scene import Match, Shot
from detect.synthetic.sightline import Owners, Seen, effective_size, grid_in, on_top, seen_on_row

_RIM = (52, 48, 46)
_BEHIND_SUBJECT = 22.0
"""Metres from the camera of a close-up beyond which others may stand."""


@dataclass(frozen=True)
class Frame:
    """One rendered frame: BGR picture without noise, and the brands' marks in it."""

    picture: Picture
    marks: tuple[Seen, ...]


class Renderer:
    """Draws any frame of one match; what is costly to make is made once and kept."""

    def __init__(self, match: Match) -> None:
        self.match = match
        self._letters = {brand.name: 0 if brand.kind == "logo" else len(brand.name) for brand in match.brands}
        self._noise = _noise_sheets(match)

    def frame(self, number: int) -> Frame:
        """Frame ``number`` (from 0), the same each time it is asked for."""
        match = self.match
        index = match.shot_index(number)
        shot, seconds = match.shots[index], match.seconds(number)
        picture, marks = self._shot(shot, number)
        if index and number - shot.start < shot.dissolve:
            arrived = (number - shot.start + 1) / (shot.dissolve + 1)
            before, before_marks = self._shot(match.shots[index - 1], number)
            picture = np.asarray(cv2.addWeighted(picture, arrived, before, 1 - arrived, 0), np.uint8)
            marks = [_faded(mark, arrived) for mark in marks] + [_faded(mark, 1 - arrived) for mark in before_marks]
        return Frame(picture, tuple(mark for mark in self._overlay(picture, marks, seconds) if mark.visible > 0))

    def planes(self, picture: Picture, number: int) -> npt.NDArray[np.uint8]:
        """The picture with the camera's noise, as the encoder takes it: planar YUV 4:2:0, (height·3/2, width)."""
        yuv = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)
        luma = yuv[: self.match.height]
        sheet = self._noise[number % len(self._noise)]
        shift = (number * 37) % self.match.height
        cv2.add(luma, sheet[shift : shift + self.match.height], dst=luma, dtype=cv2.CV_8U)
        return yuv

    def _shot(self, shot: Shot, number: int) -> tuple[Picture, list[Seen]]:
        """One camera's picture without graphics, and the marks in it."""
        match = self.match
        seconds = match.seconds(number)
        camera = shot.path.at(float((number - shot.start) / match.fps), match.width, match.height)
        smear = abs(self._pan(shot, number, camera)) * match.level.shutter
        canvas = np.empty((match.height, match.width, 3), np.uint8)
        owners = np.zeros((match.height, match.width), np.uint8)
        self._stadium(canvas, owners, camera, seconds)
        figures = crowd.place(match, camera, seconds, beyond=_BEHIND_SUBJECT if shot.subject else 0.0)
        draw_ball(canvas, camera, match.play(seconds) + 2.5 * np.sin(seconds), 6 * np.sin(0.6 * seconds + 1))
        for figure in figures:
            crowd.draw(canvas, owners, match, figure)
        if shot.subject is not None:
            canvas = _out_of_focus(canvas, shot.defocus)
            figures = [crowd.stand(shot.subject, shot.spot, camera)]
            crowd.draw(canvas, owners, match, figures[0])
        softness = 2 * (1 / match.level.softness - 1)
        marks = self._on_boards(camera, owners, seconds, smear + softness + 2 * shot.defocus)
        marks += self._on_shirts(figures, owners, smear + softness)
        return _through_lens(canvas, smear, match.level.softness), marks

    def _stadium(self, canvas: Picture, owners: Owners, camera: Camera, seconds: float) -> None:
        """Everything that does not walk, from the farthest to the nearest."""
        wall, *boards = self.match.rows
        draw_stands(canvas, camera)
        _draw_row(canvas, owners, wall, camera, seconds)
        draw_ground(canvas, camera)
        for row in boards:
            _draw_row(canvas, owners, row, camera, seconds)
        if self.match.level.glare:
            _glare(canvas, camera, seconds, self.match.level.glare)
        for side in (-1, 1):
            draw_goal(canvas, camera, side)

    def _pan(self, shot: Shot, number: int, camera: Camera) -> float:
        """How far the picture moves sideways from this frame to the next, pixels."""
        following = shot.path.at(float((number + 1 - shot.start) / self.match.fps), camera.width, camera.height)
        pixels, _ = following.project([camera.axis_point(40.0)])
        return float(pixels[0, 0]) - camera.width / 2

    def _on_boards(self, camera: Camera, owners: Owners, seconds: float, blur: float) -> list[Seen]:
        return [
            seen
            for row in self.match.rows
            for seen in seen_on_row(
                row,
                (mark for panel in row.panels for mark in panel_marks(panel, seconds)),
                self._letters,
                camera,
                owners,
                blur,
            )
        ]

    def _on_shirts(self, figures: Sequence[crowd.Standing], owners: Owners, blur: float) -> list[Seen]:
        marks = []
        for figure in figures:
            actor = figure.actor
            if actor.team < 0 or actor.side != "front":
                continue
            team = self.match.teams[actor.team]
            box = crowd.sponsor_box(team, self.match.level.jersey_cap, figure)
            points = grid_in(*box)
            shown = on_top(points, owners, actor.surface)
            if shown.any():
                tall = crowd.sponsor_cap(team, self.match.level.jersey_cap) * figure.scale
                size = effective_size(tall, box[2] - box[0], self._letters[team.sponsor.name])
                marks.append(Seen(team.sponsor.name, "jersey", points, shown.astype(np.float64), box, size, blur))
        return marks

    def _overlay(self, picture: Picture, marks: list[Seen], seconds: float) -> list[Seen]:
        """Draws the graphics into ``picture``; returns the marks that are still seen, and those on the graphics."""
        added: list[Seen] = []
        for graphic in overlays.graphics(self.match, seconds):
            overlays.put(picture, graphic)
            right, bottom = graphic.left + graphic.picture.shape[1], graphic.top + graphic.picture.shape[0]
            marks = [_covered(mark, (graphic.left, graphic.top, right, bottom), graphic.opacity) for mark in marks]
            if graphic.brand:
                points = grid_in(*graphic.box)
                size = effective_size(graphic.cap, graphic.box[2] - graphic.box[0], self._letters[graphic.brand])
                shown = np.full(len(points), graphic.opacity)
                added.append(Seen(graphic.brand, "overlay", points, shown, graphic.box, size, 0.0))
        return marks + added


def _draw_row(canvas: Picture, owners: Owners, row: Row, camera: Camera, seconds: float) -> None:
    """Draws a row of boards with its rims, and enters it in the map of what covers what."""
    for panel in row.panels:
        corner = row.at(panel.left)
        texture = partial(panel_picture, panel, seconds)
        rows = round(BOARD_HEIGHT * BOARD_SCALE)
        quad = draw_quad(canvas, camera, texture, rows, corner, row.along, (0.0, 0.0, 1.0), panel.length, BOARD_HEIGHT)
        if quad is None:
            continue
        fixed = np.round(quad * 16).astype(np.int32)
        cv2.fillConvexPoly(owners, fixed, (row.surface,), cv2.LINE_8, 4)
        thickness = max(1, round(0.05 * float(np.linalg.norm(quad[0] - quad[3]))))
        edges = [fixed[:2], fixed[2:]] if panel.placement == "led" else [fixed]
        cv2.polylines(canvas, edges, panel.placement != "led", _RIM, thickness, cv2.LINE_AA, 4)


def _glare(canvas: Picture, camera: Camera, seconds: float, strength: float) -> None:
    """Light reflected by the boards: a patch that washes colours out and wanders along the far row."""
    for phase, speed in ((0.0, 0.21), (2.4, -0.13)):
        x = 26 * np.sin(seconds * speed + phase)
        pixels, depth = camera.project([(x, FAR_BOARDS - 0.1, 0.75)])
        if depth[0] < NEAR:
            continue
        reach = camera.focal / depth[0]
        left, top = round(pixels[0, 0] - 3.2 * reach), round(pixels[0, 1] - 0.9 * reach)
        width, height = round(6.4 * reach), round(1.8 * reach)
        if width < 4 or width > 4 * camera.width or left >= camera.width or left + width <= 0:
            continue
        patch = cv2.resize(_glow(), (width, height), interpolation=cv2.INTER_LINEAR)
        blend(canvas, np.full((height, width, 3), 246, np.uint8), np.asarray(patch * strength, np.uint8), left, top)


@functools.lru_cache(maxsize=1)
def _glow() -> npt.NDArray[np.float32]:
    across = np.linspace(-1, 1, 96, dtype=np.float32)
    distance = across[None, :] ** 2 + across[:, None] ** 2
    return np.asarray(255 * np.clip(1 - distance, 0, 1) ** 1.5, np.float32)


def _out_of_focus(canvas: Picture, sigma: float) -> Picture:
    height, width = canvas.shape[:2]
    small = cv2.resize(canvas, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), max(0.3, sigma / 2))
    return np.asarray(cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _through_lens(canvas: Picture, smear: float, softness: float) -> Picture:
    """Blur of a moving camera over ``smear`` pixels, then the loss of a lens (or an upscaled feed)."""
    length = round(smear)
    if length >= 2:
        canvas = np.asarray(cv2.blur(canvas, (length, 1)), np.uint8)
    if softness < 1:
        height, width = canvas.shape[:2]
        small = cv2.resize(canvas, (round(width * softness), round(height * softness)), interpolation=cv2.INTER_LINEAR)
        canvas = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    return canvas


def _faded(mark: Seen, opacity: float) -> Seen:
    return replace(mark, shown=mark.shown * opacity)


def _covered(mark: Seen, area: tuple[int, int, int, int], opacity: float) -> Seen:
    """The mark under a graphic that covers ``area`` (``xyxy``)."""
    x, y = mark.points[:, 0], mark.points[:, 1]
    under = (x >= area[0]) & (x < area[2]) & (y >= area[1]) & (y < area[3])
    return replace(mark, shown=mark.shown * np.where(under, 1 - opacity, 1.0)) if under.any() else mark


def _noise_sheets(match: Match) -> tuple[npt.NDArray[np.int8], ...]:
    """Noise to add to the luma: two sheets, each used at many offsets."""
    rng = np.random.Generator(np.random.PCG64(match.seed))
    shape = (2 * match.height, match.width)
    return tuple(np.clip(np.round(rng.normal(0, match.level.noise, shape)), -40, 40).astype(np.int8) for _ in range(2))
