"""kill -9 where frames are detected, drawn and put together: the job ends as if nothing had been."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pitstop.acting import Does
from tests.pitstop.plant import CHUNKS, JOBS, ZONES, Plant, digest

pytestmark = pytest.mark.long

#: Each unit dies there once, with the process that computes; the last ones are of one unit, and with its worker.
HORSES = ("detect_each_frame.1.working", "render_overlays.0.working", "render_overlays.1.drafted")
MORE_HORSES = ("render_overlays.2.kept", "encode_video.0.drafted")
WORKER = "encode_video.0.kept"
STAGES = {"extract_frames": CHUNKS, "detect_each_frame": CHUNKS, "track_objects": 1, "time_zones": 1}
ONCE = Counter(
    f"{stage}.{unit}"
    for stage, units in {**STAGES, "render_overlays": CHUNKS, "encode_video": 1}.items()
    for unit in range(units)
)


@dataclass(frozen=True)
class Struck:
    """What an undisturbed run and one full of kills left."""

    calm: bytes
    calm_metrics: str
    film: bytes
    metrics: str
    begun: Counter[str]
    drafts: list[Path]
    left: set[str]
    before: set[str]


def metrics(plant: Plant, job: str) -> str:
    told = plant.http.get(f"{JOBS}/{job}/metrics").json()
    return json.dumps({**told, "job_id": ""})


@pytest.fixture(scope="module")
def struck(plant: Plant, long_video: Path) -> Struck:
    before = plant.left()
    plant.forget_outputs()
    calm_job = plant.send(long_video, zones=json.dumps(ZONES))
    calm, calm_metrics = plant.complete(calm_job), metrics(plant, calm_job)
    plant.delete(calm_job)
    plant.forget_outputs()
    begun = plant.begun()
    for place in (*HORSES, *MORE_HORSES):
        plant.tell(place, Does.DIE)
    job = plant.send(long_video, zones=json.dumps(ZONES))
    plant.eventually(lambda: not (plant.acting / "encode_video.0.drafted").exists())
    plant.tell(WORKER, Does.SLEEP)
    plant.until_held(WORKER)
    plant.replace_worker()
    plant.let_go(WORKER)
    film, told = plant.complete(job), metrics(plant, job)
    drafts, again = plant.drafts(), plant.begun() - begun
    plant.delete(job)
    return Struck(calm, calm_metrics, film, told, again, drafts, plant.left(), before)


def test_the_video_and_the_times_are_those_of_an_undisturbed_run(struck: Struck) -> None:
    assert digest(struck.film) == digest(struck.calm)
    assert struck.metrics == struck.calm_metrics


def test_a_unit_is_computed_again_only_for_a_kill_that_hit_it(struck: Struck) -> None:
    kills = Counter(place.rpartition(".")[0] for place in (*HORSES, *MORE_HORSES, WORKER))
    assert struck.begun == ONCE + kills


def test_nothing_that_was_begun_stays(struck: Struck) -> None:
    assert struck.drafts == []
    assert struck.left == struck.before
