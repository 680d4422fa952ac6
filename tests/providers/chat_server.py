"""A real HTTP server on loopback that speaks the chat completions API, and behaves as a test tells it to."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any

_READ = re.compile(r'read: "([^"]*)"')


@dataclass(frozen=True)
class Ask:
    """One request as the server saw it. ``number`` counts from 0 over all requests."""

    number: int
    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def prompt(self) -> str:
        text: str = self.body["messages"][1]["content"][0]["text"]
        return text

    @property
    def read_text(self) -> str:
        """The text that was read on the candidate asked about."""
        found = _READ.search(self.prompt)
        return found.group(1) if found else ""

    @property
    def images(self) -> list[bytes]:
        parts = self.body["messages"][1]["content"][1:]
        return [base64.b64decode(part["image_url"]["url"].split(",", 1)[1]) for part in parts]

    @property
    def format(self) -> str:
        return str(self.body.get("response_format", {}).get("type", "text"))


@dataclass(frozen=True)
class Reaction:
    """What the server sends back.

    ``hang`` keeps the client waiting; ``hang_up`` closes without a word; ``drip`` sends spaces, one now and then,
    for ever.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    hang_up: bool = False
    drip: bool = False


Behaviour = Callable[[Ask], Reaction]


def completion(content: Any, *, usage: dict[str, int] | None = None, finish: str = "stop") -> Reaction:
    """A chat completion whose message is ``content``."""
    body = {
        "id": "c1",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}],
        "usage": usage if usage is not None else {"prompt_tokens": 400, "completion_tokens": 30, "total_tokens": 430},
    }
    return Reaction(body=json.dumps(body).encode())


def verdict(brand: str = "Acme", *, confidence: float = 0.9, usage: dict[str, int] | None = None) -> Reaction:
    """A well-formed answer; no brand when the name is empty."""
    answer = {"is_brand": bool(brand), "brand": brand, "confidence": confidence, "reason": "lettering"}
    return completion(json.dumps(answer), usage=usage)


def error(status: int, message: str = "", *, code: str = "", headers: dict[str, str] | None = None) -> Reaction:
    """An error in the shape that OpenAI and most servers use."""
    body = json.dumps({"error": {"message": message, "type": "some_error", "code": code}}).encode()
    return Reaction(status=status, body=body, headers=headers or {})


def in_turn(*reactions: Reaction) -> Behaviour:
    """The first reaction to the first request, and so on; the last one to all that follow."""
    return lambda ask: reactions[min(ask.number, len(reactions) - 1)]


class _Http(ThreadingHTTPServer):
    request_queue_size = 64  # with the usual 5, the sixth of those who come together waits a second


class ChatServer:
    """What a test sees of the server: its address, what it was asked, how many requests were open at once."""

    def __init__(self, behave: Behaviour) -> None:
        self.behave = behave
        self.asks: list[Ask] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._http = _Http(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def react(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> Reaction:
        with self._lock:
            ask = Ask(len(self.asks), path, headers, body)
            self.asks.append(ask)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            reaction = self.behave(ask)
            if reaction.hang:
                self._closing.wait(30)
            return reaction
        finally:
            with self._lock:
                self._at_once -= 1

    def drip(self, out: BufferedIOBase) -> None:
        """Send a byte every so often until the client has gone or the server stops."""
        with suppress(OSError):
            while not self._closing.wait(0.02):
                out.write(b" ")
                out.flush()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # headers and body in one piece: in two, each answer takes 40 ms longer

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reaction = server.react(self.path, headers, body)
                if reaction.hang or reaction.hang_up:
                    self.close_connection = True
                    return
                self.send_response(reaction.status)
                for name, value in reaction.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(10_000 if reaction.drip else len(reaction.body)))
                self.end_headers()
                self.wfile.write(reaction.body)
                if reaction.drip:
                    server.drip(self.wfile)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                """Quiet: a test's output is for its failures."""

        return Handler


@contextmanager
def chat_server(behave: Behaviour) -> Iterator[ChatServer]:
    """A running server, stopped at the end."""
    server = ChatServer(behave)
    server.start()
    try:
        yield server
    finally:
        server.stop()
