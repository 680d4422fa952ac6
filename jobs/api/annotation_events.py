"""Batches' events for programs, ``/api/v0/events/stream``."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Iterator
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from jobs.annotation.events import LOG, PAGE, UPDATE, batch_events_after
from jobs.annotation.records import AnnotationEvent, AnnotationJob
from jobs.annotation.selectors import batch_find
from jobs.annotation.states import ENDED
from jobs.api.negotiation import AcceptAnything
from jobs.api.receiving import MediaErrorsView
from jobs.api.schema import errors
from jobs.live.following import LONGEST_CONNECTION
from jobs.live.watching import listening
from mediaproc.handover import stream_response

_LARGEST_NUMBER = 2**63 - 1
_COMMENT_EVERY = 15.0
_COMMENT = b": nothing new\n\n"
_HELLO = b"retry: 1000\n\n"
_TOLD = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": r"^\d+$", "description": "the event's number"},
        "event": {"enum": [UPDATE, LOG]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["id", "event", "data"],
}


class StreamQuerySerializer(serializers.Serializer[Any]):
    job = serializers.UUIDField(required=False)
    after = serializers.IntegerField(min_value=0, max_value=_LARGEST_NUMBER, required=False)


class AnnotationEvents(MediaErrorsView):
    """``GET /api/v0/events/stream?job=``."""

    content_negotiation_class = AcceptAnything

    @extend_schema(
        operation_id="annotation_events",
        summary="Follow batches",
        description="Server-Sent Events: `job.update` with `{id, state, progress_pct, current_stage}` and `job.log` "
        "with `{id, line}`. With `job` those of one batch from its first on, numbered without gaps, until it has "
        "ended; without, what happens from now on in all of them, by numbers that grow. `Last-Event-ID` goes on "
        "after that number, without loss or repeat. A comment line every 15 s.",
        tags=["annotation"],
        parameters=[
            StreamQuerySerializer,
            OpenApiParameter("Last-Event-ID", int, OpenApiParameter.HEADER, description="goes before `after`"),
        ],
        responses={
            (200, "text/event-stream"): _TOLD,
            204: OpenApiResponse(description="The batch has ended, and all was seen: do not come again."),
            **errors(400, 404),
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        query = StreamQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        job_id: UUID | None = query.validated_data.get("job")
        after: int | None = query.validated_data.get("after")
        if seen := request.headers.get("Last-Event-ID"):
            header = StreamQuerySerializer(data={"after": seen})
            header.is_valid(raise_exception=True)
            after = header.validated_data["after"]
        if job_id is not None:
            job = batch_find(job_id)
            if after is not None and job.state in ENDED and after >= job.last_event:
                return HttpResponse(status=204)
        start = (0 if job_id is not None else _newest()) if after is None else after
        return stream_response(
            request._request,
            content_type="text/event-stream",
            live=partial(_live, job_id, start),
            stored=partial(_stored, job_id, start),
        )


def _newest() -> int:
    return AnnotationEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0


def _look(job_id: UUID | None, after: int) -> tuple[list[AnnotationEvent], bool]:
    """What comes next, and whether that is all there will be: the state is read before the events, so that the last
    one of a batch that has ended is among them.
    """
    state = None if job_id is None else AnnotationJob.objects.filter(id=job_id).values_list("state", flat=True).first()
    over = job_id is not None and (state is None or state in ENDED)
    events = batch_events_after(job_id, after)
    return events, over and len(events) < PAGE


async def _live(job_id: UUID | None, after: int) -> AsyncGenerator[bytes, None]:
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST_CONNECTION
    yield _HELLO
    async with listening(job_id) as listener:
        while loop.time() < until:
            events, over = await listener.ask(_look, job_id, after)
            for event in events:
                after = _number(job_id, event)
                yield _message(job_id, event)
            if over:
                return
            if len(events) < PAGE:
                while not await _heard(listener.news()):
                    if loop.time() >= until:
                        return
                    yield _COMMENT


async def _heard(news: Any) -> bool:
    """Whether there was news before it was time for a comment."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(news, _COMMENT_EVERY)
        return True
    return False


def _stored(job_id: UUID | None, after: int) -> Iterator[bytes]:
    yield _HELLO
    while events := _look(job_id, after)[0]:
        yield from (_message(job_id, event) for event in events)
        after = _number(job_id, events[-1])


def _number(job_id: UUID | None, event: AnnotationEvent) -> int:
    return event.id if job_id is None else event.number


def _message(job_id: UUID | None, event: AnnotationEvent) -> bytes:
    return f"id: {_number(job_id, event)}\nevent: {event.kind}\ndata: {json.dumps(event.data)}\n\n".encode()
