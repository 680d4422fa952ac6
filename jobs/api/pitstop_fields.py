"""What the pit-stop interface is given and gives, field by field."""

from __future__ import annotations

import json
from typing import Any

from rest_framework import serializers

from detect.types import StoredFile
from detect.zones import Zone
from jobs.api.fields import PlainText
from jobs.models import DetectJob
from jobs.pitstop.selectors import (
    SPANS,
    STATUSES,
    log_lines,
    output_file,
    output_name,
    pitstop_error,
    pitstop_state,
    pitstop_updated_at,
    run_of,
)
from jobs.pitstop.services import PROFILE

_LONGEST_NOTES = 20_000
_LONGEST_ZONES = 200_000


class ZonesField(PlainText):
    """Zones as the text of a JSON list; what the list holds is checked where it is used."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            zones = json.loads(super().to_internal_value(data))
        except ValueError as error:
            raise serializers.ValidationError(f"This is no JSON: {error}.") from error
        if not isinstance(zones, list):
            raise serializers.ValidationError("Give a list of zones.")
        return zones


class PitstopUploadSerializer(serializers.Serializer[Any]):
    """The form. ``file`` has been received, and is on disk, when the rest is looked at."""

    file = serializers.FileField(
        allow_empty_file=True, help_text="the video: mp4, mov, mkv, avi or webm, up to MAX_FILE_SIZE_MB"
    )
    series = PlainText(required=False, allow_blank=True, default="")
    race = PlainText(required=False, allow_blank=True, default="")
    notes = PlainText(required=False, allow_blank=True, default="", max_length=_LONGEST_NOTES)
    zones = ZonesField(
        required=False,
        max_length=_LONGEST_ZONES,
        help_text=f"a JSON list of zones, each with {', '.join(Zone.__struct_fields__)}; points in fractions of the "
        "upright picture",
    )
    threshold = serializers.FloatField(
        required=False, help_text="how sure an object must be to be followed, 0.01-1; PITSTOP_YOLO_THRESHOLD without it"
    )
    profile = PlainText(required=False, default=PROFILE, max_length=100)


class PitstopQuerySerializer(serializers.Serializer[Any]):
    limit = serializers.IntegerField(default=20, min_value=1, max_value=500)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=2**31 - 1)


class PitstopSummarySerializer(serializers.Serializer[DetectJob]):
    """A job in the list."""

    job_id = serializers.UUIDField(source="id")
    status = serializers.ChoiceField(STATUSES)
    stage = serializers.ChoiceField(list(SPANS))
    progress = serializers.FloatField(min_value=0, max_value=1)
    series = serializers.CharField()
    race = serializers.CharField()
    input_filename = serializers.CharField()
    input_size_bytes = serializers.IntegerField()
    has_output = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField(help_text="when something of it changed last")

    def to_representation(self, job: DetectJob) -> dict[str, Any]:
        """``output_files`` of the context are those of all jobs in the list."""
        facts = {**job_facts(job), "has_output": job.id in self.context["output_files"]}
        return super().to_representation(facts)  # type: ignore[arg-type]  # its fields take a mapping too


class PitstopPageSerializer(serializers.Serializer[Any]):
    jobs = PitstopSummarySerializer(many=True)
    total = serializers.IntegerField()


class OutputSerializer(serializers.Serializer[Any]):
    available = serializers.BooleanField()
    filename = serializers.CharField()
    size_bytes = serializers.IntegerField(allow_null=True, help_text="null while there is none")


class PitstopJobSerializer(serializers.Serializer[DetectJob]):
    """One job."""

    job_id = serializers.UUIDField(source="id")
    status = serializers.ChoiceField(STATUSES)
    stage = serializers.ChoiceField(list(SPANS))
    progress = serializers.FloatField(min_value=0, max_value=1)
    series = serializers.CharField()
    race = serializers.CharField()
    notes = serializers.CharField()
    input_filename = serializers.CharField()
    input_size_bytes = serializers.IntegerField()
    logs = serializers.ListField(child=serializers.CharField(), help_text="`[HH:MM:SS] LEVEL text`, UTC, oldest first")
    output = OutputSerializer()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField(help_text="when something of it changed last")
    error = serializers.CharField(required=False, help_text="why, where it has failed")

    def to_representation(self, job: DetectJob) -> dict[str, Any]:
        facts = {**job_facts(job), "logs": log_lines(job), "output": _output(job, output_file(job))}
        error = pitstop_error(job)
        return super().to_representation({**facts, "error": error} if error else facts)  # type: ignore[arg-type]


class DeletedSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
    job_id = serializers.UUIDField()


def job_facts(job: DetectJob) -> dict[str, Any]:
    """What the list and a single job say alike."""
    run = run_of(job)
    told = {name: getattr(run, name) for name in ("series", "race", "notes", "input_filename", "input_size_bytes")}
    moments = {"created_at": job.created_at, "updated_at": pitstop_updated_at(job)}
    return {"id": job.id, **pitstop_state(job)._asdict(), **told, **moments}


def _output(job: DetectJob, file: StoredFile | None) -> dict[str, Any]:
    size = None if file is None else file.size_bytes
    return {"available": file is not None, "filename": output_name(job), "size_bytes": size}
