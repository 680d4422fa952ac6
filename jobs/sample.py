"""The sample match, made and analysed while somebody looks on: for those who have no video at hand.

It is rendered in a thread of the process that is asked; the workers do the rest, as with any video. How far it is lies
in files beside it, for any process to read: a lock that ends with the process that holds it, and the progress.
"""

from __future__ import annotations

import fcntl
import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.db import Error, connection

from brands.brand_lists import read_brand_list
from brands.models import KnownBrand
from brands.models.known import name_key
from brands.services import brand_add_logo, brands_ensure
from detect.config import DEFAULT_PROFILE
from detect.errors import MediaprocError
from detect.exports.files import make_folder
from jobs.assets.intake import asset_keep
from jobs.models import DetectJob
from jobs.services import Order, job_submit
from mediaproc import env
from mediaproc.sample import Sample, sample_match

logger = logging.getLogger(__name__)

_NAME = "Sample match.mp4"
_TELL_EVERY = 0.3
_TRIES, _BETWEEN_TRIES = 5, 0.02


@dataclass(frozen=True)
class SampleState:
    """Whether it is being made, the share 0-1 that is, and why the last try failed, where it did."""

    making: bool
    share: float = 0.0
    problem: str = ""


def sample_begin(*, by: str) -> bool:
    """Make the sample in the background and ask for its analysis; False where somebody does so already.

    Raises ``StorageError`` where there is no folder to make it in.
    """
    make_folder(_folder())
    lock = _lock(fcntl.LOCK_EX)
    for _ in range(_TRIES):  # whoever asks how far it is holds it for a moment
        if lock is None:
            time.sleep(_BETWEEN_TRIES)
            lock = _lock(fcntl.LOCK_EX)
    if lock is None:
        return False
    _tell(_PROBLEM, "")
    _tell(_PROGRESS, "0")
    threading.Thread(target=_make, args=[lock, by], name="sample", daemon=True).start()
    return True


def sample_state() -> SampleState:
    """How far it is, whichever process makes it."""
    try:
        free = _lock(fcntl.LOCK_SH)
    except OSError:  # no folder, or none of ours: nothing is made in it
        return SampleState(making=False)
    if free is None:
        return SampleState(making=True, share=float(_told(_PROGRESS) or 0))
    free.close()
    return SampleState(making=False, problem=_told(_PROBLEM))


def sample_submit(sample: Sample, *, by: str) -> DetectJob:
    """Ask for the analysis of the sample, with its own brands, as workers find it: in storage."""
    brands = brands_ensure(listed=read_brand_list(str(sample.brands)))
    _add_logos(sample, brands)
    with tempfile.TemporaryDirectory(dir=sample.video.parent, prefix=".keeping-") as folder:
        copied = shutil.copy(sample.video, Path(folder) / sample.video.name)
        asset = asset_keep(file=Path(copied), name=_NAME).asset
    return job_submit(
        asset=asset,
        video_path=asset.path,
        profile=DEFAULT_PROFILE,
        overrides={},
        brands=brands,
        order=Order(requested_by=by, tags=["sample"], queued=True),
    ).job


def _make(lock: IO[str], by: str) -> None:
    try:
        sample_submit(sample_match(_folder(), _teller()), by=by)
    except (Error, MediaprocError, OSError) as error:
        logger.warning("the sample match was not made: %s", error)
        _tell(_PROBLEM, getattr(error, "message", "") or str(error))
    finally:
        connection.close()
        lock.close()


def _add_logos(sample: Sample, brands: list[KnownBrand]) -> None:
    known = {brand.normalized_name: brand for brand in brands}
    for name, path in sample.logos.items():
        brand_add_logo(brand=known[name_key(name)], path=path)


_LOCK, _PROGRESS, _PROBLEM = ".making", ".progress", ".problem"


def _folder() -> Path:
    return env.DATA.root / "demo"


def _lock(kind: int) -> IO[str] | None:
    """The lock, held until the file is closed: alone by whoever makes the sample. None where that cannot be now."""
    file = (_folder() / _LOCK).open("a", encoding="utf-8")
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _teller() -> Callable[[int, int], None]:
    last = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _TELL_EVERY:
            last = time.monotonic()
            _tell(_PROGRESS, f"{done / total:.3f}")

    return tell


def _tell(name: str, text: str) -> None:
    draft = _folder() / f"{name}-draft"
    draft.write_text(text, encoding="utf-8")
    draft.replace(_folder() / name)


def _told(name: str) -> str:
    with suppress(FileNotFoundError):
        return (_folder() / name).read_text(encoding="utf-8").strip()
    return ""
