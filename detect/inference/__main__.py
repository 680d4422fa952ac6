"""``python -m detect.inference``: the inference server, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from ipaddress import ip_address
from pathlib import Path

import uvicorn

import detect
from detect.errors import MediaprocError
from detect.inference.models import Models
from detect.inference.server import Limits, create_app

_EPILOG = """
settings, each overruled by its option
  INFERENCE_HOST       127.0.0.1             --host
  INFERENCE_PORT       8000                  --port
  INFERENCE_WEIGHTS    see below             --weights
  MEDIAPROC_THREADS    2                     --threads
  INFERENCE_KEY        none                  clients then send 'Authorization: Bearer KEY'; set it on a network

examples
  python -m detect.inference                                     on this machine alone
  python -m detect.inference --weights yolo.onnx --port 0        another detector, on a port of the system's choice
  INFERENCE_KEY=… python -m detect.inference --host 0.0.0.0      for workers on other hosts

Without --weights the detector is the one analyze takes: MEDIAPROC_OBJECT_WEIGHTS, or the first file in model_weights/
of the project or of the data folder. Where there is none, objects are refused and the rest is served.

Workers use it when INFERENCE_URL is set for them; the site's /detect/gpu passes requests on to it.
docs/inference.md has its requests and answers.
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m detect.inference",
        description="Serve the detection models over HTTP: POST /detect_edges, /detect_objects, /ocr; GET /healthz.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    weights = _setting("INFERENCE_WEIGHTS", _setting("MEDIAPROC_OBJECT_WEIGHTS", ""))
    made.add_argument("--host", default=_setting("INFERENCE_HOST", "127.0.0.1"), help="the address to listen on")
    made.add_argument("--port", type=int, default=_setting("INFERENCE_PORT", "8000"), help="0 lets the system choose")
    made.add_argument("--weights", type=Path, default=weights or None, metavar="FILE", help="detector, .onnx or .pt")
    made.add_argument(
        "--threads", type=int, default=_setting("MEDIAPROC_THREADS", "2"), help="processor threads a model may use"
    )
    made.add_argument("--at-once", type=int, default=2, metavar="N", help="requests worked on at once (default 2)")
    made.add_argument("--waiting", type=int, default=32, metavar="N", help="requests that may wait (default 32)")
    made.add_argument("--max-mb", type=int, default=32, metavar="MB", help="largest request (default 32)")
    return made


def main(arguments: list[str] | None = None) -> int:
    """Load the models, say where they are served, serve; returns the exit code."""
    command_line = parser()
    given = command_line.parse_args(arguments)
    for name, least in (("port", 0), ("threads", 1), ("at_once", 1), ("waiting", 0), ("max_mb", 1)):
        if getattr(given, name) < least:
            command_line.error(f"--{name.replace('_', '-')}: give {least} or more")
    key = _setting("INFERENCE_KEY", "")
    limits = Limits(body_bytes=given.max_mb << 20, at_once=given.at_once, most_waiting=given.waiting)
    try:
        with _listen(given.host, given.port) as listener:
            models = Models.load(weights=given.weights, folders=_weights_folders(), threads=given.threads)
            app = create_app(models, key=key, limits=limits)
            host, port = listener.getsockname()[:2]
            sys.stdout.write(f"Inference server: http://{f'[{host}]' if ':' in host else host}:{port}\n")
            sys.stdout.flush()
            if not key and not _is_loopback(given.host):
                sys.stderr.write("Anyone who reaches this address may use it: set INFERENCE_KEY.\n")
            config = uvicorn.Config(app, log_level="warning", server_header=False, timeout_graceful_shutdown=10)
            uvicorn.Server(config).run(sockets=[listener])
    except MediaprocError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    except KeyboardInterrupt:
        pass  # uvicorn has shut down in order by the time it raises this
    return 0


def _setting(name: str, default: str) -> str:
    return os.environ.get(name, "").strip() or default


def _weights_folders() -> tuple[Path, Path]:
    project = Path(detect.__file__).resolve().parent.parent
    return project / "model_weights", Path(_setting("MEDIAPROC_DATA", str(project / "data"))) / "model_weights"


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise MediaprocError(
            f"cannot listen on {host}:{port} ({error}): choose another with --port or --host"
        ) from error
    return listener


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    sys.exit(main())
