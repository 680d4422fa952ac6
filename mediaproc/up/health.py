"""Whether the site answers: asked without waiting by `manage.py up`, and once by a container's health check.

python -m mediaproc.up.health [--host 127.0.0.1] [--port 8000]
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import socket
import sys
import time

_PATH = "/healthz"
_PATIENCE = 10.0
_PAUSE = 1.0  # from one question to the next


def host_header() -> str:
    """A host name that the site answers to, whatever MEDIAPROC_HOSTS says."""
    from django.conf import settings

    first = next(iter(settings.ALLOWED_HOSTS), "*").lstrip(".")
    return "localhost" if first == "*" else first


def reachable(host: str) -> str:
    """Where to ask a server that listens on ``host``: every address includes this machine's own."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


class HealthProbe:
    """Asks `GET /healthz` until the answer is 200, never waiting for anything."""

    def __init__(self, host: str, port: int, header: str) -> None:
        self._address = (reachable(host), port)
        self._request = f"GET {_PATH} HTTP/1.0\r\nHost: {header}\r\n\r\n".encode()
        self._socket: socket.socket | None = None
        self._asked = float("-inf")
        self._answer = self._request_left = b""

    def poll(self) -> bool:
        """Whether the site has answered 200 by now; to be called every now and then until it has."""
        waited = time.monotonic() - self._asked
        if waited > (_PAUSE if self._socket is None else _PATIENCE):
            self._ask()
        if self._socket is None:
            return False
        try:
            if self._request_left:
                self._request_left = self._request_left[self._socket.send(self._request_left) :]
            piece = self._socket.recv(4096)
        except BlockingIOError:
            return False
        except OSError:
            self.close()
            return False
        self._answer += piece
        if piece and b"\n" not in self._answer:
            return False
        self.close()
        return self._answer.split(b" ")[1:2] == [b"200"]

    def close(self) -> None:
        """Forget the question that is under way."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _ask(self) -> None:
        self.close()
        self._socket = socket.socket(socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET)
        self._socket.setblocking(False)  # noqa: FBT003 - the only form it has
        self._asked, self._answer, self._request_left = time.monotonic(), b"", self._request
        self._socket.connect_ex(self._address)


def ask(host: str, port: int, header: str) -> tuple[int, str]:
    """Status and body of `GET /healthz`. Raises OSError or HTTPException when nothing answers within 10 s."""
    with contextlib.closing(http.client.HTTPConnection(reachable(host), port, timeout=_PATIENCE)) as connection:
        connection.request("GET", _PATH, headers={"Host": header})
        answer = connection.getresponse()
        return answer.status, answer.read(4096).decode(errors="replace")


def arguments() -> argparse.ArgumentParser:
    """What this module takes on the command line."""
    parser = argparse.ArgumentParser(prog="python -m mediaproc.up.health", description="Ask the site how it is.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    return parser


def main() -> int:
    options = arguments().parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
    try:
        status, body = ask(options.host, options.port, host_header())
    except (OSError, http.client.HTTPException) as error:
        status, body = 0, f"the site does not answer: {error}"
    sys.stdout.write(body + "\n")
    return 0 if status == http.HTTPStatus.OK else 1


if __name__ == "__main__":
    sys.exit(main())
