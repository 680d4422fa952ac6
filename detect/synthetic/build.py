"""Makes up a match from a seed: teams, boards, LED schedule, players, camera work and graphics."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from detect.errors import MediaprocError
from detect.synthetic.boards import Panel, Row, Slot
from detect.synthetic.brands import (
    LOOK_ALIKES,
    NOTICES,
    PLAYER_NAMES,
    TEAM_CODES,
    TEAM_NAMES,
    Brand,
    choose_brands,
)
from detect.synthetic.camerawork import END_BOARDS, FAR_BOARDS, plan_shots
from detect.synthetic.figures import Kit, Side
from detect.synthetic.levels import Level, get_level
from detect.synthetic.scene import Actor, Bug, LowerThird, Match, Team

PANEL_LENGTH = 7.5
_KITS = (
    Kit("#c4202e", "#ffffff", "#ffffff", "#c4202e", "#ffffff"),
    Kit("#f3f3f0", "#1d3f8f", "#1d3f8f", "#f3f3f0", "#14161c", "stripes"),
    Kit("#163a7d", "#f4c21f", "#163a7d", "#163a7d", "#ffffff", "sash"),
    Kit("#f5d21c", "#1c7a3f", "#1c7a3f", "#f5d21c", "#17301f"),
    Kit("#1b1d24", "#6d7480", "#1b1d24", "#1b1d24", "#ffffff", "hoops"),
    Kit("#7fc4ea", "#ffffff", "#ffffff", "#7fc4ea", "#10223c"),
)
_FIRST_ACTOR = 10
_WALL, _END, _FAR = 1, 2, 3


class MatchError(MediaprocError):
    """A match that cannot be made: no length, no picture, no brand."""


def build_match(seed: int, level: str = "easy", seconds: float = 20, width: int = 1280, height: int = 720,
                fps: Fraction = Fraction(30), brands: Sequence[Brand] | None = None) -> Match:  # fmt: skip
    """A match of ``seconds`` at ``level``, the same for the same arguments.

    ``brands`` replaces the invented ones that are otherwise drawn from :mod:`detect.synthetic.brands`; at least one
    of them must have a name to write. Raises :class:`MatchError` and :class:`UnknownLevelError`.
    """
    chosen = get_level(level)
    frames = round(seconds * fps)
    if seed < 0:
        raise MatchError(f"a match is numbered from 0, not {seed}.")
    if frames < 1 or width < 64 or height < 64 or width % 2 or height % 2:
        raise MatchError("a match needs at least one frame and an even picture size of 64 x 64 pixels or more.")
    rng = np.random.Generator(np.random.PCG64([seed, zlib.crc32(level.encode())]))
    picked = tuple(brands) if brands is not None else choose_brands(chosen.brands, chosen.logos, rng)
    texts = [brand for brand in picked if brand.kind == "text"]
    if not texts:
        raise MatchError("a match needs at least one brand with a name to write.")
    teams = _teams(texts, rng)
    actors = _actors(chosen, rng)
    on_boards = [brand for brand in picked if brand is not texts[0]] or texts
    return Match(
        seed=seed, level=chosen, width=width, height=height, fps=fps, frames=frames, brands=picked, teams=teams,
        rows=_rows(chosen, on_boards, seconds, rng), actors=actors,
        shots=plan_shots(chosen, frames, fps, height / 720, actors, rng),
        bugs=_bugs(texts[2 % len(texts)], seconds, rng), thirds=_thirds(actors, seconds, rng),
        play_reach=16.0, play_phase=float(rng.uniform(0, math.tau)),
        clock_start=int(rng.integers(5 * 60, 40 * 60)), score=(int(rng.integers(0, 4)), int(rng.integers(0, 3))),
    )  # fmt: skip


def _teams(texts: Sequence[Brand], rng: np.random.Generator) -> tuple[Team, Team]:
    codes = [TEAM_CODES[index] for index in rng.permutation(len(TEAM_CODES))[:2]]
    kits = [_KITS[index] for index in rng.permutation(len(_KITS))[:2]]
    home, away = (
        Team(code, TEAM_NAMES[code], kit, texts[index % len(texts)])
        for index, (code, kit) in enumerate(zip(codes, kits, strict=True))
    )
    return home, away


def _rows(level: Level, brands: Sequence[Brand], seconds: float, rng: np.random.Generator) -> tuple[Row, ...]:
    """Rows from the farthest to the nearest: the stand's wall, the boards behind the goal, those along the pitch."""
    notices = [*NOTICES, *(LOOK_ALIKES if level.look_alikes else ())]
    names = [notices[index] for index in rng.permutation(len(notices))]
    wall = [_painted(-48 + 22 * place, 9.0, names[place % len(names)]) for place in range(5)]
    far_led = _led_schedule(level, brands, seconds, rng)
    far: list[Panel] = []
    for place in range(15):
        left = (place - 7.5) * PANEL_LENGTH
        if 5 <= place <= 9:
            far.append(Panel(left, PANEL_LENGTH, "led", far_led, (-2.5 * PANEL_LENGTH, 2.5 * PANEL_LENGTH)))
        else:
            far.append(_painted(left, PANEL_LENGTH, _pick(brands, names, rng)))
    end_led = _led_schedule(level, brands, seconds, rng)
    end = [
        Panel(place * PANEL_LENGTH, PANEL_LENGTH, "led", end_led, (0.0, 8 * PANEL_LENGTH)) if level.led_behind_goal
        else _painted(place * PANEL_LENGTH, PANEL_LENGTH, _pick(brands, names, rng))
        for place in range(8)
    ]  # fmt: skip
    return (
        Row(_WALL, (0.0, 41.4, 1.15), (1.0, 0.0, 0.0), tuple(wall)),
        Row(_END, (END_BOARDS, 30.0, 0.0), (0.0, -1.0, 0.0), tuple(end)),
        Row(_FAR, (0.0, FAR_BOARDS, 0.0), (1.0, 0.0, 0.0), tuple(far)),
    )


def _pick(brands: Sequence[Brand], notices: Sequence[Brand], rng: np.random.Generator) -> Brand:
    choice = notices if rng.random() < 0.15 else brands
    return choice[int(rng.integers(len(choice)))]


def _painted(left: float, length: float, brand: Brand) -> Panel:
    return Panel(left, length, "board", (Slot(0.0, brand),), (left, left + length))


def _led_schedule(level: Level, brands: Sequence[Brand], seconds: float, rng: np.random.Generator) -> tuple[Slot, ...]:
    """Every brand in turn, in a new order each round, until the match ends."""
    slots: list[Slot] = []
    start = 0.0
    waiting: list[Brand] = []
    while start < seconds or not slots:
        waiting = waiting or [brands[index] for index in rng.permutation(len(brands))]
        scroll = float(rng.choice((-2.0, -1.2, 1.5))) if rng.random() < level.led_scroll else 0.0
        change = level.led_changes[int(rng.integers(len(level.led_changes)))]
        if change == "wipe" and (scroll or (slots and slots[-1].scroll)):
            change = "cut"
        slots.append(Slot(start, waiting.pop(), change, scroll))
        start = round(start + float(rng.uniform(*level.led_seconds)), 3)
    return tuple(slots)


def _actors(level: Level, rng: np.random.Generator) -> tuple[Actor, ...]:
    """Two teams around the play, and people right in front of the boards."""
    names = [PLAYER_NAMES[index] for index in rng.permutation(len(PLAYER_NAMES))]
    numbers = [int(number) + 2 for number in rng.permutation(28)]
    actors: list[Actor] = []
    for index in range(18):
        team, place = index % 2, index // 2
        home = ((place % 3 - 1) * 11 + float(rng.uniform(-5, 5)), -22 + (place // 3) * 20 + float(rng.uniform(-8, 8)))
        actors.append(
            _actor(
                len(actors),
                team,
                names[index],
                numbers[index],
                home,
                (float(rng.uniform(2, 7)), float(rng.uniform(1, 5))),
                0.8,
                rng,
            )
        )
    for index in range(level.touchline_people):
        home = (float(rng.uniform(-24, 24)) if index else 3.0, float(rng.uniform(34.6, 36.6)))
        runs = index % 3 == 0
        actors.append(_actor(len(actors), -1, "", 0, home, (6.0 if runs else 0.4, 0.1), 0.9 if runs else 0.0, rng))
    return tuple(actors)


def _actor(index: int, team: int, name: str, number: int, home: tuple[float, float], roam: tuple[float, float],
           follow: float, rng: np.random.Generator) -> Actor:  # fmt: skip
    side: Side = "front" if rng.random() < 0.55 else "back"
    return Actor(
        surface=_FIRST_ACTOR + index, team=team, name=name, number=number, home=home, roam=roam, follow=follow,
        period=float(rng.uniform(7, 13)), phase=float(rng.uniform(0, math.tau)), side=side,
        complexion=int(rng.integers(5)),
    )  # fmt: skip


def _bugs(brand: Brand, seconds: float, rng: np.random.Generator) -> tuple[Bug, ...]:
    """The sponsor's sign comes up now and then: in a short match once, in its middle."""
    bugs: list[Bug] = []
    start = min(float(rng.uniform(3, 6)), 0.35 * seconds)
    while start + 2 < seconds:
        length = min(float(rng.uniform(4, 7)), 0.5 * seconds)
        bugs.append(Bug(brand, round(start, 3), round(start + length, 3)))
        start += length + float(rng.uniform(10, 20))
    return tuple(bugs)


def _thirds(actors: Sequence[Actor], seconds: float, rng: np.random.Generator) -> tuple[LowerThird, ...]:
    players = [actor for actor in actors if actor.name]
    thirds: list[LowerThird] = []
    start = 0.55 * min(seconds, 20)
    while start + 3 < seconds:
        player = players[int(rng.integers(len(players)))]
        thirds.append(LowerThird(player.number, player.name, player.team, round(start, 3), round(start + 3.5, 3)))
        start += float(rng.uniform(14, 25))
    return tuple(thirds)
