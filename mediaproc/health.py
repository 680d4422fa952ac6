"""Whether the site and what it stands on are there. Open to everyone: neither path tells more than that."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import redis
import structlog
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.negotiation import AcceptAnything
from mediaproc.services import ensure_queue

log = structlog.get_logger(__name__)


class HealthSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["ok"])


class PartsSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["ok", "degraded"])
    database = serializers.ChoiceField(["ok", "down"])
    queue = serializers.ChoiceField(["ok", "down"])
    storage = serializers.ChoiceField(["ok", "down"])


class _Open(APIView):
    """For everyone: neither a session nor a key is looked at."""

    content_negotiation_class = AcceptAnything  # probes ask for anything
    authentication_classes = ()
    permission_classes = ()


class Health(_Open):
    """``GET /api/health``: the site answers."""

    @extend_schema(
        operation_id="health", summary="Whether the site answers", auth=[], tags=["health"], responses=HealthSerializer
    )
    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class Healthz(_Open):
    """``GET /healthz``: the state of database, queue and storage; 503 when one of them is down."""

    @extend_schema(
        operation_id="healthz",
        summary="Whether the site and what it stands on are there",
        auth=[],
        tags=["health"],
        responses={200: PartsSerializer, 503: OpenApiResponse(PartsSerializer, "One of them is down.")},
    )
    def get(self, request: Request) -> Response:
        states = {name: _state(name, probe) for name, probe in _PROBES.items()}
        healthy = all(state == "ok" for state in states.values())
        return Response({"status": "ok" if healthy else "degraded", **states}, status=200 if healthy else 503)


@extend_schema_view(get=extend_schema(operation_id="annotation_healthz"))
class AnnotationHealthz(Healthz):
    """``GET /api/v0/healthz``: the same, where clients of the batch interface look for it."""


def _state(name: str, probe: Callable[[], object]) -> str:
    try:
        probe()
    except Exception as error:  # noqa: BLE001 - whatever a backend raises, the answer is that it is down
        log.warning("health probe failed", part=name, error=str(error))
        return "down"
    return "ok"


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _queue() -> None:
    ensure_queue()
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5) as client:
        client.ping()


def _storage() -> None:
    default_storage.exists(f"healthz-{secrets.token_hex(8)}")


_PROBES: dict[str, Callable[[], object]] = {"database": _database, "queue": _queue, "storage": _storage}
