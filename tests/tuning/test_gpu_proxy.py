"""Requests passed on to the inference server, against a server that answers as it is told."""

from __future__ import annotations

import socket
import threading

import pytest

from tests.inference.fake_server import FakeServer, Reply

pytestmark = pytest.mark.django_db

PATHS = ("/detect/gpu/detect_edges", "/detect/gpu/detect_edges/debug")
BODY = b'{"image":  "\xe2\x98\x83 not read",\n "config": {}}'


@pytest.fixture
def ask(operator, settings):
    def post(fake: FakeServer | None, path: str = PATHS[0], body: bytes = BODY, **extra):
        if fake is not None:
            settings.INFERENCE_URL = fake.url
        return operator.post(path, body, **{"content_type": "application/json", **extra})

    return post


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b'{"regions":[ ]}\n'),
        Reply(400, b'{"detail":"no","code":"invalid"}'),
        Reply(503, b"later", {"Content-Type": "text/plain; charset=latin-1"}),
        Reply(418, b"\x00\xff", {"Content-Type": "application/octet-stream"}),
        Reply(500, b"", {"Content-Type": "application/json"}),
    ],
    ids=lambda value: str(getattr(value, "status", value)),
)
def test_answer_and_status_come_back_unchanged(ask, path, reply) -> None:
    with FakeServer(reply).running() as fake:
        answer = ask(fake, path)
    assert (answer.status_code, answer.content) == (reply.status, reply.body)
    assert answer["Content-Type"] == reply.headers["Content-Type"]
    (asked,) = fake.asked
    assert (asked.method, asked.path, asked.body) == ("POST", path.removeprefix("/detect/gpu"), BODY)
    assert asked.headers["content-type"] == "application/json"


def test_answer_without_a_type_gets_none(ask) -> None:
    with FakeServer(Reply(200, b"<script>", {})).running() as fake:
        answer = ask(fake)
    assert not answer.has_header("Content-Type")
    assert answer["X-Content-Type-Options"] == "nosniff" and answer["Content-Security-Policy"] == "sandbox"


def test_nothing_of_the_callers_goes_with_it(ask, settings) -> None:
    settings.INFERENCE_KEY = "between servers"
    with FakeServer().running() as fake:
        ask(fake, headers={"Cookie": "sessionid=1", "X-Other": "2", "X-Forwarded-For": "3"}, query_params={"url": "4"})
    (asked,) = fake.asked
    assert asked.headers["authorization"] == "Bearer between servers"
    assert not {"cookie", "x-other", "x-forwarded-for", "x-api-key"} & set(asked.headers)
    assert asked.path == "/detect_edges"


def test_without_a_key_of_its_own_no_key_is_sent(ask) -> None:
    with FakeServer().running() as fake:
        ask(fake)
    assert "authorization" not in fake.asked[0].headers


def test_redirects_are_not_followed(ask) -> None:
    with FakeServer().running() as other:
        away = Reply(307, b"there", {"Location": other.url, "Content-Type": "text/plain"})
        with FakeServer(away).running() as fake:
            answer = ask(fake)
    assert (answer.status_code, answer.content) == (307, b"there")
    assert other.asked == [] and not answer.has_header("Location")


def test_proxies_of_the_environment_are_not_used(ask, monkeypatch) -> None:
    with FakeServer().running() as proxy, FakeServer().running() as fake:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        assert ask(fake).status_code == 200
    assert proxy.asked == [] and len(fake.asked) == 1


@pytest.mark.parametrize("path", PATHS)
def test_server_that_is_not_there(ask, settings, path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.INFERENCE_URL = f"http://127.0.0.1:{unused.getsockname()[1]}"
    answer = ask(None, path)
    assert (answer.status_code, answer.json()["code"]) == (502, "gpu_unreachable")
    assert answer.json()["detail"].startswith("GPU server unreachable: ")


def test_server_that_does_not_answer_in_time(ask, settings) -> None:
    assert settings.INFERENCE_TIMEOUT == 30
    settings.INFERENCE_TIMEOUT = 0.2
    never = threading.Event()
    with FakeServer(Reply(delay=never)).running() as fake:
        answer = ask(fake)
        never.set()
    assert answer.status_code == 502
    assert answer.json()["detail"] == "GPU server unreachable: no answer within 0.2 s"


def test_server_that_drips(ask, settings) -> None:
    """Each byte comes in time, the answer does not."""
    settings.INFERENCE_TIMEOUT = 0.3
    over = threading.Event()

    def drip() -> None:
        with listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            while not over.wait(0.02):
                try:
                    connection.sendall(b".")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        settings.INFERENCE_URL = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert ask(None).status_code == 502
        over.set()
        thread.join()


@pytest.mark.parametrize("answer", [b"no HTTP at all\r\n\r\n", b""])
def test_server_that_speaks_something_else(ask, settings, answer: bytes) -> None:
    def speak() -> None:
        with listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        settings.INFERENCE_URL = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert ask(None).json()["code"] == "gpu_unreachable"
        thread.join()


def test_body_that_is_too_large(ask, settings) -> None:
    settings.INFERENCE_MAX_BODY = 1000
    with FakeServer().running() as fake:
        assert ask(fake, body=bytes(1000)).status_code == 200
        answer = ask(fake, body=bytes(1001))
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        # a length that says less than there is: what was announced is read and no more
        ask(fake, body=bytes(5000), headers={"Content-Length": "7"})
    assert [len(asked.body) for asked in fake.asked] == [1000, 7]


def test_body_beyond_what_other_requests_may_have(ask, settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    with FakeServer().running() as fake:
        assert ask(fake, body=bytes(100_000)).status_code == 200
    assert len(fake.asked[0].body) == 100_000


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
def test_forms_are_refused(ask, kind: str) -> None:
    with FakeServer().running() as fake:
        assert ask(fake, body=b"a=1", content_type=kind).status_code == 415
    assert fake.asked == []


def test_it_needs_a_key(client) -> None:
    for path in PATHS:
        assert client.post(path, BODY, content_type="application/json").status_code == 401
