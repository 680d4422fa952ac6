"""``python -m tests.faults.clerk``: gives jobs to the workers. A JSON list a line in, a job's id a line out.

["submit", video, brands, "BRAND=picture", ["stage.option=value", …]]
["replay", job, stage, ["stage.option=value", …]]
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
    import django

    django.setup()
    from mediaproc.services import prepare

    prepare(queue=True)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        sys.stdout.write(f"{_do(json.loads(line))}\n")
        sys.stdout.flush()


def _do(request: list[Any]) -> str:
    from jobs.work.execute import persistently

    name, *arguments = request
    acts: dict[str, Callable[..., str]] = {"submit": _submit, "replay": _replay}
    return persistently(lambda: acts[name](*arguments))


def _submit(video: str, brands: str, logo: str, settings: list[str]) -> str:
    from brands.brand_lists import read_brand_list
    from brands.services import brand_add_logo, brands_ensure
    from detect.config import DEFAULT_PROFILE
    from detect.media.probe import probe
    from detect.options import parse_assignments
    from jobs.services import Order, asset_ensure, job_submit

    known = brands_ensure(listed=read_brand_list(brands))
    name, _, picture = logo.partition("=")
    brand_add_logo(brand=next(brand for brand in known if brand.canonical_name == name), path=Path(picture))
    job = job_submit(
        asset=asset_ensure(probed=probe(Path(video))),
        video_path=video,
        profile=DEFAULT_PROFILE,
        overrides=parse_assignments(settings),
        brands=known,
        order=Order(queued=True),
    ).job
    return str(job.id)


def _replay(parent: str, stage: str, settings: list[str]) -> str:
    from detect.options import parse_assignments
    from jobs.models import DetectJob
    from jobs.services import Order, job_replay

    return str(
        job_replay(
            parent=DetectJob.objects.get(id=parent),
            start_stage=stage,
            overrides=parse_assignments(settings),
            order=Order(queued=True),
        ).id
    )


if __name__ == "__main__":
    main()
