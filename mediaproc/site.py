"""Running the site in this process, until Ctrl-C."""

from __future__ import annotations

import argparse
import socket
import sys

import uvicorn

from detect.errors import MediaprocError

DEFAULT_PORT = 8000
_TRIES = 100
_BACKLOG = 1024


class AddressError(MediaprocError):
    """The site cannot listen where it was told to."""


def listen(host: str, port: int | None) -> socket.socket:
    """A socket that listens on ``port``, where 0 lets the system choose; with None 8000, or the next that is free.

    From here on the port is ours, and who asks before the site is up is kept waiting, not sent away.
    Raises AddressError when it is taken.
    """
    wanted = range(DEFAULT_PORT, DEFAULT_PORT + _TRIES) if port is None else (port,)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in wanted:
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            reason = error.strerror or str(error)
        else:
            return listener
    where = f"{host}:{wanted[0]}" if len(wanted) == 1 else f"{host}, ports {wanted[0]} to {wanted[-1]}"
    raise AddressError(f"cannot listen on {where} ({reason}): choose another with --port or --host")


def address_of(listener: socket.socket) -> str:
    """What to type into a browser."""
    host, port = listener.getsockname()[:2]
    shown = "localhost" if host in {"127.0.0.1", "::1", "0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
    return f"http://{shown}:{port}/"


def serve(listener: socket.socket) -> None:
    """Serve until Ctrl-C or SIGTERM; requests under way are finished first."""
    config = uvicorn.Config(
        "mediaproc.asgi:application",
        lifespan="on",
        log_config=None,  # Django's logging is set up already
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    try:
        uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        pass  # uvicorn has shut down in order by the time it raises this


def main() -> int:
    """`python -m mediaproc.site FD`: the site on a socket that the parent process made and keeps."""
    parser = argparse.ArgumentParser(prog="python -m mediaproc.site")
    parser.add_argument("fd", type=int, help="number of the inherited socket")
    serve(socket.socket(fileno=parser.parse_args().fd))
    return 0


if __name__ == "__main__":
    sys.exit(main())
