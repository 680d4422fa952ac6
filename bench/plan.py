"""What a run of the benchmark is to measure, from its command line."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from bench.process import PROJECT_ROOT, BenchError
from mediaproc.datafolder import DataFolder

PARTS = ("accuracy", "speed", "memory", "replay", "tuning", "scale", "review", "workers", "jobpage", "pitstop")
RESULTS = PROJECT_ROOT / "bench/results.json"
QUICK_RESULTS = PROJECT_ROOT / "bench/results-quick.json"


@dataclass(frozen=True)
class Plan:
    """Everything a run needs to know; ``work`` is where rendered matches are kept."""

    parts: tuple[str, ...]
    quick: bool
    clips: str
    levels: tuple[str, ...]
    seeds: tuple[int, ...]
    match_seconds: float
    rounds: int
    minutes: tuple[float, ...]
    requests: int
    out: Path
    work: Path
    strict: bool

    def wants(self, clip: str) -> bool:
        """Whether a real clip of this name is measured."""
        return fnmatchcase(clip, self.clips)

    def settings(self, part: str) -> dict[str, Any]:
        """What a part's figures depend on: two measurements with the same settings can be compared."""
        clips: dict[str, Any] = {"clips": self.clips, "quick": self.quick}
        return {
            "accuracy": {
                **clips,
                "levels": list(self.levels),
                "seeds": list(self.seeds),
                "match_seconds": self.match_seconds,
            },
            "speed": {**clips, "rounds": self.rounds},
            "memory": {"minutes": list(self.minutes), "match_seconds": self.match_seconds},
            "replay": clips,
            "tuning": {**clips, "requests": self.requests},
            "scale": {"requests": self.requests},
            "review": {"quick": self.quick},
            "workers": {"quick": self.quick},
            "jobpage": {"quick": self.quick},
            "pitstop": {"quick": self.quick, "rounds": self.rounds},
        }[part]


def plan_of(given: Namespace) -> Plan:
    """The plan for parsed arguments. Raises :class:`BenchError` for values that make no sense."""
    quick = bool(given.quick)
    minutes = tuple(given.minutes or ((1.0, 3.0) if quick else (2.0, 20.0)))
    if len(set(minutes)) < 2 or min(minutes) <= 0:
        raise BenchError("--minutes: give two different lengths or more, each over 0")
    rounds = given.rounds if given.rounds is not None else 1 if quick else 3
    if rounds < 1:
        raise BenchError("--rounds: give 1 or more")
    levels = tuple(given.levels or (("easy",) if quick else ("easy", "medium", "hard")))
    return Plan(
        parts=tuple(part for part in PARTS if not given.only or part in given.only),
        quick=quick,
        clips=given.clips,
        levels=tuple(level for level in levels if level != "none"),
        seeds=tuple(given.seeds or ((1,) if quick else (1, 2, 3))),
        match_seconds=8.0 if quick else 20.0,
        rounds=rounds,
        minutes=minutes,
        requests=30 if quick else 200,
        out=given.out or (QUICK_RESULTS if quick else RESULTS),
        work=DataFolder.from_environment().root / "bench",
        strict=given.strict,
    )
