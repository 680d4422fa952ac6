"""The contract of a provider, on servers that each understand another part of the API."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from detect.errors import ProviderError
from detect.providers.answers import Answer
from detect.providers.failures import (
    BrokenOffError,
    BusyError,
    CallFailedError,
    MisconfiguredError,
    NonsenseError,
    RefusedError,
    UnreachableError,
    Usage,
)
from detect.providers.openai_client import OpenAIClient
from tests.providers.chat_server import (
    Ask,
    Behaviour,
    ChatServer,
    Reaction,
    chat_server,
    completion,
    error,
    in_turn,
    verdict,
)
from tests.providers.made import KEY, provider, question


@contextmanager
def talking(behave: Behaviour, **settings: Any) -> Iterator[tuple[ChatServer, OpenAIClient]]:
    """A server that behaves so, and a client to it."""
    with chat_server(behave) as server, OpenAIClient(provider(server.base_url, **settings), KEY) as client:
        yield server, client


ACME = {"is_brand": True, "brand": "Acme", "confidence": 0.9, "reason": "lettering"}


def full(_ask: Ask) -> Reaction:
    return verdict()


def only_json_object(ask: Ask) -> Reaction:
    if ask.format == "json_schema":
        return error(400, "'response_format.type' must be one of 'text' or 'json_object'")
    return verdict()


def no_response_format(ask: Ask) -> Reaction:
    if "response_format" in ask.body:
        return error(422, "Extra inputs are not permitted")
    return completion(f"Here you are:\n```json\n{json.dumps(ACME)}\n```")


def grammar_fails_inside(ask: Ask) -> Reaction:
    return error(500, "failed to parse grammar") if ask.format == "json_schema" else verdict()


def newer_names(ask: Ask) -> Reaction:
    if "max_tokens" in ask.body:
        return error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
    if "temperature" in ask.body:
        return error(400, "Unsupported value: 'temperature' does not support 0.0 with this model.")
    return verdict()


def thinking_aloud(_ask: Ask) -> Reaction:
    return completion(f"<think>It says {{ACME}}. So …</think>\n{json.dumps(ACME)}")


def content_in_parts(_ask: Ask) -> Reaction:
    return completion([{"type": "text", "text": json.dumps(ACME)}])


def without_usage(_ask: Ask) -> Reaction:
    return verdict(usage={})


DIALECTS: list[Behaviour] = [
    full,
    only_json_object,
    no_response_format,
    grammar_fails_inside,
    newer_names,
    thinking_aloud,
    content_in_parts,
    without_usage,
]


@pytest.mark.parametrize("dialect", DIALECTS)
class TestEveryDialect:
    def test_gives_an_answer_with_its_tokens(self, dialect: Behaviour) -> None:
        with talking(dialect) as (_, client):
            reply = client.ask(question())
        assert reply.answer == Answer(is_brand=True, brand="Acme", confidence=0.9, reason="lettering")
        assert '"Acme"' in reply.raw
        assert reply.usage.input_tokens > 0
        assert reply.seconds >= 0

    def test_is_learned_once(self, dialect: Behaviour) -> None:
        with talking(dialect) as (server, client):
            client.ask(question())
            learning = len(server.asks)
            client.ask(question())
            client.ask(question())
        assert len(server.asks) == learning + 2

    def test_asks_the_same_thing_in_every_shape(self, dialect: Behaviour) -> None:
        with talking(dialect) as (server, client):
            client.ask(question())
        assert {ask.prompt for ask in server.asks} == {question().text}
        assert {tuple(ask.images) for ask in server.asks} == {question().images}
        assert {ask.body["model"] for ask in server.asks} == {"tiny-vl"}
        assert {ask.path for ask in server.asks} == {"/v1/chat/completions"}

    def test_says_when_it_is_busy(self, dialect: Behaviour) -> None:
        def busy(ask: Ask) -> Reaction:
            reaction = dialect(ask)
            return error(503, "overloaded") if reaction.status == 200 else reaction

        with talking(busy) as (_, client), pytest.raises(BusyError, match="status 503: overloaded"):
            client.ask(question())

    def test_notices_nonsense_and_what_it_cost(self, dialect: Behaviour) -> None:
        def babbling(ask: Ask) -> Reaction:
            reaction = dialect(ask)
            return completion("no idea") if reaction.status == 200 else reaction

        with talking(babbling) as (_, client), pytest.raises(NonsenseError, match="no idea") as caught:
            client.ask(question())
        assert caught.value.usage == Usage(400, 30)


def test_a_request_carries_schema_key_and_extra_fields() -> None:
    with chat_server(full) as server:
        extra = {"chat_template_kwargs": {"enable_thinking": False}}
        with OpenAIClient(provider(server.base_url, extra_body=extra, max_output_tokens=77), KEY) as client:
            client.ask(question(), temperature=0.4)
    [ask] = server.asks
    assert ask.headers["authorization"] == f"Bearer {KEY}"
    assert (ask.body["max_tokens"], ask.body["temperature"]) == (77, 0.4)
    assert ask.body["chat_template_kwargs"] == {"enable_thinking": False}
    schema = ask.body["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert schema["schema"]["required"] == ["is_brand", "brand", "confidence", "reason"]


def test_without_a_key_none_is_sent() -> None:
    with chat_server(full) as server, OpenAIClient(provider(server.base_url, api_key_env="")) as client:
        client.ask(question())
    assert "authorization" not in server.asks[0].headers


def test_a_format_that_is_set_is_kept_to() -> None:
    with talking(only_json_object, response_format="json_object") as (server, client):
        client.ask(question())
    assert [ask.format for ask in server.asks] == ["json_object"]
    strict = talking(only_json_object, response_format="json_schema")
    with strict as (server, client), pytest.raises(RefusedError, match="response_format"):
        client.ask(question())
    assert [ask.format for ask in server.asks] == ["json_schema"]


def test_a_question_refused_in_every_shape_does_not_weaken_the_next() -> None:
    bad = error(400, "image cannot be decoded")
    with talking(in_turn(bad, bad, bad, verdict())) as (server, client):
        with pytest.raises(RefusedError, match="refused with status 400: image cannot be decoded") as caught:
            client.ask(question())
        client.ask(question())
    assert not caught.value.retryable
    assert [ask.format for ask in server.asks] == ["json_schema", "json_object", "text", "json_schema"]


def test_tokens_that_a_server_does_not_tell_are_counted_at_their_most() -> None:
    with chat_server(without_usage) as server:
        one = provider(server.base_url)
        with OpenAIClient(one, KEY) as client:
            assert client.ask(question()).usage == Usage(*question().most_tokens(one))


def status(code: int) -> Reaction:
    return error(code, "what happened")


@pytest.mark.parametrize(
    ("reaction", "kind", "told"),
    [
        (status(401), MisconfiguredError, "refused access (401); check the key in SOME_KEY"),
        (status(403), MisconfiguredError, "refused access (403)"),
        (status(404), MisconfiguredError, "has no model 'tiny-vl' or no such path: what happened"),
        (status(402), MisconfiguredError, "no credit left"),
        (error(429, "pay first", code="insufficient_quota"), MisconfiguredError, "no credit left: pay first"),
        (Reaction(301, headers={"Location": "http://127.0.0.1:9/"}), MisconfiguredError, "status 301"),
        (status(405), MisconfiguredError, "not a chat completions endpoint"),
        (status(429), BusyError, "status 429: what happened"),
        (status(500), BusyError, "status 500"),
        (Reaction(502, b"<html>Bad gateway</html>"), BusyError, "status 502"),
        (status(408), BusyError, "status 408"),
        (status(413), RefusedError, "refused with status 413"),
        (Reaction(500, b'{"error": "out of memory"}'), BusyError, "status 500: out of memory"),
        (Reaction(500, b'{"detail": "out of memory"}'), BusyError, "status 500: out of memory"),
        (Reaction(200, b"<html>Welcome</html>"), NonsenseError, "not a chat completion"),
        (Reaction(200, b'{"choices": "many"}'), NonsenseError, "not a chat completion"),
        (Reaction(200, b'{"choices": []}'), NonsenseError, "without choices"),
        (Reaction(200, b"\xff\xfe"), NonsenseError, "not a chat completion"),
        (Reaction(200, b"{" + b" " * 2_100_000 + b"}"), BrokenOffError, "longer than"),
        (completion(None), NonsenseError, "an empty answer"),
        (completion([{"type": "image"}]), NonsenseError, "an empty answer"),
        (completion('{"is_brand": tr', finish="length"), NonsenseError, "cut off at max_output_tokens = 400"),
        (Reaction(hang_up=True), BrokenOffError, "the connection to http"),
    ],
)
def test_every_failure_is_told_for_what_it_is(reaction: Reaction, kind: type[CallFailedError], told: str) -> None:
    with talking(in_turn(reaction)) as (_, client), pytest.raises(ProviderError) as caught:
        client.ask(question())
    assert type(caught.value) is kind
    assert told in str(caught.value)


@pytest.mark.parametrize("reaction", [Reaction(hang=True), Reaction(drip=True)])
def test_a_server_that_takes_too_long_is_left(reaction: Reaction) -> None:
    with talking(in_turn(reaction), timeout_s=0.1) as (_, client), pytest.raises(BrokenOffError) as caught:
        client.ask(question())
    assert caught.value.message == "no answer within 0.1 s"
    assert caught.value.maybe_charged


def test_nobody_there_is_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        # Bound and not listening: nobody else can take the port meanwhile.
        nobody = OpenAIClient(provider(f"http://127.0.0.1:{port}/v1"), KEY)
        with nobody as client, pytest.raises(UnreachableError, match="Connection refused") as caught:
            client.ask(question())
    assert not caught.value.maybe_charged


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", pytest.approx(7)),
        ("0.5", pytest.approx(0.5)),
        ("-3", 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 21 Oct 2015 07:28:00", 0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_understood(value: str, seconds: float | None) -> None:
    reaction = error(429, headers={"Retry-After": value})
    with talking(in_turn(reaction)) as (_, client), pytest.raises(BusyError) as caught:
        client.ask(question())
    assert caught.value.retry_after == seconds


def echo_in_error(ask: Ask) -> Reaction:
    return error(500, f"{ask.headers['authorization']} is no good")


def echo_in_refusal(ask: Ask) -> Reaction:
    return error(401, f"Incorrect API key provided: {KEY[:7]}***{KEY[-4:]}")


def echo_in_nonsense(ask: Ask) -> Reaction:
    return completion(f"your key is {ask.headers['authorization']}")


@pytest.mark.parametrize("behave", [echo_in_error, echo_in_refusal, echo_in_nonsense])
def test_no_error_holds_the_key(behave: Callable[[Ask], Reaction], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with talking(behave) as (_, client), pytest.raises(ProviderError) as caught:
        client.ask(question())
    told = f"{caught.value!r} {caught.value.__cause__!r} {caplog.text} {client!r}"
    assert KEY not in told
    assert KEY[-4:] not in told


def test_an_answer_that_repeats_the_key_is_stored_without_it() -> None:
    with talking(in_turn(completion(f"{json.dumps(ACME)} {KEY}"))) as (_, client):
        assert KEY not in client.ask(question()).raw
