"""Places for weights of this test alone, and an HTTP server that sends files, whole or not."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pytest_django import Settings

CONTENT = b"weights" * 40_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def places(tmp_path: Path, settings: Settings) -> Path:
    """A folder for weights, storage, cache and a file of models, all empty; the folder they lie in."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "mediaproc.localfiles.LocalFiles", "OPTIONS": {"location": str(tmp_path / "storage")}},
    }
    settings.CACHE_FOLDER = tmp_path / "cache"
    settings.PITSTOP_YOLO_WEIGHTS_PATH = None
    settings.MODELS_FILE = tmp_path / "models.yaml"
    settings.WEIGHTS_FOLDERS = (tmp_path / "ours" / "model_weights", tmp_path / "data" / "model_weights")
    return tmp_path


@dataclass
class FileServer:
    """Sends ``content`` with ``status``; of a file that is cut off only the first ``sent`` bytes."""

    address: str
    content: bytes = CONTENT
    status: int = 200
    sent: int | None = None
    asked: list[str] = field(default_factory=list)

    def url(self, path: str = "/models/best.onnx") -> str:
        return f"http://{self.address}{path}"


@pytest.fixture
def server() -> Iterator[FileServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            self.send_response(made.status)
            if made.status == 302:
                made.status = 200
                self.send_header("Location", made.url())
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_header("Content-Length", str(len(made.content)))
            self.end_headers()
            self.wfile.write(made.content[: made.sent])

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = FileServer(f"127.0.0.1:{http.server_address[1]}")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    http.shutdown()
    thread.join()
    http.server_close()
