"""The engine as this installation is set up: built from settings once, here."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.files.storage import default_storage

from detect.errors import StorageError
from detect.models import Timeline
from detect.persistence import DatabaseAnswerStore, StorageFrames
from detect.providers.catalog import load_catalog
from detect.resources import Resources
from jobs.model_files import pitstop_weights
from jobs.model_shelf import DeclaredModels

if TYPE_CHECKING:
    from detect.inference.client import InferenceClient


@cache
def engine_resources() -> Resources:
    """Models and providers of this process. Raises ``ConfigError`` for a providers file that cannot be used."""
    return Resources(
        object_weights=settings.OBJECT_WEIGHTS,
        weights_folders=settings.WEIGHTS_FOLDERS,
        tracking_weights=pitstop_weights,
        providers=load_catalog(settings.PROVIDERS_FILE),
        answers=DatabaseAnswerStore(),
        load_logo=_read_file,
        threads=settings.INFERENCE_THREADS,
        ocr_precision=settings.OCR_PRECISION,
        inference=_inference(),
        shelf=DeclaredModels(),
    )


def timeline_frames(timeline: Timeline) -> StorageFrames:
    """The frames of a timeline in this installation's storage."""
    return StorageFrames(default_storage, timeline.frames_prefix)


def _inference() -> InferenceClient | None:
    """The server that this process's models run on, None where they run in the process."""
    if not settings.INFERENCE_REMOTE:
        return None
    from detect.inference.client import InferenceClient

    return InferenceClient(settings.INFERENCE_URL, key=settings.INFERENCE_KEY, timeout=settings.INFERENCE_TIMEOUT)


def _read_file(key: str) -> bytes:
    try:
        with default_storage.open(key, "rb") as file:
            content: bytes = file.read()
    except OSError as error:
        raise StorageError(f"the stored file {key} cannot be read: {error.strerror or error}") from error
    return content
