"""Times of a pit stop over REST, ``/api/pitstop/jobs/{job_id}/metrics``: measured, and set by hand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.fields import Number
from jobs.api.schema import errors
from jobs.pitstop.metrics import NAMES, OF_MEASURES, STOP, metrics_of, metrics_set
from jobs.pitstop.selectors import pitstop_job
from mediaproc.principal import principal_of

_TAGS = ["pit stop"]
_NOT_YET = "No times have been taken yet."


class VisitSerializer(serializers.Serializer[Any]):
    """Seconds of the video; ``cut`` where a begin or an end was not seen to happen."""

    start = serializers.FloatField()
    end = serializers.FloatField()
    track_id = serializers.IntegerField()
    label = serializers.CharField(help_text="its class")  # type: ignore[assignment]  # the name is the interface's
    start_uncertainty = serializers.FloatField()
    end_uncertainty = serializers.FloatField()
    cut = serializers.ChoiceField(["", "start", "end", "both"])


class ZoneTimeSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    measure = serializers.CharField(allow_blank=True, help_text="what its time stands for")
    seconds = serializers.FloatField(help_text="how long somebody was inside")
    uncertainty_s = serializers.FloatField()
    visits = VisitSerializer(many=True)


class MeasuredSerializer(serializers.Serializer[Any]):
    seconds = serializers.FloatField()
    uncertainty_s = serializers.FloatField()


class ByHandSerializer(serializers.Serializer[Any]):
    seconds = serializers.FloatField()
    set_by = serializers.CharField()
    set_at = serializers.DateTimeField()


class SeenBrandSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    seconds = serializers.FloatField()
    start = serializers.FloatField()
    end = serializers.FloatField()


class _TimesSerializer(serializers.Serializer[Any]):
    """The metrics by name: all of them are lengths of time."""

    def get_fields(self) -> dict[str, Any]:
        times = {name: self.time() for name in OF_MEASURES.values()}
        return {STOP: self.time(), **times, **super().get_fields()}

    def time(self) -> serializers.Field[Any, Any, Any, Any]:
        raise NotImplementedError


class PitstopMetricsSerializer(_TimesSerializer):
    """Times in seconds. Those that nobody measured or set are left out, but for the stop's: it is null."""

    job_id = serializers.UUIDField()
    uncertainty_s = serializers.FloatField(allow_null=True, help_text="± of `stop_time_s` where it was measured")
    zones = ZoneTimeSerializer(many=True)
    stop = VisitSerializer(allow_null=True, help_text="the stop that was measured: when, and which car")
    sources = serializers.DictField(child=serializers.ChoiceField(["measured", "manual"]), help_text="by metric")
    measured = serializers.DictField(child=MeasuredSerializer(), help_text="by metric, whatever was set over it")
    by_hand = serializers.DictField(child=ByHandSerializer(), help_text="by metric")
    brands = SeenBrandSerializer(many=True, help_text="on screen during the stop, by the video's accepted result")
    problems = serializers.ListField(
        child=serializers.CharField(), help_text="what of the video was broken, and what could not be timed and why"
    )

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        fields[STOP] = serializers.FloatField(allow_null=True)
        return fields

    def time(self) -> serializers.Field[Any, Any, Any, Any]:
        return serializers.FloatField(required=False)


class PitstopValuesSerializer(_TimesSerializer):
    """Seconds, 0 or more; null takes back what was set."""

    def time(self) -> serializers.Field[Any, Any, Any, Any]:
        return Number(required=False, allow_null=True, min_value=0)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(self.initial_data) - set(NAMES))
        if unknown:
            sentence = f"There is no such metric: those that can be set are {', '.join(NAMES)}."
            raise serializers.ValidationError(dict.fromkeys(unknown, sentence))
        if not attrs:
            raise serializers.ValidationError(f"Give one or more of {', '.join(NAMES)}.")
        return attrs


class PitstopMetrics(APIView):
    """``/api/pitstop/jobs/{job_id}/metrics``."""

    @extend_schema(
        operation_id="pitstop_metrics",
        summary="How long the car stood, and who was where for how long",
        description="Seconds of the video, from its timestamps, each with its uncertainty.",
        responses={200: PitstopMetricsSerializer, **errors(404, status_409=_NOT_YET)},
        tags=_TAGS,
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        return Response(PitstopMetricsSerializer(metrics_of(pitstop_job(job_id))).data)

    @extend_schema(
        operation_id="pitstop_metrics_set",
        summary="Set times by hand",
        description="What was measured stays visible in `measured`, and counts again once null takes the value back.",
        request=PitstopValuesSerializer,
        responses={200: PitstopMetricsSerializer, **errors(400, 404, status_409=_NOT_YET)},
        tags=_TAGS,
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        job = pitstop_job(job_id)
        body = PitstopValuesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        metrics_set(job=job, values=body.validated_data, by=principal_of(request).name)
        return Response(PitstopMetricsSerializer(metrics_of(job)).data)
