"""Reading event streams as a browser does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx


def read_stream(
    http: httpx.Client,
    *,
    after: int | None = None,
    until: Callable[[list[dict[str, Any]]], bool] = lambda seen: False,
    **query: Any,
) -> list[dict[str, Any]]:
    """Events until the stream ends or enough are seen: ``id`` (a number), ``event`` and ``data``."""
    seen: list[dict[str, Any]] = []
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    with http.stream("GET", "/api/v0/events/stream", params=query, headers=headers, timeout=120) as answer:
        if answer.status_code != 200:
            raise AssertionError(f"{answer.status_code}: {answer.read().decode()}")
        event: dict[str, Any] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name in ("id", "event", "data"):
                event[name] = value if name == "event" else json.loads(value)
            elif not line and event:
                seen.append(event)
                event = {}
                if until(seen):
                    break
    return seen


def numbers_of(events: list[dict[str, Any]]) -> int:
    """The last number of a batch's events, which are all there, each once, and never fall back."""
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    shares = [event["data"]["progress_pct"] for event in events if event["event"] == "job.update"]
    assert shares == sorted(shares)
    return len(events)
