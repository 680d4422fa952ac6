"""``python -m bench.sharing MODE CHUNKS SECONDS WORKERS``: a job of waiting stages; prints how many seconds it took.

``queue`` has workers do it, ``here`` a runner in this process. The workers are warm: they have done a job before.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Any

from bench.process import PROJECT_ROOT, BenchError
from bench.waiting import CHUNK_SECONDS

_WITHIN = 600.0


def main(mode: str, chunks: int, seconds: float, workers: int) -> float:
    """Seconds from the start of the job to its end, the start of processes and servers apart."""
    import django

    django.setup()
    from mediaproc.services import prepare

    prepare(queue=True)
    if mode == "here":
        return _run_here(chunks, seconds)
    with ExitStack() as stack:
        for _ in range(workers):
            stack.callback(_end, subprocess.Popen([sys.executable, "manage.py", "worker"], cwd=PROJECT_ROOT))
        _run_queued(8 * workers, 0.3)
        return _run_queued(chunks, seconds)


def _job(chunks: int, seconds: float, *, queued: bool) -> Any:
    from detect.models import SourceAsset
    from jobs.services import Order, job_submit

    probe = {"duration": float(chunks * CHUNK_SECONDS), "width": 16, "height": 16, "frame_rate": "25"}
    asset, _ = SourceAsset.objects.get_or_create(
        sha256=f"{chunks:064x}",
        defaults={"path": "/", "probe": {**probe, "variable_frame_rate": False, "start_time": 0.0}},
    )
    return job_submit(
        asset=asset,
        video_path="/",
        profile="soccer_broadcast",
        overrides={"begin": {"run": str(time.time())}, "wait": {"seconds": seconds}},
        brands=None,
        pipeline_key="waiting",
        order=Order(queued=queued),
    ).job


def _run_here(chunks: int, seconds: float) -> float:
    from detect.events import SilentListener
    from jobs.services import job_run

    job_run(job=_job(2, 0.0, queued=False), listener=SilentListener())
    job = _job(chunks, seconds, queued=False)
    began = time.perf_counter()
    job_run(job=job, listener=SilentListener())
    return time.perf_counter() - began


def _run_queued(chunks: int, seconds: float) -> float:
    from jobs.models import DetectJob

    began = time.perf_counter()
    job = _job(chunks, seconds, queued=True)
    while time.perf_counter() - began < _WITHIN:
        status = DetectJob.objects.values_list("status", flat=True).get(id=job.id)
        if status == "completed":
            return time.perf_counter() - began
        if status == "failed":
            break
        time.sleep(0.05)
    raise BenchError(f"a job of {chunks} chunks that wait {seconds:g} s did not complete")


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.terminate()
    worker.wait(60)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
    sys.stdout.write(str(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))))
