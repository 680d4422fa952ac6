"""A process that writes events into an installation: ``python -m tests.events.writer COMMAND …``

make                      migrate, make a job and a key; prints ``{"job": …, "key": …}``
write JOB SEED COUNT      append COUNT log lines, ``line 0 of SEED`` and so on
until FILE JOB SEED MS    append such lines, up to MS milliseconds apart, until there is FILE; prints how many
end JOB                   complete the job
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import django


def make() -> None:
    from django.contrib.auth.models import User

    from jobs.api_keys import ApiKey
    from mediaproc.services import prepare
    from tests.events.made import running_job

    prepare()
    person, _ = User.objects.get_or_create(username="reader")
    _, key = ApiKey.objects.create_key(name="reader", user=person)
    sys.stdout.write(json.dumps({"job": str(running_job().id), "key": key}) + "\n")


def write(job: str, seed: str, count: str) -> None:
    for number in range(int(count)):
        _line(job, seed, number)


def until(file: str, job: str, seed: str, milliseconds: str) -> None:
    chance, number = random.Random(int(seed)), 0
    while not Path(file).exists():
        _line(job, seed, number)
        number += 1
        time.sleep(chance.random() * int(milliseconds) / 1000)
    sys.stdout.write(f"{number}\n")


def _line(job: str, seed: str, number: int) -> None:
    from jobs.events import log_append

    log_append(job_id=UUID(job), line=f"line {number} of {seed}")


def end(job: str) -> None:
    from jobs.choices import JobStatus
    from jobs.models import DetectJob
    from jobs.states import job_move

    job_move(DetectJob.objects.get(id=UUID(job)), JobStatus.COMPLETED, progress=1.0)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
    django.setup()
    commands: dict[str, Callable[..., None]] = {"make": make, "write": write, "until": until, "end": end}
    commands[sys.argv[1]](*sys.argv[2:])
