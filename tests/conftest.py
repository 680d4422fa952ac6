"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mediaproc.datafolder import PROJECT_ROOT
from tests.matches import finished

__all__ = ["finished"]


@pytest.fixture(scope="session")
def real_media() -> Path:
    """The folder of real footage; tests that ask for it are skipped where there is none."""
    folder = Path(os.environ.get("MEDIAPROC_TEST_MEDIA") or PROJECT_ROOT.parent / "shared/media")
    if not folder.is_dir():
        pytest.skip(f"no real footage: {folder} does not exist (set MEDIAPROC_TEST_MEDIA)")
    return folder
