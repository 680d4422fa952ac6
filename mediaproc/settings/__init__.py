"""Django's settings: one file an integration, each reading the environment through mediaproc/env.py.

docs/operations.md has the table of everything that can be set.
"""

from __future__ import annotations

from mediaproc.settings.api import *  # noqa: F403
from mediaproc.settings.auth import *  # noqa: F403
from mediaproc.settings.base import *  # noqa: F403
from mediaproc.settings.database import *  # noqa: F403
from mediaproc.settings.engine import *  # noqa: F403
from mediaproc.settings.logging import *  # noqa: F403
from mediaproc.settings.pitstop import *  # noqa: F403
from mediaproc.settings.queue import *  # noqa: F403
from mediaproc.settings.retention import *  # noqa: F403
from mediaproc.settings.security import *  # noqa: F403
from mediaproc.settings.storage import *  # noqa: F403
from mediaproc.settings.uploads import *  # noqa: F403
