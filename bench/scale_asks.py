"""Fills the installation of this environment, asks it for everything, and prints the figures as JSON.

``python -m bench.scale_asks REQUESTS``. The installation must be empty; it is emptied again at the end.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.scale_data import Filled, Scale

WARM_UP = 3


def main(arguments: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
    import django

    django.setup()
    from django.test import Client

    from bench.scale_data import Scale, filled
    from jobs.api_keys import ApiKey
    from mediaproc.roles import Role

    scale = Scale()
    _, key = ApiKey.objects.create_key(name="bench", role=Role.VIEWER)
    client = Client(headers={"X-API-Key": key}, SERVER_NAME="localhost")
    with filled(scale) as made:
        asked = {name: _measure(client.get, address, int(arguments[0])) for name, address in _addresses(scale, made)}
    print(json.dumps({"jobs": scale.jobs, "sightings": scale.sightings, "branches": scale.branches, "asked": asked}))


def _addresses(scale: Scale, made: Filled) -> list[tuple[str, str]]:
    """What is asked for, and where it is."""
    jobs, sightings = "/detect/jobs?limit=50", "/detect/sightings?limit=50"
    last = f"{jobs}&offset={scale.jobs - 50}"
    brand = made.brand.replace(" ", "+")
    filters = {
        "status": "status=failed",
        "run type": "run_type=initial",
        "profile": "profile=motorsport",
        "tag": "tag=season-3",
        "brand": f"brand={brand}",
        "text": "search=match-77",
        "time": "created_after=2020-01-01T00:00:00Z",
        "another order": "ordering=-priority",
    }
    return [
        ("jobs, first page", jobs),
        ("jobs, page in the middle", f"{jobs}&offset={scale.jobs // 2}"),
        ("jobs, last page", last),
        *((f"jobs by {name}", f"{jobs}&{wanted}") for name, wanted in filters.items()),
        *((f"jobs by {name}, page 20", f"{jobs}&{wanted}&offset=950") for name, wanted in filters.items()),
        (f"tree of {scale.branches} branches", f"/detect/jobs/{made.branch}/tree"),
        ("compare two whole matches", f"/detect/compare?left={made.root}&right={made.branch}"),
        ("sightings, first page", sightings),
        ("sightings, last page", f"{sightings}&last=true"),
        ("sightings of a brand, first page", f"{sightings}&brand={brand}"),
        ("sightings of a brand, last page", f"{sightings}&brand={brand}&last=true"),
        ("sightings by source, first page", f"{sightings}&source=manual"),
        ("sightings by source, last page", f"{sightings}&source=manual&last=true"),
        ("sightings of a brand by source", f"{sightings}&brand={brand}&source=logo"),
        ("sightings in a video", f"{sightings}&asset={made.asset}"),
    ]


def _measure(get: Callable[[str], Any], address: str, requests: int) -> dict[str, float]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    times, worked = [], []
    for _ in range(WARM_UP + requests):
        began, busy = time.perf_counter(), time.process_time()
        answer = get(address)
        times.append((time.perf_counter() - began) * 1000)
        worked.append((time.process_time() - busy) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"{address} answered {answer.status_code}: {answer.content[:300]!r}")
    with CaptureQueriesContext(connection) as seen:
        get(address)
    warm = sorted(times[WARM_UP:])
    return {
        "requests": requests,
        "median": round(median(warm), 2),
        "p95": round(warm[int(0.95 * (len(warm) - 1))], 2),
        "cpu": round(median(worked[WARM_UP:]), 2),
        "queries": len(seen),
        "answer_bytes": len(answer.content),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
