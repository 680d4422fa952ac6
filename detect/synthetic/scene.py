"""What is in a match: a complete description, from which every frame follows. Nothing here draws."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction

from detect.synthetic.boards import Row
from detect.synthetic.brands import Brand
from detect.synthetic.camera import CameraPath
from detect.synthetic.figures import Kit, Side
from detect.synthetic.levels import Level

BUG_FADE_SECONDS = 0.6
THIRD_SLIDE_SECONDS = 0.4


@dataclass(frozen=True)
class Team:
    """One side of the match, with the brand on its shirts."""

    code: str
    name: str
    kit: Kit
    sponsor: Brand


@dataclass(frozen=True)
class Actor:
    """Somebody on the pitch, moving around a place that follows the play.

    ``surface`` is the figure's number in the map of what covers what. ``team`` is 0 or 1, or -1 for officials. ``home``
    and ``roam`` are metres, ``follow`` is how much of the play's sideways movement the figure makes.
    """

    surface: int
    team: int
    name: str
    number: int
    home: tuple[float, float]
    roam: tuple[float, float]
    follow: float
    period: float
    phase: float
    side: Side
    complexion: int

    def position(self, seconds: float, play: float) -> tuple[float, float]:
        """Where the figure's feet are, with the play at ``play`` metres along the pitch."""
        turn = math.tau * seconds / self.period + self.phase
        x = self.home[0] + self.follow * play + self.roam[0] * math.sin(turn)
        return x, self.home[1] + self.roam[1] * math.sin(0.7 * turn + 1.1)

    def speed(self, seconds: float, play_speed: float) -> float:
        """Sideways speed in metres a second: whoever is slow stands."""
        turn = math.tau * seconds / self.period + self.phase
        return self.follow * play_speed + self.roam[0] * math.tau / self.period * math.cos(turn)


@dataclass(frozen=True)
class Shot:
    """Frames ``start`` to ``end`` (exclusive) from one camera.

    During its first ``dissolve`` frames the shot before it fades out. ``subject`` is the figure that a close-up is
    about, standing at ``spot``; the background is then out of focus by ``defocus`` pixels.
    """

    kind: str
    start: int
    end: int
    path: CameraPath
    dissolve: int = 0
    defocus: float = 0.0
    subject: Actor | None = None
    spot: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Bug:
    """A sponsor's sign in the top right corner, fading in at ``start`` and gone by ``end`` (seconds)."""

    brand: Brand
    start: float
    end: float

    def opacity(self, seconds: float) -> float:
        """0 to 1."""
        return max(0.0, min(1.0, (seconds - self.start) / BUG_FADE_SECONDS, (self.end - seconds) / BUG_FADE_SECONDS))


@dataclass(frozen=True)
class LowerThird:
    """A caption with a player's number and name, sliding in from the left at ``start`` and out again by ``end``."""

    number: int
    name: str
    team: int
    start: float
    end: float

    def slide(self, seconds: float) -> float:
        """0 (out of the picture) to 1 (in place)."""
        inside = min((seconds - self.start) / THIRD_SLIDE_SECONDS, (self.end - seconds) / THIRD_SLIDE_SECONDS)
        return max(0.0, min(1.0, inside))


@dataclass(frozen=True)
class Match:
    """A match: who, where, what is on the boards, and every camera move; ``frames`` is its length.

    Made by :func:`detect.synthetic.build_match`.
    ``clock_start`` is the match clock at the first frame, in seconds; ``score`` are the goals shown.
    """

    seed: int
    level: Level
    width: int
    height: int
    fps: Fraction
    frames: int
    brands: tuple[Brand, ...]
    teams: tuple[Team, Team]
    rows: tuple[Row, ...]
    actors: tuple[Actor, ...]
    shots: tuple[Shot, ...]
    bugs: tuple[Bug, ...]
    thirds: tuple[LowerThird, ...]
    play_reach: float
    play_phase: float
    clock_start: int
    score: tuple[int, int]

    @property
    def unit(self) -> float:
        """Pixels of this picture for one pixel of a 720-line one."""
        return self.height / 720

    def seconds(self, frame: int) -> float:
        """Presentation time of a frame."""
        return float(frame / self.fps)

    def play(self, seconds: float) -> float:
        """Where the play is along the pitch, metres."""
        return self.play_reach * math.sin(seconds * self.level.pan_speed / self.play_reach + self.play_phase)

    def play_speed(self, seconds: float) -> float:
        """How fast the play moves, metres a second."""
        return self.level.pan_speed * math.cos(seconds * self.level.pan_speed / self.play_reach + self.play_phase)

    def shot_index(self, frame: int) -> int:
        """Index of the shot that ``frame`` belongs to."""
        return bisect_right([shot.start for shot in self.shots], frame) - 1

    def distractors(self) -> list[dict[str, str]]:
        """Texts in the picture that are no brands, with what they are."""
        shown = {
            slot.brand.name
            for row in self.rows
            for panel in row.panels
            for slot in panel.slots
            if slot.brand.distractor
        }
        texts = [(name, "notice") for name in sorted(shown)] + [("LIVE", "channel"), ("0:00 - 99:59", "clock")]
        texts += [(team.code, "team") for team in self.teams] + [(team.name, "team") for team in self.teams]
        texts += [(actor.name, "player") for actor in self.actors if actor.name]
        texts += [(str(actor.number), "number") for actor in self.actors if actor.number]
        return [{"text": text, "kind": kind} for text, kind in dict.fromkeys(texts)]
