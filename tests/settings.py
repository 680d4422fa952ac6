"""The project's settings over a data folder of their own, new for each run and shared by its workers."""

from __future__ import annotations

import os
import tempfile

# the first process of a run makes the folder; the workers of pytest-xdist find it in the environment they inherit
if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["MEDIAPROC_TEST_DATA"] = tempfile.mkdtemp(prefix="mediaproc-tests-")
os.environ["MEDIAPROC_DATA"] = os.environ["MEDIAPROC_TEST_DATA"]
os.environ["MEDIAPROC_DURABLE"] = "false"
for _name in ("DATABASE_URL", "REDIS_URL", "AWS_S3_BUCKET", "STORAGE_BACKEND", "SECRET_KEY", "DEBUG"):
    os.environ.pop(_name, None)

from mediaproc.settings import *  # noqa: E402, F403 - reads the environment set above

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
