"""A job's events for programs: as a stream that goes on by itself, and in pages for those who ask again."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Iterator
from functools import partial
from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.events import PAGE, events_after
from jobs.following import LONGEST_CONNECTION, Told, follow, follow_stored
from jobs.models import DetectJob, JobEvent
from mediaproc.handover import stream_response

MOST_EVENTS = 1000
_LARGEST_NUMBER = 2**31 - 1
_COMMENT_EVERY = 15.0
_COMMENT = b": nothing new\n\n"
# how long a browser waits before it comes again
_HELLO = b"retry: 1000\n\n"


class AfterSerializer(serializers.Serializer[Any]):
    after = serializers.IntegerField(min_value=0, max_value=_LARGEST_NUMBER, default=0)


class LogQuerySerializer(AfterSerializer):
    limit = serializers.IntegerField(min_value=1, max_value=MOST_EVENTS, default=PAGE)


class EventSerializer(serializers.ModelSerializer[JobEvent]):
    data = serializers.DictField(  # type: ignore[assignment]  # the name is the interface's
        help_text="what each kind carries is in docs/events.md"
    )

    class Meta:
        model = JobEvent
        fields = ["number", "kind", "data", "created_at"]


class EventPageSerializer(serializers.Serializer[Any]):
    events = EventSerializer(many=True)
    last = serializers.IntegerField(help_text="the number to go on from: that of the last event given, or `after`")


class ErrorSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField()
    code = serializers.CharField()


_ERRORS = {
    400: OpenApiResponse(ErrorSerializer, "A number that cannot be one."),
    401: OpenApiResponse(ErrorSerializer, "No session and no key."),
    403: OpenApiResponse(ErrorSerializer, "Not for this role."),
    404: OpenApiResponse(ErrorSerializer, "There is no such job."),
}
_AFTER = OpenApiParameter("after", {"type": "integer", "minimum": 0, "maximum": _LARGEST_NUMBER, "default": 0})


class _JsonForErrors(BaseContentNegotiation):
    """Whoever asks for a stream gets one, and errors as JSON, whatever else the request says it accepts."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        return parsers[0] if parsers else None

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class JobEvents(APIView):
    """``GET /detect/jobs/{job_id}/events``: Server-Sent Events, from the number last seen on, until the job ends."""

    content_negotiation_class = _JsonForErrors

    @extend_schema(
        operation_id="job_events",
        summary="Follow a job's events",
        parameters=[
            _AFTER,
            OpenApiParameter(
                "Last-Event-ID",
                {"type": "integer", "minimum": 0, "maximum": _LARGEST_NUMBER},
                OpenApiParameter.HEADER,
                description="the number last seen; goes before `after`",
            ),
        ],
        responses={(200, "text/event-stream"): OpenApiTypes.STR, **_ERRORS},
    )
    def get(self, request: Request, job_id: UUID) -> StreamingHttpResponse:
        given = request.headers.get("Last-Event-ID") or request.query_params.get("after", "0")
        after = _checked(AfterSerializer(data={"after": given}))["after"]
        _require(job_id)
        return stream_response(
            request,
            content_type="text/event-stream",
            live=partial(_live, job_id, after),
            stored=partial(_stored, job_id, after),
        )


class JobLog(APIView):
    """``GET /detect/jobs/{job_id}/log``: a page of events, for clients that ask again from ``last`` on."""

    @extend_schema(
        operation_id="job_log",
        summary="A page of a job's events",
        parameters=[
            _AFTER,
            OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST_EVENTS, "default": PAGE}),
        ],
        responses={200: EventPageSerializer, **_ERRORS},
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        query = _checked(LogQuerySerializer(data=request.query_params))
        _require(job_id)
        events = events_after(job_id=job_id, number=query["after"], limit=query["limit"])
        last = events[-1].number if events else query["after"]
        return Response(EventPageSerializer({"events": events, "last": last}).data)


def _checked(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    checked: dict[str, Any] = serializer.validated_data
    return checked


def _require(job_id: UUID) -> None:
    if not DetectJob.objects.filter(id=job_id).exists():
        raise NotFound(f"There is no job {job_id}.")


async def _live(job_id: UUID, after: int) -> AsyncGenerator[bytes, None]:
    """The stream; while nothing happens a comment now and then, so that nobody on the way takes it for dead."""
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST_CONNECTION
    yield _HELLO
    async with contextlib.aclosing(follow(job_id, after)) as told:
        while loop.time() < until:
            coming = asyncio.ensure_future(anext(told, None))
            try:
                while not (await asyncio.wait({coming}, timeout=_COMMENT_EVERY))[0]:
                    if loop.time() >= until:
                        return
                    yield _COMMENT
            finally:
                # a generator can only be closed while it does not run
                if not coming.done():
                    coming.cancel()
                    await asyncio.wait({coming})
            item = coming.result()
            if item is None:
                return
            yield _message(item)


def _stored(job_id: UUID, after: int) -> Iterator[bytes]:
    yield _HELLO
    yield from map(_message, follow_stored(job_id, after))


def _message(told: Told) -> bytes:
    """One event in the form of the standard. JSON has no line breaks in it, so its data is one line."""
    number = "" if told.number is None else f"id: {told.number}\n"
    return f"{number}event: {told.kind}\ndata: {json.dumps(told.data)}\n\n".encode()
