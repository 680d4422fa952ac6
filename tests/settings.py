"""The project's settings over a data folder of their own, new for each run and shared by its workers."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from mediaproc.datafolder import DataFolder


def _remove(folder: Path) -> None:
    """Runs after this process has given up its claim on the servers (exit handlers run last in, first out)."""
    DataFolder(folder).wait_until_stopped()
    shutil.rmtree(folder, ignore_errors=True)


# the first process of a run makes the folder; the workers of pytest-xdist find it in the environment they inherit
if "PYTEST_XDIST_WORKER" not in os.environ:
    _folder = Path(tempfile.mkdtemp(prefix="mediaproc-tests-"))
    _folder.chmod(0o711)  # as an installation has it: as root, Postgres enters as another user
    os.environ["MEDIAPROC_TEST_DATA"] = str(_folder)
    atexit.register(_remove, _folder)
os.environ["MEDIAPROC_DATA"] = os.environ["MEDIAPROC_TEST_DATA"]
os.environ["MEDIAPROC_DURABLE"] = "false"
for _name in list(os.environ):
    # neither this machine's servers nor its keys are a test's business
    if _name in {"DATABASE_URL", "REDIS_URL", "STORAGE_BACKEND"} or _name.startswith("AWS_"):
        del os.environ[_name]

from mediaproc.settings import *  # noqa: E402, F403 - reads the environment set above

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
