"""What no generator comes upon: bytes that are no text, numbers that are none, headers without end, odd methods."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.test import APIClient

from jobs.api import examples
from jobs.models import DetectJob
from mediaproc.parsers import JsonParser
from mediaproc.roles import Role
from mediaproc.streaming import BodyStream, StreamedRequest
from tests.api.fuzzing import QUICK_STAGES, World, build_world, document

DOCUMENT = document()
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]
WITH_BODY = [(path, method) for path, method in OPERATIONS if "requestBody" in DOCUMENT["paths"][path][method]]

DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
BODIES = {
    "nothing": b"",
    "null": b"null",
    "list": b"[]",
    "text": b'"text"',
    "cut off": b'{"job_id": ',
    "no UTF-8": b'{"job_id": "\xff\xfe"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "deep": DEEP,
    "deep lists": b"[" * 100_000,
    "a number without end": b'{"priority": ' + b"9" * 5000 + b"}",
    "half a pair as a name": b'{"\\ud800": 1}',
}
#: Raw JSON in place of a field's value.
VALUES = {
    "half a pair": rb'"\ud800"',
    "NUL": rb'"\u0000"',
    "NaN": b"NaN",
    "infinity": b"-Infinity",
    "out of every range": b"1e999",
    "huge": b"9" * 400,
    "negative": b"-1",
    "a fraction": b"0.5",
    "long": b'"' + b"x" * 10_000 + b'"',
    "blank": b'" "',
    "odd keys": rb'{"\ud800": {"\u0000": NaN}}',
    "nested": b'{"match_brands": {"min_similarity": [[{}]], "\\ud800": 1}}',
    "a list of lists": b"[[], {}, null, true]",
}
WORDS = ["%00", "%FF", "%ED%A0%80", "9" * 40, "-1", "nan", "1e5", "%C2%85", "%D9%A3", "x" * 5000, "a&{}=b"]


@pytest.fixture
def world(job: DetectJob, tmp_path: Path, settings: Any) -> World:
    settings.UPLOADS_FOLDER, settings.CACHE_FOLDER = tmp_path / "incoming", tmp_path / "cache"
    settings.ROOTS = [tmp_path / "videos"]
    settings.INFERENCE_URL = "http://127.0.0.1:1"
    for folder in (settings.UPLOADS_FOLDER, settings.ROOTS[0]):
        folder.mkdir()
    return build_world(job=job, roots=settings.ROOTS[0])


class Asker:
    """Sends what it is told to one operation, and looks at the answer."""

    def __init__(self, world: World, path: str, method: str) -> None:
        self.world, self.method = world, method
        self.operation = DOCUMENT["paths"][path][method]
        filled = path
        for name, value in examples.PARAMETERS.items():
            filled = filled.replace(f"{{{name}}}", str(value))
        self.address = self.real(filled)
        self._client = APIClient(raise_request_exception=False)

    def real(self, text: str) -> str:
        for one, other in self.world.ids.items():
            text = text.replace(one, other)
        return text

    def headers(self) -> dict[str, str]:
        needed = {"Tus-Resumable": "1.0.0"} if "uploads" in self.operation["tags"] else {}
        return {"X-API-Key": self.world.keys[Role.OPERATOR], **needed}

    def ask(self, query: str = "", body: bytes = b"", method: str = "", **headers: str) -> Any:
        kind = headers.pop("content_type", "application/json")
        send: Any = self._client.generic
        with self.world.undone():
            return send(
                method or self.method.upper(),
                f"{self.address}?{query}" if query else self.address,
                body,
                content_type=kind,
                headers={**self.headers(), **headers},
            )

    def problem(self, answer: Any) -> str | None:
        """What is wrong with an answer to a request that may be refused."""
        declared = self.operation["responses"]
        if str(answer.status_code) not in declared:
            return f"{answer.status_code} is not declared: {answer.content[:300]!r}"
        if answer.status_code == 502 and "inference" in self.operation["tags"]:
            return None
        if answer.status_code >= 500:
            return f"{answer.status_code}: {answer.content[:300]!r}"
        if answer.status_code >= 400 and not {"detail", "code"} <= json.loads(answer.content).keys():
            return f"no error as errors are: {answer.content[:300]!r}"
        return None


def _name(operation: tuple[str, str]) -> str:
    path, method = operation
    return f"{method.upper()} {path}"


@pytest.fixture(params=OPERATIONS, ids=_name)
def asker(request: Any, world: World) -> Asker:
    return Asker(world, *request.param)


def _hostile_bodies(asker: Asker) -> Iterator[tuple[str, bytes]]:
    """Whole bodies, then each field of a good one made bad."""
    yield from BODIES.items()
    media = asker.operation["requestBody"]["content"].get("application/json")
    if media is None:
        return
    schema = DOCUMENT["components"]["schemas"][media["schema"]["$ref"].rpartition("/")[2]]
    good = next(iter(media["examples"].values()))["value"]
    if "start_stage" in good:
        good = {**good, "start_stage": QUICK_STAGES[-1]}
    for name in schema["properties"]:
        marked = asker.real(json.dumps({**good, name: "HERE"})).encode()
        for title, value in VALUES.items():
            yield f"{name}: {title}", marked.replace(b'"HERE"', value)


@pytest.mark.parametrize("asker", WITH_BODY, ids=_name, indirect=True)
def test_bodies(asker: Asker) -> None:
    problems = {title: asker.problem(asker.ask(body=body)) for title, body in _hostile_bodies(asker)}
    assert {title: problem for title, problem in problems.items() if problem} == {}


def test_words_in_the_address(asker: Asker) -> None:
    names = [one["name"] for one in asker.operation.get("parameters", ()) if one["in"] == "query"] or ["unknown"]
    queries = [f"{name}={word.format(name)}" for name in names for word in WORDS]
    queries += [f"{name}=1&{name}=2&{name}[]=3" for name in names]
    problems = {query: asker.problem(asker.ask(query)) for query in queries}
    assert {query: problem for query, problem in problems.items() if problem} == {}


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "image/png"},
        {"Accept": "application/json;q=x, */*;q=9999999999"},
        {"Accept": "\x80\xff"},
        {"Idempotency-Key": "k" * 10_000},
        {"Idempotency-Key": "\xff\x80 \t"},
        {"Last-Event-ID": "9" * 50},
        {"Last-Event-ID": "-1"},
        {"Upload-Length": "9" * 30},
        {"Upload-Offset": "٣"},
        {"Range": "bytes=-9999999999999999999999"},
        {"content_type": "application/json; charset=no-such"},
        {"content_type": "application/json; charset=utf-16"},
        {"content_type": ";;;="},
        {"content_type": "\xff/\xfe"},
        {"content_type": "multipart/form-data"},
        {"content_type": "multipart/form-data; boundary=" + "b" * 500},
        {"content_type": "application/x-www-form-urlencoded"},
        {"Content-Encoding": "gzip"},
        {"X-HTTP-Method-Override": "CONNECT"},
    ],
    ids=lambda headers: " ".join(f"{name}: {value[:30]!a}" for name, value in headers.items()),
)
def test_headers(world: World, headers: dict[str, str]) -> None:
    problems = {}
    for path, method in OPERATIONS:
        asker = Asker(world, path, method)
        problems[_name((path, method))] = asker.problem(
            asker.ask(body=b"{}" if method in ("post", "patch") else b"", **headers)
        )
    assert {name: problem for name, problem in problems.items() if problem} == {}


def test_another_host(world: World) -> None:
    answer = APIClient().get("/detect/jobs", headers={"Host": "elsewhere.example"})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_methods_that_are_not_there(world: World) -> None:
    for path, methods in DOCUMENT["paths"].items():
        asker = Asker(world, path, next(iter(methods)))
        answer = asker.ask(method="OPTIONS")
        assert answer.status_code in (200, 204), path
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"} - set(map(str.upper, methods)):
            answer = asker.ask(method=method)
            assert answer.status_code == 405, (method, path)
            assert set(map(str.upper, methods)) <= set(answer["Allow"].split(", ")), (method, path)
            assert answer.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("key", ["", "x", "\xff", "a" * 10_000, "pre.\x00", "🗝".encode().decode("latin-1"), "%s%n.x"])
def test_keys_that_are_none(world: World, key: str) -> None:
    for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}):
        answer = APIClient(raise_request_exception=False).get("/detect/jobs", headers=headers)
        assert answer.status_code == 401, headers
        assert answer.json()["code"] in ("authentication_failed", "not_authenticated")


@pytest.mark.parametrize("path", ["/detect/jobs/%00", "/detect/jobs/%ff%fe", "/detect/%ED%A0%80", "/" + "x" * 5000])
def test_addresses_that_are_not_there(world: World, path: str) -> None:
    headers = {"X-API-Key": world.keys[Role.OPERATOR]}
    answer = APIClient(raise_request_exception=False).get(path, headers=headers)
    assert answer.status_code == 404


async def test_a_body_of_unknown_length_is_read() -> None:
    pieces = iter([b'{"job_', b'id": "x"}'])

    async def receive() -> dict[str, Any]:
        piece = next(pieces, None)
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    headers = [(b"transfer-encoding", b"chunked"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/detect/replay", "query_string": b"", "headers": headers}
    body = BodyStream(receive, asyncio.get_running_loop())
    request = Request(StreamedRequest({**scope, "mediaproc.body": body}, None), parsers=[JsonParser()])
    assert await asyncio.to_thread(lambda: request.data) == {"job_id": "x"}
