"""Whether the site and what it stands on are there. Open to everyone: neither path tells more than that."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import redis
import structlog
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.files.storage import default_storage
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from mediaproc.services import ensure_queue

log = structlog.get_logger(__name__)


@login_not_required
@require_safe
def health(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """`GET /api/health`: the site answers."""
    return JsonResponse({"status": "ok"})


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """`GET /healthz`: the state of database, queue and storage; 503 when one of them is down."""
    states = {name: _state(name, probe) for name, probe in _PROBES.items()}
    healthy = all(state == "ok" for state in states.values())
    return JsonResponse({"status": "ok" if healthy else "degraded", **states}, status=200 if healthy else 503)


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
