"""Tuning: how long a single-stage replay of one frame takes over HTTP, on a site that has warmed up."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import httpx
import msgspec

from bench.footage import Clip
from bench.installation import SET_UP_WITHIN, Installation, installation
from bench.process import BenchError, measure
from bench.results import Headline
from bench.site import site

STAGE = "detect_edges"
WARM_UP = 10


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds from sending a request to having read its answer, and the answer's size."""

    requests: int
    median: float
    p95: float
    answer_bytes: int


class TuningFigures(msgspec.Struct, frozen=True):
    """Replays of one ``detect_edges`` frame, each with another setting; ``health`` is the site's plainest answer."""

    clip: str
    width: int
    height: int
    plain: Latency
    debug: Latency
    health: Latency

    def headlines(self) -> dict[str, Headline]:
        """What to compare from one measurement to the next."""
        return {
            "one frame, median": Headline(self.plain.median, "ms", "lower"),
            "one frame with overlays, median": Headline(self.debug.median, "ms", "lower"),
        }


def measure_tuning(clip: Clip, *, requests: int, progress: Callable[[str], None]) -> TuningFigures:
    """Analyse the clip, serve the site, ask for one frame again and again. Raises ``BenchError``."""
    progress(f"tuning: {clip.name}, first run")
    with installation() as here, here.database_up():
        report = here.analyze(clip.video, clip.brands, logos=clip.logos).report
        key = _make_key(here)
        with site(here) as address, httpx.Client(base_url=address, timeout=60, trust_env=False) as http:
            http.headers["X-API-Key"] = key
            frame = _kept_frame(http, report.job_id)
            progress(f"tuning: frame {frame}, {requests} requests of each kind")
            replay = partial(_replay, http, report.job_id, frame)
            return TuningFigures(
                clip=clip.name,
                width=report.source.width,
                height=report.source.height,
                plain=_ask(requests, partial(replay, debug=False)),
                debug=_ask(requests, partial(replay, debug=True)),
                health=_ask(requests, lambda _: http.get("/api/health")),
            )


def _make_key(here: Installation) -> str:
    command = [sys.executable, "manage.py", "create_api_key", "bench", "--role", "operator"]
    return measure(command, timeout=SET_UP_WITHIN, environment=here.environment).output.strip()


def _replay(http: httpx.Client, job: str, frame: int, number: int, *, debug: bool) -> httpx.Response:
    """One request with a setting of its own, as a slider that is dragged sends them."""
    overrides = {"min_confidence": round(0.3 + 0.001 * (number % 200), 3)}
    body = {"job_id": job, "stage": STAGE, "frame_refs": [frame], "config_overrides": overrides, "debug": debug}
    return http.post("/detect/replay-stage", json=body)


def _ask(requests: int, send: Callable[[int], httpx.Response]) -> Latency:
    times, size = [], 0
    for number in range(WARM_UP + requests):
        began = time.perf_counter()
        response = send(number)
        size = len(response.content)
        times.append((time.perf_counter() - began) * 1000)
        if response.status_code != httpx.codes.OK:
            raise BenchError(f"{response.request.url} answered {response.status_code}: {response.text[:300]}")
    warm = sorted(times[WARM_UP:])
    return Latency(requests, round(median(warm), 2), round(warm[int(0.95 * (len(warm) - 1))], 2), size)


def _kept_frame(http: httpx.Client, job: str) -> int:
    """The frame with most boards among some spread over the video: the slowest kind."""
    response = http.post("/detect/replay-stage", json={"job_id": job, "stage": STAGE})
    if response.status_code != httpx.codes.OK:
        raise BenchError(f"/detect/replay-stage answered {response.status_code}: {response.text[:300]}")
    found = response.json()["regions_by_frame"]
    return int(max(found, key=lambda sequence: len(found[sequence])))
