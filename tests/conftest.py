"""What all tests share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from mediaproc.datafolder import PROJECT_ROOT


@pytest.fixture(scope="session")
def real_media() -> Path:
    """The folder of real footage; tests that ask for it are skipped where there is none."""
    folder = Path(os.environ.get("MEDIAPROC_TEST_MEDIA") or PROJECT_ROOT.parent / "shared/media")
    if not folder.is_dir():
        pytest.skip(f"no real footage: {folder} does not exist (set MEDIAPROC_TEST_MEDIA)")
    return folder


def pytest_unconfigure() -> None:
    """Stop this process's claim on the test servers; the run's first process then removes their folder."""
    from mediaproc import services

    services.release()
    if "PYTEST_XDIST_WORKER" not in os.environ:
        shutil.rmtree(os.environ["MEDIAPROC_TEST_DATA"], ignore_errors=True)
