"""Figures of requests, from answers made by hand."""

from __future__ import annotations

import json

import httpx
import pytest

from bench import tuning
from bench.process import BenchError
from bench.promises import verdicts
from bench.results import Headline
from bench.tuning import WARM_UP, Latency, TuningFigures

REQUEST = httpx.Request("POST", "http://site/detect/replay-stage")


def test_requests_that_warm_up_are_not_counted(monkeypatch):
    durations = [9.0] * WARM_UP + [0.010, 0.020, 0.060]
    now = iter([moment for number in range(len(durations)) for moment in _span(durations, number)])
    monkeypatch.setattr("bench.tuning.time.perf_counter", lambda: next(now))
    found = tuning._ask(3, lambda number: httpx.Response(200, content=bytes(7), request=REQUEST))
    assert found == Latency(3, 20.0, 20.0, 7)


def test_answer_that_is_none_is_an_error():
    with pytest.raises(BenchError, match=r"replay-stage answered 409: nothing"):
        tuning._ask(3, lambda number: httpx.Response(409, text="nothing", request=REQUEST))


def test_each_request_has_another_setting():
    sent = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content)["config_overrides"]["min_confidence"])
        return httpx.Response(200)

    with httpx.Client(base_url="http://site", transport=httpx.MockTransport(answer)) as site:
        for number in range(50):
            tuning._replay(site, "job", 3, number, debug=False)
    assert len(set(sent)) == 50


def test_promises_are_held_against_the_medians():
    fast, slow = Latency(1, 79.0, 500.0, 1), Latency(1, 151.0, 151.0, 1)
    headlines = TuningFigures("clip", 1280, 720, fast, slow, fast).headlines()
    assert headlines["one frame, median"] == Headline(79.0, "ms", "lower")
    section = type("Section", (), {"headlines": headlines})()
    assert [verdict.kept for verdict in verdicts({"tuning": section}, full=True)] == [True, False]


def _span(durations: list[float], number: int) -> tuple[float, float]:
    start = sum(durations[:number])
    return start, start + durations[number]
