"""What an installation has in it: ``python -m tests.browser.contents STEP FILE`` writes ids to FILE as JSON.

people      an account for each role
pitstops    runs of pit stops in every state
batches     a dataset in the folder MEDIAPROC_ROOTS, and batches over it in every state
analyses    finished, failed, paused and waiting jobs, with names that are hard to show
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

#: As people may name a brand, and what the clips write of it.
HARD_NAMES = {
    "<script>alert(1)</script>": ("DRUNVIK",),
    "مشروب النخبة الرياضي": ("Oltra Vesk",),
    "🏁 Fennbrook 🐄 Dairy 👩‍🌾": ("ENJOY THE GAME",),
    "Vordiq" + "veryLongNameWithoutASpace" * 11 + " and more": ("VORDIQ",),
}

#: File and seed of what is analysed.
CLIPS = {"match.mp4": 7, "cup-final.mp4": 8, "gone.mp4": 9}
FEW_FRAMES = {"extract_frames": {"fps": 1.0}}
# A short clip has few exposures: more frames of each are shown.
SHORT_CLIP = {"compile_report": {"evidence_per_exposure": 8}}


def people() -> dict[str, Any]:
    from django.contrib.auth.models import User

    from mediaproc.roles import Role, give_role
    from tests.browser.site import PASSWORD

    for role in Role:
        give_role(User.objects.create_user(role.value, password=PASSWORD), role)
    administrator = User.objects.get(username=Role.ADMINISTRATOR.value)
    administrator.is_superuser = True
    administrator.save(update_fields=["is_superuser"])
    return {}


def analyses() -> dict[str, Any]:
    """Three clips: one analysed twice, one with hard names, one whose file is gone; and jobs that are not finished."""
    from django.utils import timezone

    from detect.errors import MediaprocError
    from detect.events import SilentListener
    from jobs.branches.scenarios import bookmark_set
    from jobs.choices import JobStatus
    from jobs.profiles import profile_save
    from jobs.services import Order, job_replay, job_run
    from jobs.states import job_move

    folder = Path(os.environ["MEDIAPROC_DATA"]).parent
    match, hard, gone = (
        _clip(folder / "match.mp4", 7),
        _clip(folder / "cup-final.mp4", 8),
        _clip(folder / "gone.mp4", 9),
    )
    report = _submit(match, tags=["friendly"], overrides=SHORT_CLIP)
    job_run(job=report, listener=SilentListener())
    replay = job_replay(
        parent=report,
        start_stage="match_brands",
        overrides={"match_brands": {"min_similarity": 0.95}},
        order=Order(requested_by="user:operator"),
    )
    job_run(job=replay, listener=SilentListener())
    named = _submit(hard, brands=_hard_brands(), overrides=FEW_FRAMES)
    job_run(job=named, listener=SilentListener())
    without_video = _submit(gone, overrides={**FEW_FRAMES, **SHORT_CLIP})
    job_run(job=without_video, listener=SilentListener())
    gone.unlink()
    failed = _submit(gone, asset=without_video.source_asset, overrides={"extract_frames": {"fps": 3.0}})
    try:
        job_run(job=failed, listener=SilentListener())
    except MediaprocError:
        pass  # what it is for: the job keeps the reason
    paused = _submit(match, overrides={"extract_frames": {"fps": 4.0}})
    job_move(paused, JobStatus.PAUSED)
    later = timezone.now() + timedelta(days=30)
    waiting = _submit(match, overrides={"extract_frames": {"fps": 5.0}}, queued=True, scheduled_for=later)
    node = _checkpoint(report, "run_ocr")
    bookmark_set(checkpoint_id=node, label="Kick-off, boards from the left", from_report=True, by="user:curator")
    jobs = {
        "report": report,
        "replay": replay,
        "hard": named,
        "gone": without_video,
        "failed": failed,
        "paused": paused,
        "waiting": waiting,
    }
    profile_save(
        job=report,
        overrides={"match_brands": {"min_similarity": 0.9}},
        label="Night matches under floodlight",
        description="Fewer wrong names where boards are overexposed.",
        by="user:operator",
    )
    _decisions()
    found = {"checkpoint": node, **_brands(), **people_ids(), **pitstops()}
    return {**{name: str(job.id) for name, job in jobs.items()}, **{name: str(one) for name, one in found.items()}}


def pitstops() -> dict[str, Any]:
    """A complete run, one timed anew from it, one without zones or video, and others in each state; hard names."""
    from django.utils import timezone

    from jobs.choices import JobStatus
    from tests.pages.pitstop_made import ZONES, pitstop_asset, pitstop_run

    folder = Path(os.environ["MEDIAPROC_DATA"]).parent
    asset, later = pitstop_asset(folder), timezone.now() + timedelta(days=30)
    script, right_to_left, _, long_name = HARD_NAMES
    facts = {"series": right_to_left, "race": long_name[:200], "notes": f"{script}\nWet track, two stops."}
    run = pitstop_run(asset, told=facts)
    jobs = {
        "pitstop": run,
        "pitstop_again": pitstop_run(asset, zones=ZONES[:1], parent_job=run, run_type="replay"),
        "pitstop_bare": pitstop_run(asset, zones=(), output=False, problems=["the video breaks off at 0:07.5"]),
        "pitstop_failed": pitstop_run(
            asset,
            status=JobStatus.FAILED,
            current_stage="detect_each_frame",
            error_message="there are no weights to find objects with: put them at model_weights/best.pt",
        ),
        "pitstop_waiting": pitstop_run(asset, status=JobStatus.PAUSED, current_stage="track_objects"),
        "pitstop_queued": pitstop_run(asset, status=JobStatus.PENDING, progress=0.15, scheduled_for=later),
        "pitstop_cancelled": pitstop_run(asset, status=JobStatus.CANCELLED, completed_at=timezone.now()),
    }
    return {name: str(job.id) for name, job in jobs.items()}


def batches() -> dict[str, Any]:
    """A complete batch, and others in each state; names that are hard to show."""
    from jobs.annotation.states import BatchState
    from tests.pages.annotation_made import FILES, made_batch, made_dataset

    folder = Path(os.environ["MEDIAPROC_ROOTS"])
    script, right_to_left, emoji, long_name = HARD_NAMES
    hard = [f"{right_to_left}/{emoji}.mp4", f"{long_name[:200]}.mp4", f"{script.replace('/', ' ')}.mp4"]
    dataset = made_dataset(folder, name=f"{emoji} {right_to_left}", hard=hard)
    everything = dict.fromkeys(FILES, BatchState.SUCCEEDED.value)
    mixed = {"faces": "failed", "scenes": "succeeded"}
    working = {"faces": "succeeded", "scenes": "running", "brands": "queued"}
    jobs = {
        "batch": made_batch(
            dataset,
            {"talk.mp4": everything, "voice.m4a": {"speech": "succeeded"}},
            state=BatchState.SUCCEEDED,
            tags=[script, long_name[:100]],
        ),
        "batch_failed": made_batch(
            dataset, {hard[0]: mixed, hard[1]: mixed, "talk.mp4": mixed}, state=BatchState.FAILED, error="partly failed"
        ),
        "batch_running": made_batch(
            dataset,
            {"talk.mp4": working, hard[1]: dict.fromkeys(working, "queued")},
            state=BatchState.RUNNING,
            progress=0.4,
            current_stage=f"{hard[1]} · faces: detect_faces",
        ),
        "batch_queued": made_batch(dataset, {hard[2]: {"faces": "queued"}}, state=BatchState.QUEUED, progress=0.0),
        "batch_cancelled": made_batch(
            dataset, {"talk.mp4": {"faces": "succeeded", "scenes": "canceled"}}, state=BatchState.CANCELED, progress=0.5
        ),
    }
    return {"dataset": str(dataset.id), **{name: str(job.id) for name, job in jobs.items()}}


def people_ids() -> dict[str, int]:
    from django.contrib.auth.models import User

    return dict(User.objects.values_list("username", "id"))


def _decisions() -> None:
    """One that stands, and one that was undone."""
    from brands.actions import GroupRef, Reject, Undo, decide
    from brands.models import ReviewGroup

    reviewer = _person("reviewer")
    for group in ReviewGroup.objects.filter(open_items__gt=0, text__regex="^LIVE$|STAND$").order_by("text"):
        decision = decide(Reject((GroupRef(group.id, group.revision),)), by=reviewer)
    decide(Undo(decision.id), by=reviewer)


def _brands() -> dict[str, Any]:
    """Brands with a script for a name, with a long name, and one merged into another; and a reference picture."""
    import cv2

    from brands.actions import AddLogo, Merge, decide
    from brands.models import BrandLogo, KnownBrand
    from tests.engines.emblems import emblem

    ids = dict(KnownBrand.objects.values_list("canonical_name", "id"))
    script, _, emoji, long_name = HARD_NAMES
    curator = _person("curator")
    decide(AddLogo(ids[script], cv2.imencode(".png", emblem(3))[1].tobytes(), ".png"), by=curator)
    merged = ids[min(ids.keys() - set(HARD_NAMES))]  # one that an analysis has proposed
    decide(Merge((merged,), ids[emoji]), by=curator)
    return {
        "brand": ids[script],
        "brand_long": ids[long_name],
        "brand_merged": merged,
        "logo": BrandLogo.objects.get().id,
    }


def _person(name: str) -> Any:
    from django.contrib.auth.models import User

    from mediaproc.principal import Principal
    from mediaproc.roles import Role

    return Principal(f"user:{name}", Role(name), User.objects.get(username=name))


def _clip(path: Path, seed: int) -> Path:
    from detect.synthetic import build_match, render_match

    render_match(build_match(seed, "easy", 6.0, 640, 360), path)
    return path


def _hard_brands() -> Any:
    from brands.services import brands_ensure
    from detect.types import KnownBrandRecord

    return brands_ensure(listed=[KnownBrandRecord(name, aliases) for name, aliases in HARD_NAMES.items()])


def _submit(path: Path, *, asset: Any = None, brands: Any = None, overrides: Any = None, **order: Any) -> Any:
    from detect.media.probe import probe
    from jobs.services import Order, asset_ensure, job_submit

    return job_submit(
        asset=asset or asset_ensure(probed=probe(path)),
        video_path=str(path),
        profile="soccer_broadcast",
        overrides=overrides or {},
        brands=brands,
        order=Order(requested_by="user:operator", **order),
    ).job


def _checkpoint(job: Any, stage: str) -> Any:
    from detect.models import Checkpoint

    return Checkpoint.objects.get(job_id=job.id, stage=stage).id


if __name__ == "__main__":
    django.setup()
    steps: dict[str, Callable[[], dict[str, Any]]] = {
        "people": people,
        "analyses": analyses,
        "pitstops": pitstops,
        "batches": batches,
    }
    Path(sys.argv[2]).write_text(json.dumps(steps[sys.argv[1]]()))
