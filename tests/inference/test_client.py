"""The client and stages that use it, against a real server process and against servers that misbehave."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import av
import msgspec
import numpy as np
import pytest

from detect.errors import InferenceError, StorageError
from detect.inference.client import InferenceClient
from detect.inference.models import Models
from detect.inference.wire import Health
from detect.resources import Resources
from detect.stages.detect_objects import DetectObjects, DetectObjectsInput, DetectObjectsOptions
from mediaproc.datafolder import PROJECT_ROOT
from tests.inference.fake_server import FakeServer, Reply
from tests.stages.pictures import context, kept

STAGE = DetectObjects()


@contextmanager
def server(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``python -m detect.inference`` on a port of the system's choice, and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "detect.inference", "--port", "0", *arguments],
        cwd=PROJECT_ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().split()[-1]
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def address(weights) -> Iterator[str]:
    with server("--weights", str(weights), INFERENCE_KEY="secret") as (_, url):
        yield url


@pytest.fixture
def client(address: str) -> Iterator[InferenceClient]:
    made = InferenceClient(address, key="secret", retries=5)
    yield made
    made.close()


def test_a_stage_finds_the_same_there_as_here(client, weights, picture) -> None:
    here, there = Resources(object_weights=weights), Resources(inference=client)
    options = DetectObjectsOptions()
    assert STAGE.model_digests(options, there) == STAGE.model_digests(options, here) != ()
    pictures = {0: picture, 3: np.ascontiguousarray(picture[::-1]), 7: picture[:97, :203].copy()}
    local, remote = (
        STAGE.run(context(options, pictures, resources), DetectObjectsInput(kept(0, 3, 7)))
        for resources in (here, there)
    )
    assert remote == local
    assert sum(map(len, local.regions.values())) == 6


def test_real_weights_find_the_same_there_as_here(real_media) -> None:
    weights = real_media / "weights" / "yolox_nano_coco_416_fp32.onnx"
    picture = _first_frame(real_media / "person_intel_one_by_one.mp4")
    with server("--weights", str(weights)) as (_, url):
        there = Resources(inference=InferenceClient(url, retries=5)).object_model()
        here = Resources(object_weights=weights).object_model()
        assert there is not None and here is not None and there.digest == here.digest
        found = [model.open().detect(picture, confidence=0.05, iou=0.6) for model in (here, there)]
    assert found[0] == found[1] and len(found[0]) > 0


def test_wrong_key(address: str, picture) -> None:
    model = InferenceClient(address, key="other", retries=5).object_model()
    assert model is not None
    with pytest.raises(InferenceError, match=r"answered /detect_objects with 401 .*INFERENCE_KEY"):
        model.open().detect(picture, confidence=0.5, iou=0.5)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_in_order(weights, how) -> None:
    with server("--weights", str(weights)) as (process, url):
        assert InferenceClient(url, retries=5).object_model() is not None
        process.send_signal(how)
        assert process.communicate(timeout=30) == ("", "")


def test_taken_port_and_missing_weights_are_said(tmp_path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for arguments, said in (
            (["--port", port], f"Error: cannot listen on 127.0.0.1:{port} "),
            (["--weights", str(tmp_path / "none.onnx")], "Error: object weights '"),
            (["--threads", "0"], "usage: "),
        ):
            command = [sys.executable, "-m", "detect.inference", "--port", "0", *arguments]
            ended = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False, timeout=60)
            assert ended.returncode in (1, 2) and ended.stderr.startswith(said)


def test_server_that_is_down_is_worth_another_try() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    resources = Resources(inference=InferenceClient(url, retries=0))
    with pytest.raises(InferenceError, match=f"the inference server {url} cannot be reached: ") as caught:
        STAGE.model_digests(DetectObjectsOptions(), resources)
    assert isinstance(caught.value, StorageError)


def test_server_that_is_too_slow() -> None:
    never = threading.Event()
    with FakeServer(Reply(delay=never)).running() as fake:
        with pytest.raises(InferenceError, match="cannot be reached: timed out"):
            InferenceClient(fake.url, timeout=0.2).health()
        never.set()


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(500, b"oh"), "answered /healthz with 500 oh"),
        (Reply(302, b"", {"Location": "http://127.0.0.1:1/"}), "answered /healthz with 302"),
        (Reply(200, b"<html>"), "/healthz is no inference server of this kind"),
        (Reply(200, b'{"status": "ok"}'), "/healthz is no inference server of this kind"),
    ],
)
def test_server_that_is_none(reply: Reply, said: str) -> None:
    with FakeServer(reply).running() as fake, pytest.raises(InferenceError, match=said):
        InferenceClient(fake.url).health()
    assert len(fake.asked) == 1


def test_full_queue_is_waited_for_up_to_a_point(models: Models) -> None:
    busy = Reply(503, b"{}", {"Retry-After": "0"})
    with FakeServer(busy, busy, Reply(body=_health(models))).running() as fake:
        assert InferenceClient(fake.url).health().status == "ok"
    assert len(fake.asked) == 3
    with FakeServer(busy).running() as fake, pytest.raises(InferenceError, match="with 503"):
        InferenceClient(fake.url, patience=0.2).health()


def test_server_of_another_version_is_not_used(models: Models) -> None:
    reply = Reply(body=_health(models, stages={"detect_objects": 99}))
    said = r"has detect_objects 99, not \d+: update it"
    with FakeServer(reply).running() as fake, pytest.raises(InferenceError, match=said):
        InferenceClient(fake.url).object_model()


def test_weights_that_change_while_a_stage_runs(models: Models, picture) -> None:
    other = Reply(body=b'{"regions": [], "model": "another"}')
    with FakeServer(Reply(body=_health(models)), other).running() as fake:
        model = InferenceClient(fake.url).object_model()
        assert model is not None
        with pytest.raises(InferenceError, match="has other object weights than a moment ago"):
            model.open().detect(picture, confidence=0.5, iou=0.5)


def test_server_without_weights_skips_the_stage(models: Models, picture) -> None:
    with FakeServer(Reply(body=_health(Models(models.resources, None)))).running() as fake:
        resources = Resources(inference=InferenceClient(fake.url))
        assert STAGE.model_digests(DetectObjectsOptions(), resources) == ()
        ctx = context(DetectObjectsOptions(), {0: picture}, resources)
        output = STAGE.run(ctx, DetectObjectsInput(kept(0)))
    assert output.skipped == f"the inference server {fake.url} has no object weights: start it with --weights"
    assert len(fake.asked) == 1, "its health is good for some seconds"


def _health(models: Models, **changes) -> bytes:
    known = Health("ok", "cpu", models.loaded(), {"detect_objects": STAGE.version}, 0, 0)
    return msgspec.json.encode(msgspec.structs.replace(known, **changes))


def _first_frame(path) -> np.ndarray:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time > 3:
                return frame.to_ndarray(format="bgr24")
    raise AssertionError(f"{path} is too short")
