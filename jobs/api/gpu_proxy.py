"""``POST /detect/gpu/…``: requests passed on, unread, to the inference server of this installation."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
from asgiref.sync import async_to_sync
from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.views import APIView

from jobs.api.negotiation import AcceptAnything
from jobs.api.schema import errors

_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
_LARGEST_ANSWER = 64 * 1024 * 1024

_DESCRIPTION = (
    "Passed on unread to the server that `INFERENCE_URL` names; its answer and status come back unchanged. Neither the "
    "caller's key nor any other header goes with it."
)
_ERRORS = errors(
    400,
    413,
    status_401="No session and no key; or the inference server's, for another key.",
    status_409="The inference server: it has not what is needed.",
    status_415="The request is a form, not JSON.",
    status_500="The inference server: it failed.",
    status_502="The inference server cannot be reached or does not answer in time.",
    status_503="The inference server: its queue is full.",
)


class PictureSerializer(serializers.Serializer[Any]):
    """What the inference server takes."""

    image = serializers.CharField(help_text="base64 of a JPEG or PNG")
    config = serializers.DictField(required=False, help_text="`{option: value}` of the stage `detect_edges`")


class FoundRegionSerializer(serializers.Serializer[Any]):
    """In pixels of the picture, from its top left corner."""

    x = serializers.IntegerField()
    y = serializers.IntegerField()
    w = serializers.IntegerField()
    h = serializers.IntegerField()
    confidence = serializers.FloatField()
    label = serializers.CharField()  # type: ignore[assignment]  # the name is the interface's


class FoundSerializer(serializers.Serializer[Any]):
    regions = FoundRegionSerializer(many=True)


class FoundWithOverlaysSerializer(FoundSerializer):
    edge_overlay_b64 = serializers.CharField(help_text="JPEG of the picture's size: edges that lines were made of")
    lines_overlay_b64 = serializers.CharField(help_text="JPEG of the picture's size: lines and regions")
    horizontal_count = serializers.IntegerField()
    pair_count = serializers.IntegerField()


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class Unreachable(APIException):
    status_code = status.HTTP_502_BAD_GATEWAY
    default_code = "gpu_unreachable"


@dataclass(frozen=True)
class _Answer:
    status: int
    content_type: str | None
    body: bytes


class _GpuProxy(APIView):
    """Sends the body and its type to one path of the server that ``INFERENCE_URL`` names, and returns the answer.

    Neither the caller's key or cookies nor any other header goes with it.
    """

    content_negotiation_class = AcceptAnything
    path: str

    def post(self, request: Request) -> HttpResponse:
        content_type = request.content_type or ""
        if content_type.partition(";")[0].strip().lower() in _FORMS or not content_type.isascii():
            raise UnsupportedMediaType(content_type)
        answer = async_to_sync(_pass_on)(self.path, _read(request), content_type)
        # whatever the server says and calls it, no browser runs it as a page of this site
        response = HttpResponse(answer.body, status=answer.status, content_type=answer.content_type or "")
        if answer.content_type is None:
            del response.headers["Content-Type"]
        response.headers["Content-Security-Policy"] = "sandbox"
        return response


class GpuDetectEdges(_GpuProxy):
    path = "/detect_edges"

    @extend_schema(
        operation_id="detect_gpu_detect_edges",
        summary="Boards in a picture, by the inference server",
        description=_DESCRIPTION,
        tags=["inference"],
        request=PictureSerializer,
        responses={200: FoundSerializer, **_ERRORS},
    )
    def post(self, request: Request) -> HttpResponse:
        return super().post(request)


class GpuDetectEdgesDebug(_GpuProxy):
    path = "/detect_edges/debug"

    @extend_schema(
        operation_id="detect_gpu_detect_edges_debug",
        summary="Boards in a picture with overlays, by the inference server",
        description=_DESCRIPTION,
        tags=["inference"],
        request=PictureSerializer,
        responses={200: FoundWithOverlaysSerializer, **_ERRORS},
    )
    def post(self, request: Request) -> HttpResponse:
        return super().post(request)


def _read(request: Request) -> bytes:
    """The body as it came, never more of it than is allowed."""
    most: int = settings.INFERENCE_MAX_BODY
    too_large = TooLarge(f"The request is too large: at most {most} bytes.")
    announced = request.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) > most:
        raise too_large
    body: bytes = request._request.read(most + 1)
    if len(body) > most:
        raise too_large
    return body


async def _pass_on(path: str, body: bytes, content_type: str) -> _Answer:
    headers = {"Accept-Encoding": "identity"}
    if content_type:
        headers["Content-Type"] = content_type
    if settings.INFERENCE_KEY:
        headers["Authorization"] = f"Bearer {settings.INFERENCE_KEY}"
    try:
        async with asyncio.timeout(settings.INFERENCE_TIMEOUT):
            # neither proxies nor passwords from the environment: the address is the setting and nothing else
            async with httpx.AsyncClient(trust_env=False, verify=_tls(), timeout=None) as client:  # noqa: S113 - above
                return await _send(client, settings.INFERENCE_URL.rstrip("/") + path, body, headers)
    except TimeoutError as error:
        raise Unreachable(f"GPU server unreachable: no answer within {settings.INFERENCE_TIMEOUT:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unreachable(f"GPU server unreachable: {str(error) or type(error).__name__}") from error


async def _send(client: httpx.AsyncClient, url: str, body: bytes, headers: dict[str, str]) -> _Answer:
    received = bytearray()
    async with client.stream("POST", url, content=body, headers=headers, follow_redirects=False) as response:
        async for piece in response.aiter_bytes():
            received += piece
            if len(received) > _LARGEST_ANSWER:
                raise Unreachable(f"GPU server unreachable: its answer is larger than {_LARGEST_ANSWER} bytes")
        return _Answer(response.status_code, response.headers.get("Content-Type"), bytes(received))


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading the certificates of authorities takes longer than most requests."""
    return httpx.create_ssl_context(trust_env=False)
