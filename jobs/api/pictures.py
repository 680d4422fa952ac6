"""A job's frames: the list of them, each as a picture, and crops of it."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.negotiation import AcceptAnything
from jobs.api.schema import errors
from jobs.frames import job_frame_list
from jobs.pages.pictures import job_crop, job_frame

MOST_FRAMES = 10_000
_BOX = r"^\d{1,5},\d{1,5},[1-9]\d{0,4},[1-9]\d{0,4}$"


class FrameQuerySerializer(serializers.Serializer[Any]):
    limit = serializers.IntegerField(min_value=1, max_value=MOST_FRAMES, default=1000)
    offset = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=0)


class FrameSerializer(serializers.Serializer[Any]):
    sequence = serializers.IntegerField()
    timestamp = serializers.FloatField(help_text="seconds of the video")
    url = serializers.CharField()


class FrameListSerializer(serializers.Serializer[Any]):
    frames = FrameSerializer(many=True)
    total = serializers.IntegerField(help_text="all frames of the job")


class FrameList(APIView):
    """``GET /detect/jobs/{job_id}/frames``: sampled frames in the order of time, by the page."""

    @extend_schema(
        operation_id="detect_job_frames",
        summary="A job's frames",
        description="The frames that were sampled, in the order of time, with the address of each one's picture.",
        tags=["detection"],
        parameters=[FrameQuerySerializer],
        responses={200: FrameListSerializer, **errors(400, 404)},
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        asked = FrameQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        start, count = asked.validated_data["offset"], asked.validated_data["limit"]
        frames = job_frame_list(job_id)
        shown = [
            {**frame, "url": reverse("detect-job-frame", args=[job_id, frame["sequence"]])}
            for frame in frames[start : start + count]
        ]
        return Response({"frames": shown, "total": len(frames)})


class FramePicture(APIView):
    """``GET /detect/jobs/{job_id}/frames/{sequence}.jpg``: the frame as it is stored, or a box of it."""

    content_negotiation_class = AcceptAnything

    @extend_schema(
        operation_id="detect_job_frame",
        summary="A frame, or a crop of it, as a JPEG",
        tags=["detection"],
        parameters=[
            OpenApiParameter(
                "box",
                {"type": "string", "pattern": _BOX},
                description="`x,y,w,h` in pixels of the source picture; the crop shows a little around it",
            )
        ],
        responses={
            (200, "image/jpeg"): OpenApiTypes.BINARY,
            **errors(400, status_404="There is no such job or frame, or the box lies outside it."),
        },
    )
    def get(self, request: Request, job_id: UUID, sequence: int) -> HttpResponse:
        plain = request._request
        box = request.query_params.get("box")
        if box is None:
            return job_frame(plain, job_id, sequence)
        if re.fullmatch(_BOX, box, re.ASCII) is None:
            raise ValidationError({"box": "Give x,y,w,h: whole pixels, width and height over 0."})
        x, y, width, height = map(int, box.split(","))
        return job_crop(plain, job_id, sequence, x, y, width, height)
