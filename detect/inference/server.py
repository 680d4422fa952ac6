"""The inference server: models behind HTTP, without database, queue or storage."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from detect.errors import ConfigError
from detect.inference.models import STAGES, Models
from detect.inference.pictures import PictureError, decode_picture
from detect.inference.wire import Ask, Health
from detect.inference.work import OverloadedError, WorkQueue
from detect.stages.base import Image

Work = Callable[[Image, dict[str, Any]], msgspec.Struct]
RETRY_AFTER_SECONDS = 1


@dataclass(frozen=True)
class Limits:
    """What a server takes. ``at_once`` requests are worked on, ``most_waiting`` more wait, others get a 503."""

    body_bytes: int = 32 << 20
    at_once: int = 2
    most_waiting: int = 32


class RequestError(Exception):
    """A request that is refused, with its status, code and sentence."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


def create_app(models: Models, *, key: str = "", limits: Limits | None = None) -> Starlette:
    """The ASGI application. With ``key`` every request but ``/healthz`` needs ``Authorization: Bearer KEY``."""
    server = _Server(models, key, limits or Limits())
    routes = [
        Route("/healthz", server.health, methods=["GET"]),
        Route("/detect_edges", server.endpoint(models.detect_edges), methods=["POST"]),
        Route("/detect_edges/debug", server.endpoint(models.debug_edges), methods=["POST"]),
        Route("/detect_objects", server.endpoint(models.detect_objects), methods=["POST"]),
        Route("/ocr", server.endpoint(models.read), methods=["POST"]),
    ]
    handlers: dict[Any, Any] = {
        RequestError: _refused,
        HTTPException: _http_error,
        OverloadedError: _overloaded,
        Exception: _crashed,
    }
    return Starlette(routes=routes, exception_handlers=handlers, lifespan=server.lifespan)


class _Server:
    def __init__(self, models: Models, key: str, limits: Limits) -> None:
        self._models, self._key, self._limits = models, key, limits
        self._queue = WorkQueue(at_once=limits.at_once, most_waiting=limits.most_waiting)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        yield
        self._queue.close()

    async def health(self, request: Request) -> Response:
        loaded = self._models.loaded()
        device = "cpu" if loaded.detect_objects is None else loaded.detect_objects.device
        return _json(Health("ok", device, loaded, STAGES, self._queue.busy, self._queue.waiting))

    def endpoint(self, work: Work) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            self._check_key(request)
            body = await self._read(request)
            return await self._queue.run(partial(_answer, work, body))

        return answer

    def _check_key(self, request: Request) -> None:
        if not self._key:
            return
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._key.encode()):
            raise RequestError(
                401, "not_authenticated", "Send 'Authorization: Bearer' with this server's INFERENCE_KEY."
            )

    async def _read(self, request: Request) -> bytes:
        most = self._limits.body_bytes
        too_large = RequestError(413, "too_large", f"The request is too large: at most {most} bytes.")
        announced = request.headers.get("Content-Length", "")
        if announced.isdecimal() and int(announced) > most:
            raise too_large
        body = bytearray()
        try:
            async for piece in request.stream():
                body += piece
                if len(body) > most:
                    raise too_large
        except ClientDisconnect as error:
            raise RequestError(400, "disconnected", "The request ended before its end.") from error
        return bytes(body)


def _answer(work: Work, body: bytes) -> Response:
    """Decode, work and encode; runs on a thread of the queue."""
    try:
        ask = msgspec.json.decode(body, type=Ask)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        wanted = '{"image": base64 of a JPEG or PNG, "config": {option: value}}'
        raise RequestError(400, "invalid", f"The request must be {wanted}: {error}") from error
    try:
        return _json(work(decode_picture(ask.image), ask.config))
    except (PictureError, ConfigError) as error:
        raise RequestError(error.status, error.code, error.message) from error


def _json(value: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


def _error(status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    body = msgspec.json.encode({"detail": detail, "code": code})
    return Response(body, status, headers, media_type="application/json")


async def _refused(request: Request, error: RequestError) -> Response:  # noqa: ARG001 - Starlette's signature
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
    return _error(error.status, error.code, error.detail, headers)


async def _http_error(request: Request, error: HTTPException) -> Response:
    words = {404: "not_found", 405: "method_not_allowed"}
    detail = f"There is no {request.method} {request.url.path} here: {error.detail}."
    return _error(error.status_code, words.get(error.status_code, "invalid"), detail, dict(error.headers or {}))


async def _overloaded(request: Request, error: OverloadedError) -> Response:  # noqa: ARG001
    return _error(error.status, error.code, error.message, {"Retry-After": str(RETRY_AFTER_SECONDS)})


async def _crashed(request: Request, error: Exception) -> Response:  # noqa: ARG001
    """Starlette passes the error on to the server's log after this."""
    return _error(500, "error", "Something went wrong here; it was logged.")
