"""Broadcast graphics over the picture: scoreboard with a clock, sponsor's sign, captions with players' names."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from detect.drawing.typeset import Face, set_text
from detect.synthetic.artwork import blend, stamp
from detect.synthetic.brands import Brand, colour
from detect.synthetic.emblems import Picture
from detect.synthetic.scene import Match, Team

_PLATE, _PAPER, _BOLD = "#131a2b", "#f2f4f8", Face("sans", 700, spacing=0.03)


@dataclass(frozen=True)
class Graphic:
    """A picture over the picture: BGR, coverage, top-left corner, opacity; with a brand, where its name is (pixels)."""

    picture: Picture
    alpha: npt.NDArray[np.uint8]
    left: int
    top: int
    opacity: float
    brand: str = ""
    box: tuple[int, int, int, int] = (0, 0, 0, 0)
    cap: int = 0


def graphics(match: Match, seconds: float) -> Iterator[Graphic]:
    """Everything that is over the picture at ``seconds``."""
    unit = match.unit
    board = _scoreboard(match.teams, match.score, int(match.clock_start + seconds), unit)
    yield Graphic(board, np.full(board.shape[:2], 255, np.uint8), round(44 * unit), round(34 * unit), 1.0)
    for bug in match.bugs:
        opacity = bug.opacity(seconds)
        if opacity > 0:
            yield _sign(bug.brand, match.width, unit, opacity)
    for third in match.thirds:
        slide = third.slide(seconds)
        if slide > 0:
            plate = _caption(third.number, third.name, match.teams[third.team], unit)
            seen = max(1, round(plate.shape[1] * slide))
            alpha = np.full((plate.shape[0], seen), 255, np.uint8)
            yield Graphic(np.ascontiguousarray(plate[:, -seen:]), alpha, round(60 * unit), round(590 * unit), 1.0)


def put(frame: Picture, graphic: Graphic) -> None:
    """Draws a graphic in place."""
    blend(frame, graphic.picture, graphic.alpha, graphic.left, graphic.top, graphic.opacity)


def _write(
    plate: Picture, text: str, cap: float, ink: str, x: float, face: Face = _BOLD, y: float | None = None
) -> None:
    """Text centred on ``x`` (and on the plate's height, unless its middle is given)."""
    letters = set_text(text, face, max(3, round(cap)))
    rows, columns = letters.mask.shape
    middle = plate.shape[0] / 2 if y is None else y
    ink_picture = np.full((rows, columns, 3), colour(ink), np.uint8)
    blend(plate, ink_picture, letters.mask, round(x - columns / 2), round(middle - letters.cap / 2))


@functools.lru_cache(maxsize=4)
def _scoreboard(teams: tuple[Team, Team], score: tuple[int, int], clock: int, unit: float) -> Picture:
    plate = _score_plate(teams, score, unit).copy()
    text = f"{clock // 60:02d}:{clock % 60:02d}"
    _write(plate, text, 17 * unit, _PLATE, 268 * unit, Face("uni"), 19 * unit)
    return plate


@functools.lru_cache(maxsize=2)
def _score_plate(teams: tuple[Team, Team], score: tuple[int, int], unit: float) -> Picture:
    height, width = round(38 * unit), round(310 * unit)
    plate = np.full((height, width, 3), colour(_PLATE), np.uint8)
    plate[:, round(226 * unit) :] = colour(_PAPER)
    for team, x in ((teams[0], 0), (teams[1], 218)):
        plate[:, round(x * unit) : round((x + 8) * unit)] = colour(team.kit.shirt)
    plate[:, round(84 * unit) : round(142 * unit)] = colour("#2b3a5e")
    middle = height / 2
    _write(plate, teams[0].code, 17 * unit, _PAPER, 46 * unit, y=middle)
    _write(plate, f"{score[0]} - {score[1]}", 17 * unit, _PAPER, 113 * unit, y=middle)
    _write(plate, teams[1].code, 17 * unit, _PAPER, 180 * unit, y=middle)
    full = np.full((round(62 * unit), width, 3), colour(_PLATE), np.uint8)
    full[:height] = plate
    full[height:, round(64 * unit) :] = colour("#22304f")
    full[height:, : round(64 * unit)] = colour("#c8102e")
    _write(full, "LIVE", 11 * unit, _PAPER, 32 * unit, y=50 * unit)
    _write(full, f"{teams[0].name}  v  {teams[1].name}", 10 * unit, "#c9d3e6", 187 * unit, Face("sans", 500), 50 * unit)
    return full


@functools.lru_cache(maxsize=8)
def _sign_picture(brand: Brand, unit: float) -> tuple[Picture, npt.NDArray[np.uint8], tuple[int, int, int, int], int]:
    """The sponsor's sign: its name on a rounded plate."""
    art = stamp(brand, round(24 * unit))
    if art.picture.shape[1] > 260 * unit:
        art = stamp(brand, round(24 * unit * 260 * unit / art.picture.shape[1]))
    columns = art.picture.shape[1]
    height, width = round(60 * unit), columns + round(40 * unit)
    plate = np.full((height, width, 3), colour(brand.ground), np.uint8)
    left, top = (width - columns) // 2, round(height / 2 - art.cap / 2)
    blend(plate, art.picture, art.alpha, left, top)
    alpha, radius = np.zeros((height, width), np.uint8), max(1, round(10 * unit))
    cv2.rectangle(alpha, (radius, 0), (width - radius - 1, height), (255,), -1)
    cv2.rectangle(alpha, (0, radius), (width, height - radius - 1), (255,), -1)
    for x in (radius, width - radius - 1):
        for y in (radius, height - radius - 1):
            cv2.circle(alpha, (x, y), radius, (255,), -1, cv2.LINE_AA)
    x1, y1, x2, y2 = art.box
    return plate, alpha, (left + x1, top + y1, left + x2, top + y2), art.cap


def _sign(brand: Brand, width: int, unit: float, opacity: float) -> Graphic:
    plate, alpha, (x1, y1, x2, y2), cap = _sign_picture(brand, unit)
    left, top = width - plate.shape[1] - round(44 * unit), round(34 * unit)
    return Graphic(plate, alpha, left, top, opacity, brand.name, (left + x1, top + y1, left + x2, top + y2), cap)


@functools.lru_cache(maxsize=8)
def _caption(number: int, name: str, team: Team, unit: float) -> Picture:
    height, width = round(64 * unit), round(400 * unit)
    plate = np.full((height, width, 3), colour(_PLATE), np.uint8)
    plate[:, : round(70 * unit)] = colour(team.kit.shirt)
    plate[round(40 * unit) :, round(70 * unit) :] = colour("#2b3a5e")
    _write(plate, str(number), 26 * unit, team.kit.lettering, 35 * unit)
    _write(plate, name, 19 * unit, _PAPER, 235 * unit, y=21 * unit)
    _write(plate, team.name, 12 * unit, "#c9d3e6", 235 * unit, Face("sans", 500, spacing=0.1), 52 * unit)
    return plate
