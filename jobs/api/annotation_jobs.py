"""Batches over REST, ``/api/v0/jobs``: ask for one, watch, call off."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.annotation.batches import VideoWanted, batch_again, batch_cancel, batch_delete, batch_submit
from jobs.annotation.datasets import dataset_find
from jobs.annotation.selectors import batch_find, batches
from jobs.api.annotation_fields import (
    BatchQuerySerializer,
    BatchRequestSerializer,
    BatchSerializer,
    BatchSummarySerializer,
)
from jobs.api.jobs import IDEMPOTENCY_KEY
from jobs.api.orders import order_from
from jobs.api.receiving import MediaErrorsView
from jobs.api.schema import errors
from mediaproc.principal import principal_of

_TAGS = ["annotation"]


class AnnotationJobs(MediaErrorsView):
    """``/api/v0/jobs``."""

    @extend_schema(
        operation_id="annotation_jobs",
        summary="Batches, newest first",
        description="A page of them; `X-Total-Count` says how many fit in all, and `Link` leads to the next page.",
        parameters=[
            BatchQuerySerializer,
            OpenApiParameter("X-Total-Count", int, OpenApiParameter.HEADER, response=True),
            OpenApiParameter("Link", str, OpenApiParameter.HEADER, response=True),
        ],
        responses={200: BatchSummarySerializer(many=True), **errors(400)},
        tags=_TAGS,
    )
    def get(self, request: Request) -> Response:
        query = _checked(BatchQuerySerializer(data=request.query_params))
        found = batches(states=sorted(query.get("state", ())), tag=query.get("tag", ""))
        first, limit = query["offset"], query["limit"]
        response = Response(BatchSummarySerializer(found[first : first + limit], many=True).data)
        total = found.count()
        response["X-Total-Count"] = str(total)
        if first + limit < total:
            params = request.query_params.copy()
            params["offset"], params["limit"] = str(first + limit), str(limit)
            response["Link"] = f'<{request.build_absolute_uri(request.path)}?{params.urlencode()}>; rel="next"'
        return response

    @extend_schema(
        operation_id="annotation_submit",
        summary="Run pipelines over videos of a dataset",
        description="Every name and value is checked now. Pipelines are those of the preset and those that `overrides` "
        "name; each goes through each video. A video that cannot be read fails by itself.",
        request=BatchRequestSerializer,
        parameters=[IDEMPOTENCY_KEY],
        responses={201: BatchSerializer, **errors(400, 404, 409, 503)},
        tags=_TAGS,
    )
    def post(self, request: Request) -> Response:
        given = _checked(BatchRequestSerializer(data=request.data))
        order = order_from(request, given)
        job = batch_submit(
            dataset=dataset_find(given["dataset_id"]),
            videos=[VideoWanted(video["path"], video.get("duration_sec")) for video in given["videos"]],
            preset=given.get("preset") or "",
            overrides=given.get("overrides"),
            tags=order.tags,
            requested_by=order.requested_by,
            idempotency_key=order.idempotency_key,
        )
        return Response(BatchSerializer(job).data, status=201)


class AnnotationJobDetail(MediaErrorsView):
    """``/api/v0/jobs/{job_id}``."""

    @extend_schema(
        operation_id="annotation_job",
        summary="A batch",
        responses={200: BatchSerializer, **errors(404)},
        tags=_TAGS,
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        return Response(BatchSerializer(batch_find(job_id)).data)

    @extend_schema(
        operation_id="annotation_delete",
        summary="Delete a batch",
        description="With its files and the engine's jobs it asked for; analyses of brands stay.",
        responses={204: None, **errors(404, 503, status_409="It has not ended: cancel it first.")},
        tags=_TAGS,
    )
    def delete(self, request: Request, job_id: UUID) -> Response:
        batch_delete(batch_find(job_id))
        return Response(status=204)


class AnnotationJobCancel(MediaErrorsView):
    """``/api/v0/jobs/{job_id}/cancel``."""

    @extend_schema(
        operation_id="annotation_cancel",
        summary="Call a batch off",
        description="What is finished of it is kept. Called off already, it stays so.",
        request=None,
        responses={200: BatchSerializer, **errors(404, status_409="It has ended otherwise.")},
        tags=_TAGS,
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        return Response(BatchSerializer(batch_cancel(batch_find(job_id))).data)


class AnnotationJobAgain(MediaErrorsView):
    """``/api/v0/jobs/{job_id}/again``."""

    @extend_schema(
        operation_id="annotation_again",
        summary="Run the same batch once more",
        description="The same videos with the same parameters: what is stored is reused, and the same files come out.",
        request=None,
        responses={201: OpenApiResponse(BatchSerializer, "The new batch."), **errors(400, 404, 503)},
        tags=_TAGS,
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        again = batch_again(batch_find(job_id), requested_by=principal_of(request).name)
        return Response(BatchSerializer(again).data, status=201)


def _checked(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    checked: dict[str, Any] = serializer.validated_data
    return checked
