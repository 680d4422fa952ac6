"""``python -m bench.review_asks COUNT``: decisions on the queue of this environment, over Django's client.

Prints ``{median, p95, cpu}`` in milliseconds as JSON; ``cpu`` is the median of this process's processor time, the
database apart: the figure to trust on a busy machine.
"""

from __future__ import annotations

import json
import os
import sys
import time
from statistics import median

from bench.review import USER

WARM_UP = 5


def main(count: int) -> dict[str, float]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.test import Client

    from brands.review.queue import queue

    client = Client(SERVER_NAME="localhost", headers={"Accept": "application/json"})
    client.force_login(User.objects.get(username=USER))
    times, worked = [], []
    for number, group in enumerate(list(queue()[: WARM_UP + count])):
        form = {"action": ("confirm", "reject")[number % 2], "groups": f"{group.id}:{group.revision}"}
        began, busy = time.perf_counter(), time.process_time()
        answer = client.post("/review/decide", form)
        times.append((time.perf_counter() - began) * 1000)
        worked.append((time.process_time() - busy) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"a decision was answered {answer.status_code}: {answer.content[:300]!r}")
    warm = sorted(times[WARM_UP:])
    return {
        "median": round(median(warm), 1),
        "p95": round(warm[int(0.95 * (len(warm) - 1))], 1),
        "cpu": round(median(worked[WARM_UP:]), 1),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(int(sys.argv[1]))))
