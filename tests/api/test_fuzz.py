"""Every operation of the OpenAPI document with generated requests: no 5xx, and no answer that is not declared.

`make fuzz` sends many more of them (``MEDIAPROC_FUZZ_EXAMPLES`` to each operation).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
import uvicorn
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.specs.openapi.schemas import OpenApiSchema

from detect.inference.models import Models
from detect.inference.server import create_app
from detect.resources import Resources
from jobs.models import DetectJob
from mediaproc.streaming import PIECE
from tests.api.fuzzing import Site, World, build_world, document, with_values

EXAMPLES = int(os.environ.get("MEDIAPROC_FUZZ_EXAMPLES", "6"))
SEED = int(os.environ.get("MEDIAPROC_FUZZ_SEED", "20261121"))
_REJECTED = ["400", "401", "403", "404", "405", "406", "409", "410", "413", "415"]


@schemathesis.serializer(PIECE)
def send_as_it_is(_context: schemathesis.SerializationContext, value: Any) -> bytes:
    """A piece of an upload is bytes."""
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture(scope="module")
def inference() -> Iterator[str]:
    """The address of an inference server, for the requests that are passed on."""
    config = uvicorn.Config(create_app(Models(Resources(), None)), port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def world(job: DetectJob, tmp_path: Path, settings: Any, inference: str) -> World:
    settings.UPLOADS_FOLDER = tmp_path / "incoming"
    settings.CACHE_FOLDER = tmp_path / "cache"
    settings.ROOTS = [tmp_path / "videos"]
    settings.INFERENCE_URL = inference
    for folder in (settings.UPLOADS_FOLDER, settings.ROOTS[0]):
        folder.mkdir()
    return build_world(job=job, roots=settings.ROOTS[0])


def _every_operation() -> OpenApiSchema:
    config = SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "cache": {"enabled": False},
            "generation": {"max-examples": EXAMPLES, "with-security-parameters": False},
            "checks": {
                # names of stages, options and files are data: a document cannot tell which there are
                "positive_data_acceptance": {"enabled": False},
            },
            "operations": [
                {
                    # another version of the protocol, and none, is answered as tus says
                    "include-tag": "uploads",
                    "checks": {
                        "negative_data_rejection": {"expected-statuses": [*_REJECTED, "412"]},
                        "missing_required_header": {"expected-statuses": [*_REJECTED, "412"]},
                    },
                },
            ],
        }
    )
    schema = schemathesis.openapi.from_dict(with_values(document()), config=config)
    schema.app = Site()
    return schema


api = _every_operation()


@api.hook
def filter_failure(_context: Any, failure: Any, case: schemathesis.Case, _response: Any) -> bool:
    """An empty parameter of a query is as good as none, whatever its format: the document says so in words."""
    empty = any(value in ("", [], {}) for value in (case.query or {}).values())
    return not (isinstance(failure, AcceptedNegativeData) and empty)


@api.parametrize()
@hypothesis.settings(deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
def test_every_answer_is_declared(case: schemathesis.Case, world: World) -> None:
    api.app.ids = world.ids
    with world.undone():
        case.call_and_validate(headers={"X-API-Key": world.key_for(case)})
