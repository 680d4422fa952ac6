"""The inference server, asked as clients ask it but without a socket."""

from __future__ import annotations

import asyncio
import base64
import struct
import threading
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from detect.engines.boards import find_boards
from detect.inference.models import Models
from detect.inference.server import Limits, create_app
from detect.inference.wire import Answer, LoadedModels, OcrInfo, WireRegion


def http(models, **options) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(models, **options))
    return httpx.AsyncClient(transport=transport, base_url="http://inference")


@pytest.fixture
def ask(models, as_text, picture):
    async def post(path: str, **fields) -> httpx.Response:
        async with http(models) as client:
            return await client.post(path, json={"image": as_text(picture), **fields})

    return post


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
async def test_boards_are_those_found_here(ask, as_text, picture, suffix) -> None:
    seen = cv2.imdecode(np.frombuffer(base64.b64decode(as_text(picture, suffix)), np.uint8), cv2.IMREAD_COLOR)
    assert seen is not None
    expected = find_boards(seen).regions
    answer = await ask("/detect_edges", image=as_text(picture, suffix))
    assert answer.status_code == 200
    regions = answer.json()["regions"]
    assert len(expected) > 0
    assert [WireRegion(**region).region() for region in _tuples(regions)] == expected
    x, y, w, h = expected[0].box.to_xywh()
    assert {name: regions[0][name] for name in ("x", "y", "w", "h", "confidence", "label")} == {
        "x": x, "y": y, "w": w, "h": h, "confidence": expected[0].confidence, "label": "board"
    }  # fmt: skip


async def test_options_are_the_stages(ask) -> None:
    assert (await ask("/detect_edges", config={"min_confidence": 1})).json() == {"regions": []}


async def test_debug_form_adds_overlays_of_the_pictures_size(ask, picture) -> None:
    body = (await ask("/detect_edges/debug")).json()
    assert list(body) == ["regions", "edge_overlay_b64", "lines_overlay_b64", "horizontal_count", "pair_count"]
    findings = find_boards(picture)
    assert (body["horizontal_count"], body["pair_count"]) == (len(findings.lines), findings.pairs)
    assert body["regions"] == (await ask("/detect_edges")).json()["regions"]
    for name in ("edge_overlay_b64", "lines_overlay_b64"):
        overlay = cv2.imdecode(np.frombuffer(base64.b64decode(body[name]), np.uint8), cv2.IMREAD_COLOR)
        assert overlay is not None and overlay.shape == picture.shape


async def test_objects(ask, models) -> None:
    body = (await ask("/detect_objects")).json()
    assert [region["label"] for region in body["regions"]] == ["person", "dog"]
    assert body["model"] == models.objects[0].digest
    only = await ask("/detect_objects", config={"classes": ["dog"], "confidence": 0.5})
    assert [region["label"] for region in only.json()["regions"]] == ["dog"]


async def test_lines_of_text(ask) -> None:
    regions = (await ask("/ocr")).json()["regions"]
    assert {region["text"] for region in regions} == {"VELMORA", "TAKVIA"}
    assert all(region["label"] == region["text"] and region["w"] > region["h"] > 8 for region in regions)
    assert (await ask("/ocr", config={"min_letters": 7})).json()["regions"] == [
        region for region in regions if region["text"] == "VELMORA"
    ]


async def test_health_names_models_and_device(models) -> None:
    async with http(models, key="secret") as client:
        answer = await client.get("/healthz")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"], body["device"], body["busy"], body["waiting"]) == ("ok", "cpu", 0, 0)
    assert body["models"]["detect_objects"]["name"] == "tiny.onnx"
    assert body["models"]["detect_objects"]["classes"] == ["person", "dog"]
    assert len(body["models"]["ocr"]["digest"]) == 64
    assert set(body["stages"]) == {"detect_edges", "detect_objects", "run_ocr"}


@pytest.mark.parametrize(
    ("fields", "status", "code", "said"),
    [
        ({"config": {"gap": 1}}, 400, "invalid", "unknown option 'detect_edges.gap': allowed are line_sensitivity"),
        ({"config": {"max_regions": 0}}, 400, "invalid", "detect_edges.max_regions = 0: Expected `int` >= 1. Allowed"),
        ({"config": [1]}, 400, "invalid", 'The request must be {"image": base64 of a JPEG or PNG'),
        ({"image": 3}, 400, "invalid", "The request must be"),
        ({"image": "§"}, 400, "bad_image", "image is not base64"),
        ({"image": "YWJ"}, 400, "bad_image", "image is not base64"),
        ({"image": ""}, 400, "bad_image", "image is empty"),
        ({"image": base64.b64encode(b"no picture").decode()}, 400, "bad_image", "image is neither a JPEG nor a PNG"),
        ({"image": "R0lGODlhAQABAAAAACwAAAAAAQABAAA="}, 400, "bad_image", "image is neither a JPEG nor a PNG"),
    ],
)
async def test_what_cannot_be_used_is_said(ask, fields, status, code, said) -> None:
    answer = await ask("/detect_edges", **fields)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["detail"].startswith(said)


async def test_broken_and_oversized_pictures(ask, as_text) -> None:
    cut = base64.b64encode(base64.b64decode(as_text(np.zeros((64, 64, 3), np.uint8)))[:60]).decode()
    cases = [(cut, 400), (_claimed_png(60_000, 60_000), 413), (_claimed_png(8_000, 8_000), 413)]
    cases += [(as_text(np.zeros((15, 64, 3), np.uint8)), 400), (_claimed_png(20_000, 20), 413)]
    for image, status in cases:
        answer = await ask("/detect_edges", image=image)
        assert (answer.status_code, "image" in answer.json()["detail"]) == (status, True)


async def test_bodies_that_are_no_request(models) -> None:
    async with http(models) as client:
        for body in (
            b"",
            b"[]",
            b"{",
            b"\xff",
            b'{"config":{}}',
            b"[" * 100_000,
            b'{"image":"","config":' + b"[" * 9999,
        ):
            answer = await client.post("/detect_edges", content=body)
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


async def test_body_that_is_too_large(models) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield bytes(100)

    async with http(models, limits=Limits(body_bytes=1000)) as client:
        for content in (bytes(1001), pieces()):
            answer = await client.post("/detect_edges", content=content)
            assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert (await client.post("/detect_edges", content=bytes(1000))).status_code == 400


async def test_unknown_paths_and_methods(models) -> None:
    async with http(models) as client:
        assert (await client.get("/nothing")).json()["code"] == "not_found"
        answer = await client.get("/detect_edges")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


async def test_without_weights_objects_are_refused(models, as_text, picture) -> None:
    without = Models(models.resources, None)
    async with http(without) as client:
        answer = await client.post("/detect_objects", json={"image": as_text(picture)})
        assert (answer.status_code, answer.json()["code"]) == (409, "no_weights")
        assert (await client.get("/healthz")).json()["models"]["detect_objects"] is None


async def test_class_that_the_weights_do_not_know(ask) -> None:
    answer = await ask("/detect_objects", config={"classes": ["cat"]})
    assert answer.status_code == 400
    assert answer.json()["detail"] == "detect_objects.classes: 'tiny.onnx' knows no 'cat'; it knows person, dog"


@pytest.mark.parametrize("given", [None, "Bearer wrong", "Basic secret", "secret", "Bearer "])
async def test_key_is_asked_for(models, as_text, picture, given) -> None:
    headers = {} if given is None else {"Authorization": given}
    async with http(models, key="secret") as client:
        refused = await client.post("/detect_edges", json={"image": as_text(picture)}, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated")
        let_in = {"Authorization": "Bearer secret"}
        assert (await client.post("/detect_edges", json={"image": as_text(picture)}, headers=let_in)).is_success


@dataclass
class SlowModels:
    """Its boards take until told to end."""

    started: threading.Semaphore
    go_on: threading.Event

    def detect_edges(self, image, config) -> Answer:
        self.started.release()
        self.go_on.wait(20)
        return Answer([])

    debug_edges = detect_objects = read = detect_edges

    def loaded(self) -> LoadedModels:
        return LoadedModels(None, OcrInfo("0", "cpu"))


async def test_health_answers_and_a_crowd_is_sent_away_while_it_works(as_text, picture) -> None:
    slow = SlowModels(threading.Semaphore(0), threading.Event())
    async with http(slow, limits=Limits(at_once=2, most_waiting=1)) as client:
        body = {"image": as_text(picture)}
        working = [asyncio.create_task(client.post("/detect_edges", json=body)) for _ in range(3)]
        for _ in range(2):
            await asyncio.to_thread(slow.started.acquire)
        while (await client.get("/healthz")).json()["waiting"] == 0:
            await asyncio.sleep(0.01)
        health = (await client.get("/healthz")).json()
        assert (health["busy"], health["waiting"]) == (2, 1)
        refused = await client.post("/detect_edges", json=body)
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert refused.headers["Retry-After"] == "1"
        slow.go_on.set()
        assert [answer.status_code for answer in await asyncio.gather(*working)] == [200] * 3
        assert (await client.post("/detect_edges", json=body)).is_success
        assert (await client.get("/healthz")).json()["busy"] == 0


def _tuples(regions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**region, "quad": tuple(map(tuple, region.get("quad", ())))} for region in regions]


def _claimed_png(width: int, height: int) -> str:
    """A PNG of some bytes whose header claims to be that large."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"")
    chunks = b"".join(
        struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)) for body in (header, data)
    )
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunks).decode()
