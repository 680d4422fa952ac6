"""What pages say of pit stops in the same words: names, times with what is uncertain of them, rows of runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from detect.checkpoints import serde
from detect.checkpoints.outputs import load_stage_output
from detect.checkpoints.store import CheckpointRecord, Manifest
from detect.models import Checkpoint, StageOutput
from detect.persistence import DatabaseCheckpointStore
from detect.stages.time_zones import TimeZonesOutput
from detect.stages.track_objects import TrackObjectsOutput
from detect.zones import Measure, Stop, Visit, ZoneTime
from jobs.choices import JobStatus
from jobs.exports.words import moment, percent
from jobs.models import DetectJob, MetricByHand
from jobs.pages.shown import OPEN, asker, signed, stage_word, when
from jobs.pitstop.metrics import STOP
from jobs.pitstop.selectors import run_of
from jobs.selectors import job_branch

MEASURE_WORDS: dict[Measure, str] = {
    "": "itself alone",
    "fuel": "fuel",
    "front_left_tyre": "front left tyre",
    "front_right_tyre": "front right tyre",
    "back_left_tyre": "back left tyre",
    "back_right_tyre": "back right tyre",
    "driver_out": "driver out",
    "driver_in": "driver in",
}
_CUT_WORDS = {
    "": "",
    "start": "there already when the video began",
    "end": "still there when the video ended, or lost sight of",
    "both": "neither its beginning nor its end was seen",
}
_DECIMALS = 2
#: Of pitstop.css: zones have them in turn, in the page as in the video.
ZONE_COLOURS = 5


def seconds(value: float) -> str:
    """``2.34 s``, ``1:02.34``."""
    return f"{value:.{_DECIMALS}f} s" if round(value, _DECIMALS) < 60 else moment(value, _DECIMALS)


def uncertain(value: float) -> str:
    """``± 0.04 s``."""
    return f"± {value:.{_DECIMALS}f} s"


def length_uncertainty(one: Stop | Visit) -> float:
    """How far the length of a stop or visit may be off, seconds: its two ends are off independently."""
    return math.hypot(one.start_uncertainty, one.end_uncertainty)


def at(value: float) -> str:
    """A place in the video, ``0:12.34``."""
    return moment(value, _DECIMALS)


def cut_words(cut: str) -> str:
    """Why something may have lasted longer than was seen; empty where it was seen whole."""
    return _CUT_WORDS[cut]


def pitstop_name(job: DetectJob) -> str:
    """The file's name as it was sent."""
    return run_of(job).input_filename


def pitstop_about(job: DetectJob) -> str:
    """Series and race, as far as they were given."""
    run = run_of(job)
    return " · ".join(text for text in (run.series, run.race) if text)


def branch_tip(job: DetectJob, stage: str) -> CheckpointRecord | None:
    """The last checkpoint of the job's branch if ``stage`` is done there."""
    branch = job_branch(job)
    return branch[-1] if branch and stage in branch[-1].outputs else None


def zone_times(tip: CheckpointRecord) -> TimeZonesOutput:
    return load_stage_output(DatabaseCheckpointStore(), tip, "time_zones", TimeZonesOutput)[0]


def tracked(tip: CheckpointRecord) -> TrackObjectsOutput:
    return load_stage_output(DatabaseCheckpointStore(), tip, "track_objects", TrackObjectsOutput)[0]


def stop_of(times: TimeZonesOutput) -> Stop | None:
    """The stop that the metrics speak of."""
    return None if times.stop is None else times.stops[times.stop]


def times_of(jobs: Sequence[DetectJob]) -> dict[UUID, TimeZonesOutput]:
    """The times of those jobs that are complete, by their ids; three queries, however many they are."""
    done = [job.id for job in jobs if job.status == JobStatus.COMPLETED]
    nodes = dict(Checkpoint.objects.filter(job_id__in=done, stage="encode_video").values_list("job_id", "outputs"))
    manifests = {job_id: outputs["time_zones"] for job_id, outputs in nodes.items()}
    keys = {key: serde.unpack(body, Manifest).keys[0] for key, body in _bodies(manifests.values()).items()}
    times = {key: serde.unpack(body, TimeZonesOutput) for key, body in _bodies(keys.values()).items()}
    return {job_id: times[keys[manifest]] for job_id, manifest in manifests.items()}


def _bodies(keys: Iterable[str]) -> dict[str, bytes]:
    rows = StageOutput.objects.filter(key__in=set(keys)).values_list("key", "body")
    return {key: bytes(body) for key, body in rows}


def stops_by_hand(jobs: Sequence[DetectJob]) -> dict[UUID, float]:
    """Lengths of stops that people have set, by the job."""
    rows = MetricByHand.objects.filter(job__in=jobs, name=STOP).values_list("job_id", "value")
    return dict(rows)


def run_rows(jobs: Sequence[DetectJob]) -> list[dict[str, Any]]:
    """Runs in the list."""
    times, by_hand = times_of(jobs), stops_by_hand(jobs)
    return [
        {
            "job": job,
            "name": pitstop_name(job),
            "about": pitstop_about(job),
            "notes": run_of(job).notes,
            "replayed": job.parent_job_id is not None,
            "open": job.status in OPEN,
            "percent": percent(job.progress),
            "stage": stage_word(job.current_stage) if job.current_stage else "",
            "asker": asker(job),
            "when": when(job.created_at),
            "stop": stop_words(times.get(job.id), by_hand.get(job.id)),
        }
        for job in jobs
    ]


def stop_words(times: TimeZonesOutput | None, by_hand: float | None) -> dict[str, str] | None:
    """``{value, detail}`` of the stop: what a person set, else what was measured; None without any."""
    if by_hand is not None:
        return {"value": seconds(by_hand), "detail": "set by hand"}
    stop = None if times is None else stop_of(times)
    if stop is None:
        return None
    return {"value": seconds(stop.seconds), "detail": uncertain(length_uncertainty(stop))}


def zone_columns(zones: Sequence[ZoneTime], own: Sequence[ZoneTime], names: Sequence[str]) -> list[dict[str, str]]:
    """Seconds of a run's ``zones`` by ``names``, and how far they are from those of the run that is looked at."""
    by_name, mine = ({zone.name: zone.seconds for zone in these} for these in (zones, own))
    cells = []
    for name in names:
        here, there = by_name.get(name), mine.get(name)
        differs = zones is not own and here is not None and there is not None
        cells.append(
            {
                "seconds": "" if here is None else seconds(here),
                "difference": signed(here - there, "s") if differs and here is not None and there is not None else "",
            }
        )
    return cells
