"""Where trials of options work: with this installation's models, in a folder of their own.

A trial needs no job, so it makes none: no checkpoint, no sighting, no brand, no result that could be accepted. Its
outputs and frames lie in ``TUNING_FOLDER``, where the next trial finds them, and are removed with that folder. What the
installation's own runs have stored of the same video is read and reused.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, partial
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage

from detect.checkpoints.folder import FolderCheckpointStore
from detect.config import ResolvedConfig
from detect.errors import StorageError
from detect.events import RunListener
from detect.option_trials import Bench, Case, FramesBehind
from detect.persistence import DatabaseCheckpointStore, StorageFrames, timeline_id
from detect.providers.limits import ModelLimits
from detect.registry import Pipeline
from detect.resources import Resources
from detect.stages.base import FrameSource
from jobs.engine import engine_resources
from mediaproc.localfiles import LocalFiles


def tuning_bench(
    pipeline: Pipeline,
    *,
    logos: Mapping[str, Path],
    most_usd: Decimal,
    listener: RunListener,
    checkpoint: Callable[[], None],
) -> Bench:
    """A bench that asks models for at most ``most_usd`` over all trials, and nothing where that is 0.

    ``logos`` are files of reference pictures by their keys; others are those of the installation.
    """
    folder = Path(settings.TUNING_FOLDER)
    here = LocalFiles(location=str(folder / "frames"))

    def frames(case: Case, config: ResolvedConfig) -> FrameSource:
        first = pipeline.stages[0]
        timeline = timeline_id(case.source.sha256, first, config.options[first.name])
        behind = StorageFrames(default_storage, f"timelines/{timeline}")
        return FramesBehind(StorageFrames(here, str(timeline)), behind)

    resources = _resources(logos)
    return Bench(
        pipeline=pipeline,
        resources=resources,
        limits=ModelLimits(usd=most_usd, calls=None if most_usd else 0),
        store=lambda: FolderCheckpointStore(folder / "outputs", DatabaseCheckpointStore()),
        frames=frames,
        listener=listener,
        checkpoint=checkpoint,
        warm_up=cache(partial(_load_models, resources)),
    )


def tuning_forget() -> int:
    """Remove everything that trials have stored, and the synthetic matches; the bytes that are free again.

    Raises ``StorageError``.
    """
    folder = Path(settings.TUNING_FOLDER)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise StorageError(f"{folder} cannot be removed: {error.strerror}") from error
    return size


def _load_models(resources: Resources) -> None:
    """Have the models in memory that every run of the pipeline needs."""
    _ = resources.ocr
    model = resources.object_model() if resources.inference is None else None
    if model is not None:
        model.open()


def _resources(logos: Mapping[str, Path]) -> Resources:
    resources = engine_resources()

    def load_logo(key: str) -> bytes:
        if key in logos:
            return logos[key].read_bytes()
        if resources.load_logo is None:
            raise StorageError(f"the reference picture {key} is not here")
        return resources.load_logo(key)

    return dataclasses.replace(resources, load_logo=load_logo)
