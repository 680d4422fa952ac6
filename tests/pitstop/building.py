"""Pit-stop jobs as a run leaves them, without a run: rows, outputs and files, here or in the site of another process.

As a program (``python -m tests.pitstop.building``) it makes them in the database that the environment names: each line
of its input is a list of what is wanted, jobs (``{"name": "stop"}``), keys (``{"key": ROLE}``) or replays for workers
(``{"rezone": ID, "zones": […]}``), and is answered by one with what came of each.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from typing import Any
from uuid import UUID

FILM = bytes(range(256)) * 4000
PROBE = {
    "duration": 10.0,
    "width": 128,
    "height": 96,
    "frame_rate": "25/1",
    "variable_frame_rate": False,
    "start_time": 0.0,
    "warnings": [],
}
ZONE = {"name": "Fuel", "points": [[0.1, 0.1], [0.5, 0.1], [0.5, 0.6]], "measure": "fuel"}


def build(
    *,
    name: str = "stop",
    status: str = "completed",
    stage: str = "",
    progress: float = 0.0,
    pipeline: str = "pitstop",
    error: str = "",
    timed: bool = True,
    stopped: bool = True,
    sparse: int = 0,
    film: bytes = FILM,
) -> Any:
    """A job of a video of its own, in a state; a completed one has its annotated video, of ``film`` or that large.

    Without ``timed`` no times have been taken, without ``stopped`` nothing stood.
    """
    from detect.checkpoints import serde
    from detect.models import SourceAsset, Timeline
    from detect.types import KnownBrands
    from jobs.events import log_append
    from jobs.models import DetectJob, PitstopRun
    from jobs.states import job_tell

    sha256 = hashlib.sha256(name.encode()).hexdigest()
    probe = {**PROBE, "name": f"{name}.mp4", "size_bytes": 1234}
    asset = SourceAsset.objects.create(path=f"storage:uploads/{sha256[:2]}/{sha256}.mp4", sha256=sha256, probe=probe)
    timeline = Timeline.objects.create(
        source_asset=asset, source_video=asset.path, profile_name="pit_stop", fps=2, frames_prefix=f"timelines/{name}"
    )
    job = DetectJob.objects.create(
        source_asset=asset,
        timeline=timeline,
        video_path=asset.path,
        pipeline=pipeline,
        profile_name="pit_stop",
        known_brands=serde.pack(serde.encode(KnownBrands())),
        config_overrides={"time_zones": {"zones": [ZONE]}},
        status=status,
        current_stage=stage,
        progress=progress,
        error_message=error,
    )
    if pipeline == "pitstop":
        told = {"series": "GT", "race": "Monza", "notes": "car 7", "input_filename": f"{name}.mp4"}
        PitstopRun.objects.create(job=job, **told, input_size_bytes=1234)
    log_append(job_id=job.id, line="extract_frames: 1.00 s, frames 4")
    log_append(job_id=job.id, line="the sound is not kept", level="warning")
    job_tell(job.id)
    if timed:
        _leave_outputs(job, stopped=stopped, finished=status == "completed", sparse=sparse, film=film)
    return job


def _leave_outputs(job: Any, *, stopped: bool, finished: bool, sparse: int, film: bytes) -> None:
    from detect.checkpoints.outputs import save_stage_output
    from detect.persistence import DatabaseCheckpointStore
    from detect.stages.encode_video import EncodeVideoOutput
    from detect.stages.time_zones import TimeZonesOutput
    from detect.zones import Stop, Visit, ZoneTime

    visit = Visit(start=4.3, end=6.2, track_id=9, label="person", start_uncertainty=0.03, end_uncertainty=0.04, cut="")
    stop = Stop(start=4.0, end=6.5, track_id=3, label="car", start_uncertainty=0.03, end_uncertainty=0.04, cut="")
    fuel = ZoneTime(name="Fuel", measure="fuel", seconds=1.9, uncertainty=0.05, visits=[visit])
    times = TimeZonesOutput(zones=[fuel], stops=[stop] if stopped else [], stop=0 if stopped else None)
    store, place = DatabaseCheckpointStore(), {"timeline_id": job.timeline_id, "job_id": job.id}
    node = save_stage_output(store, stage="time_zones", parts=[times], **place)
    if finished:
        made = EncodeVideoOutput(files=[_store(job, film, sparse)], frames=100)
        save_stage_output(store, stage="encode_video", parts=[made], parent=node, **place)


def _store(job: Any, film: bytes, sparse: int) -> Any:
    """Put the annotated video into storage: this content, or nothing but holes where it is to be large."""
    from detect.types import StoredFile
    from jobs.assets.intake import local_file
    from jobs.made_files import MadeFiles

    files = MadeFiles(job.source_asset.sha256)
    with files.draft(".mp4") as draft:
        draft.write_bytes(film)
        kept = files.keep(draft)
    if not sparse:
        return kept
    place = local_file(kept.key)
    assert place is not None
    os.truncate(place, sparse)
    return StoredFile(kept.key, kept.sha256, sparse)


def main() -> None:
    """Make what each line of the input asks for."""
    import django

    django.setup()
    from mediaproc.services import prepare

    prepare(queue=True)
    for line in sys.stdin:
        sys.stdout.write(json.dumps([_one(wanted) for wanted in json.loads(line)]) + "\n")
        sys.stdout.flush()


def _one(wanted: dict[str, Any]) -> dict[str, Any]:
    from jobs.api_keys import ApiKey

    if "key" in wanted:
        return {"key": ApiKey.objects.create_key(name=wanted["key"], role=wanted["key"])[1]}
    from jobs.pitstop.selectors import output_file, pitstop_job

    if "rezone" in wanted:
        from jobs.pitstop.services import pitstop_rezone
        from jobs.services import Order

        parent = pitstop_job(UUID(wanted["rezone"]))
        return {"id": str(pitstop_rezone(job=parent, zones=wanted["zones"], order=Order(queued=True)).id)}

    job = build(**wanted)
    file = output_file(job)
    return {"id": str(job.id), "output": None if file is None else file.key}


if __name__ == "__main__":
    main()
