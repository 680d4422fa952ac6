"""Decisions over the websocket: each once, in order, from any number on; and who is let in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pytest_django import Settings

from brands import consumers, following
from brands.actions import Reject, Undo, decide
from brands.live import announce_results
from brands.models import Decision
from jobs.api_keys import ApiKey
from mediaproc.asgi import application
from mediaproc.roles import Role
from tests.events.made import in_thread
from tests.events.socket import Headers, Socket
from tests.review.material import ANA, record, ref

pytestmark = pytest.mark.usefixtures("live_channel")

WORDS = ("FLY BETTER", "ORBITAL", "QUANTA")


@pytest.fixture
async def key(live_channel: None) -> Headers:
    _, made = await in_thread(ApiKey.objects.create_key, name="reader", role=Role.VIEWER)
    return [(b"x-api-key", made.encode())]


@pytest.fixture
async def made(live_channel: None) -> list[Decision]:
    """Three decisions."""

    def make() -> list[Decision]:
        record("one", *WORDS)
        return [decide(Reject((ref(text),)), by=ANA) for text in WORDS]

    return await in_thread(make)


@asynccontextmanager
async def connection(path: str, headers: Headers) -> AsyncIterator[Socket]:
    socket = Socket(application, path, headers)
    assert await socket.connect()
    try:
        yield socket
    finally:
        await socket.leave()


async def test_decisions_behind_a_number_and_what_comes(made: list[Decision], key: Headers) -> None:
    async with connection(f"/ws/review?after={made[0].id}", key) as socket:
        assert [told["id"] for told in await socket.hear(2)] == [one.id for one in made[1:]]
        undone = await in_thread(lambda: decide(Undo(made[0].id), by=ANA))
        assert await socket.hear(1) == [
            {
                "id": undone.id,
                "by": "user:ana",
                "kind": "undo",
                "sentence": "undone: 'FLY BETTER' rejected",
                "groups": made[0].groups,
                "items": 1,
                "seconds": 5.0,
                "undoes": made[0].id,
            }
        ]


async def test_many_come_in_order(key: Headers, made: list[Decision], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "PAGE", 2)
    async with connection("/ws/review", key) as socket:
        assert [told["id"] for told in await socket.hear(3)] == [one.id for one in made]


async def test_other_items_may_be_waiting(key: Headers, made: list[Decision]) -> None:
    def more() -> None:
        record("two", "MOTORWERK")
        announce_results()

    async with connection(f"/ws/review?after={made[-1].id}", key) as socket:
        assert await socket.silent(0.2)
        await in_thread(more)
        assert await socket.hear(1) == [{"results": True}]


async def test_without_a_channel_layer_it_looks_by_itself(
    made: list[Decision], key: Headers, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.review.test_following.Away"}}
    monkeypatch.setattr(following, "_LOOK_EVERY", 0.05)
    async with connection(f"/ws/review?after={made[-1].id}", key) as socket:
        assert await socket.silent(0.1)
        undone = await in_thread(lambda: decide(Undo(made[-1].id), by=ANA))
        assert [told["id"] for told in await socket.hear(1)] == [undone.id]


class Away:
    """A channel layer whose Redis is not there."""

    def __init__(self, **config: object) -> None:
        pass

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def fail(*arguments: object) -> None:
            raise ConnectionError(name)

        return fail


async def test_two_readers_hear_the_same(made: list[Decision], key: Headers) -> None:
    path = f"/ws/review?after={made[-1].id}"
    async with connection(path, key) as one, connection(path, key) as other:
        undone = await in_thread(lambda: decide(Undo(made[0].id), by=ANA))
        for socket in (one, other):
            assert [told["id"] for told in await socket.hear(1)] == [undone.id]


@pytest.mark.parametrize("after", ["x", "-1", "9" * 19, "%ff", "²"])
async def test_number_that_cannot_be_one(key: Headers, after: str) -> None:
    async with connection(f"/ws/review?after={after}", key) as socket:
        assert await socket.code() == consumers.BAD_REQUEST


@pytest.mark.parametrize("headers", [[], [(b"x-api-key", b"unknown.key")]])
async def test_strangers(live_channel: None, headers: Headers) -> None:
    async with connection("/ws/review", headers) as socket:
        assert await socket.code() == 4401


async def test_it_is_ended_so_that_the_client_shows_that_it_still_may(
    made: list[Decision], key: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "LONGEST_CONNECTION", 0.2)
    async with connection(f"/ws/review?after={made[-1].id}", key) as socket:
        assert await socket.code() == consumers.COME_AGAIN
