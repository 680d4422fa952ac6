"""Scale: how long lists, the tree and a comparison take in an installation that has been used for long."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import msgspec

from bench.installation import SET_UP_WITHIN, installation
from bench.process import measure
from bench.results import Headline

WITHIN = SET_UP_WITHIN + 600.0


class Request(msgspec.Struct, frozen=True):
    """Milliseconds that one address took over ``requests`` requests, warm; queries and bytes of the last of them.

    ``cpu`` is the median of this process's processor time, the database apart: the figure to trust on a busy machine.
    """

    requests: int
    median: float
    p95: float
    cpu: float
    queries: int
    answer_bytes: int


class ScaleFigures(msgspec.Struct, frozen=True):
    """Requests by what they ask for, in an installation with so much in it."""

    jobs: int
    sightings: int
    branches: int
    asked: dict[str, Request]

    def headlines(self) -> dict[str, Headline]:
        """What to compare from one measurement to the next."""
        return {f"{name}, median": Headline(one.median, "ms", "lower") for name, one in self.asked.items()}


def measure_scale(*, requests: int, progress: Callable[[str], None]) -> ScaleFigures:
    """Fill an installation and ask it, over Django's client in one process. Raises ``BenchError``."""
    progress(f"scale: filling an installation, then {requests} requests of each kind")
    with installation() as here, here.database_up():
        command = [sys.executable, "-m", "bench.scale_asks", str(requests)]
        told = measure(command, timeout=WITHIN, environment=here.environment)
    return msgspec.convert(json.loads(told.output), ScaleFigures)
