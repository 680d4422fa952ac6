"""What is tidied up now and then: abandoned uploads, events of jobs that ended long ago."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.conf import settings
from django.db import Error, connection
from django.utils import timezone

from detect.errors import MediaprocError
from jobs.events import events_prune
from jobs.uploads.services import uploads_expire

logger = logging.getLogger(__name__)

_EVERY = 3600.0


class Housekeeping:
    """Does its round when an hour has passed since the last; what fails is left for the next."""

    def __init__(self) -> None:
        self._due = time.monotonic()

    def run_if_due(self) -> None:
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _EVERY
        try:
            uploads_expire()
            events_prune(older_than=timezone.now() - timedelta(days=settings.EVENT_DAYS))
        except (Error, MediaprocError, OSError) as error:
            logger.warning("tidying up is left for later: %s", error)
            connection.close()
