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
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.negotiation import AcceptAnything
from jobs.api.schema import errors
from jobs.choices import EventKind
from jobs.events import PAGE, events_after
from jobs.live.following import END, LONGEST_CONNECTION, Told, follow, follow_stored
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


_AFTER = OpenApiParameter("after", {"type": "integer", "minimum": 0, "maximum": _LARGEST_NUMBER, "default": 0})


# one event as a reader of the stream has it; the last, `job.end`, is told and not numbered
_TOLD = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": r"^\d+$", "description": "the event's number"},
        "event": {"enum": [*EventKind.values, END]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["event", "data"],
}


class JobEvents(APIView):
    """``GET /detect/jobs/{job_id}/events``: Server-Sent Events, from the number last seen on, until the job ends."""

    content_negotiation_class = AcceptAnything

    @extend_schema(
        operation_id="job_events",
        summary="Follow a job's events",
        description="Server-Sent Events: those after the number last seen, then each as it comes, until `job.end`. "
        "Numbers have no gaps, so a client that comes again with `Last-Event-ID` sees each event once. What the kinds "
        "carry is in docs/events.md.",
        tags=["events"],
        parameters=[
            _AFTER,
            OpenApiParameter(
                "Last-Event-ID",
                {"type": "integer", "minimum": 0, "maximum": _LARGEST_NUMBER},
                OpenApiParameter.HEADER,
                description="the number last seen; goes before `after`",
            ),
        ],
        responses={(200, "text/event-stream"): _TOLD, **errors(400, 404)},
    )
    def get(self, request: Request, job_id: UUID) -> StreamingHttpResponse:
        after: int = _checked(AfterSerializer(data=request.query_params))["after"]
        if seen := request.headers.get("Last-Event-ID"):
            after = _checked(AfterSerializer(data={"after": seen}))["after"]
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
        description="For clients that cannot hold a stream: ask again with `after` at the `last` of the page before.",
        tags=["events"],
        parameters=[
            _AFTER,
            OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST_EVENTS, "default": PAGE}),
        ],
        responses={200: EventPageSerializer, **errors(400, 404, 406)},
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
