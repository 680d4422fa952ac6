"""``manage.py check_worker``: whether this host's worker lives; for a container's health check."""

from __future__ import annotations

import socket
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "End with code 0 when a worker of this host has told the queue of itself within half a minute, else with 1."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        from jobs.work.presence import workers_present

        host = socket.gethostname()
        here = [worker for worker in workers_present() if worker.host == host]
        if not here:
            raise CommandError(f"no worker of {host} has told the queue of itself lately")
        for worker in here:
            self.stdout.write(f"{worker.name}: {worker.state}, takes {' '.join(worker.queues)}")
