"""Videos to send, a signed-in client, and a real server to send them to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from jobs.api_keys import ApiKey
from mediaproc.datafolder import PROJECT_ROOT, DataFolder
from mediaproc.roles import Role
from tests.media.clips import write_clip
from tests.uploads.sending import Site

_MAKE_KEY = """
import django; django.setup()
from mediaproc.services import prepare; prepare(queue=True)
from jobs.api_keys import ApiKey
print(ApiKey.objects.create_key(name="sender", role="operator")[1])
"""


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of numbered pictures, 50 frames of 128x96."""
    return write_clip(tmp_path_factory.mktemp("clips") / "match.mp4", 50)


@pytest.fixture
def places(tmp_path: Path, settings: Settings) -> Path:
    """Storage, uploads and cache of this test alone; the folder they lie in."""
    settings.MEDIA_ROOT = tmp_path / "storage"
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "mediaproc.localfiles.LocalFiles", "OPTIONS": {"location": str(tmp_path / "storage")}},
    }
    settings.UPLOADS_FOLDER = tmp_path / "uploads"
    settings.UPLOADS_FOLDER.mkdir()
    settings.CACHE_FOLDER = tmp_path / "cache"
    return tmp_path


@pytest.fixture
def sender(db: None, places: Path) -> APIClient:
    """A program with the role of an operator."""
    _, key = ApiKey.objects.create_key(name="sender", role=Role.OPERATOR)
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=key)
    return client


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A server over a data folder of its own, with a key; not below pytest's folder, which Postgres may not enter."""
    base = Path(tempfile.mkdtemp(prefix="mediaproc-uploads-"))
    base.chmod(0o711)
    data = DataFolder(base / "data")
    data.create()
    environment = {
        **os.environ,
        "MEDIAPROC_DATA": str(data.root),
        "DJANGO_SETTINGS_MODULE": "mediaproc.settings",
        "MAX_FILE_SIZE_MB": "300",
    }
    site = Site(data=data, environment=environment)
    try:
        made = subprocess.run(
            [sys.executable, "-c", _MAKE_KEY],
            cwd=PROJECT_ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        site.key = made.stdout.strip()
        site.start()
        yield site
    finally:
        site.kill()
        data.wait_until_stopped()
        shutil.rmtree(base)
