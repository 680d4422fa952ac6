"""What is seen to now and then: results not in the review yet, abandoned uploads, events of jobs long ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import Error, connection
from django.utils import timezone

from detect.errors import MediaprocError
from jobs.annotation.events import batch_events_prune
from jobs.events import events_prune
from jobs.made_files import made_tidy
from jobs.results.accepted import results_bring_in
from jobs.uploads.services import uploads_expire

logger = logging.getLogger(__name__)

_TIDY_EVERY, _BRING_IN_EVERY = 3600.0, 60.0


class Housekeeping:
    """Does each of its rounds when it is due; what fails is left for the next."""

    def __init__(self) -> None:
        now = time.monotonic()
        self._rounds: dict[Callable[[], object], tuple[float, float]] = {
            _tidy: (_TIDY_EVERY, now),
            made_tidy: (_TIDY_EVERY, now),
            results_bring_in: (_BRING_IN_EVERY, now),
        }

    def run_if_due(self) -> None:
        for work, (every, due) in list(self._rounds.items()):
            if time.monotonic() >= due:
                self._rounds[work] = (every, time.monotonic() + every)
                self._run(work)

    @staticmethod
    def _run(work: Callable[[], object]) -> None:
        try:
            work()
        except (Error, MediaprocError, OSError) as error:
            logger.warning("housekeeping is left for later: %s", error)
            connection.close()


def _tidy() -> None:
    uploads_expire()
    before = timezone.now() - timedelta(days=settings.EVENT_DAYS)
    events_prune(older_than=before)
    batch_events_prune(older_than=before)
