"""``manage.py job ACTION``: submit jobs to the workers, watch and steer them."""

from __future__ import annotations

import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from brands.brand_lists import read_brand_list
from brands.services import brands_ensure
from detect.media.probe import probe
from detect.options import parse_assignments
from jobs.choices import ENDED, EventKind, JobStatus, RunType
from jobs.console import consoles
from jobs.events import events_after
from jobs.lifecycle import job_cancel, job_change, job_delete, job_pause, job_resume
from jobs.management.arguments import add_profile_argument, add_set_argument, check_name, moment, resolve_arguments
from jobs.models import DetectJob
from jobs.selectors import job_find
from jobs.services import Order, asset_ensure, job_replay, job_submit
from mediaproc.checks import INSTALLATION
from mediaproc.services import prepare

_EXAMPLES = """
examples:
  manage.py job submit match.mp4 --brands "Acme, Globex" --follow
  manage.py job list --status running
  manage.py job pause 3f2a
  manage.py job retry 3f2a --set escalate_cloud.provider=other --at 02:30
  manage.py job priority 3f2a 10

Workers do jobs: `manage.py up` runs some, `manage.py worker` one. A job is named by its id, or how that begins.
"""

_ACTIONS: dict[str, tuple[Callable[[DetectJob], None], str]] = {
    "pause": (job_pause, "stop after the chunks that are being worked on"),
    "resume": (job_resume, "go on with paused or failed jobs where they were"),
    "cancel": (job_cancel, "end jobs for good"),
    "delete": (job_delete, "remove jobs with their checkpoints, and frames nobody else needs"),
}


class Command(BaseCommand):
    help = "Submit jobs to the workers, watch and steer them."
    requires_system_checks = (INSTALLATION,)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(
            prog_name, subcommand, epilog=_EXAMPLES, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        submit = actions.add_parser("submit", help="give a video to the workers")
        submit.add_argument("video", type=Path)
        submit.add_argument("--brands", metavar="LIST", help="names with commas between, or a CSV of name,alias;alias")
        add_profile_argument(submit)
        _add_order_arguments(submit)
        retry = actions.add_parser("retry", help="ask about unresolved candidates again, elsewhere or later")
        retry.add_argument("job")
        retry.add_argument("--from", dest="stage", default="escalate_vlm", metavar="STAGE")
        _add_order_arguments(retry)
        for name, (_, text) in _ACTIONS.items():
            actions.add_parser(name, help=text).add_argument("jobs", nargs="+", metavar="job")
        priority = actions.add_parser("priority", help="higher goes first, from the next chunk on")
        priority.add_argument("job")
        priority.add_argument("priority", type=int)
        actions.add_parser("follow", help="show a job's progress until it ends").add_argument("job")
        listed = actions.add_parser("list", help="the newest jobs")
        listed.add_argument("--status", choices=JobStatus.values)
        listed.add_argument("--limit", type=int, default=20)

    def handle(self, *args: Any, **options: Any) -> None:
        act = getattr(self, f"_{options['action']}", None)
        if act is not None:
            act(options)
            return
        prepare(queue=True)
        for text in options["jobs"]:
            job = job_find(text)
            _ACTIONS[options["action"]][0](job)
            self.stdout.write(f"{job.id} {'deleted' if options['action'] == 'delete' else job.status}")

    def _submit(self, options: dict[str, Any]) -> None:
        overrides = parse_assignments(options["set"])
        resolve_arguments(options["profile"], overrides)
        listed = None if options["brands"] is None else read_brand_list(options["brands"])
        order = _order(options)
        check_name(options["video"])
        video = options["video"].resolve()
        probed = probe(video)
        prepare(queue=True)
        submission = job_submit(
            asset=asset_ensure(probed=probed),
            video_path=str(video),
            profile=options["profile"],
            overrides=overrides,
            brands=None if listed is None else brands_ensure(listed=listed),
            order=order,
        )
        self._announce(submission.job, options)

    def _retry(self, options: dict[str, Any]) -> None:
        overrides, order = parse_assignments(options["set"]), _order(options)
        prepare(queue=True)
        job = job_replay(
            parent=job_find(options["job"]),
            start_stage=options["stage"],
            overrides=overrides,
            run_type=RunType.RETRY,
            order=order,
        )
        self._announce(job, options)

    def _announce(self, job: DetectJob, options: dict[str, Any]) -> None:
        self.stdout.write(str(job.id))
        if options["follow"]:
            _follow(job)

    def _priority(self, options: dict[str, Any]) -> None:
        prepare()
        job = job_find(options["job"])
        job_change(job, priority=options["priority"])
        self.stdout.write(f"{job.id} priority {job.priority}")

    def _follow(self, options: dict[str, Any]) -> None:
        prepare()
        _follow(job_find(options["job"]))

    def _list(self, options: dict[str, Any]) -> None:
        prepare()
        jobs = DetectJob.objects.all()
        if options["status"]:
            jobs = jobs.filter(status=options["status"])
        table = Table(header_style="bold")
        for heading in ("job", "status", "done", "stage", "kind", "brands", "priority", "video", "asked for"):
            table.add_column(heading)
        for job in jobs[: options["limit"]]:
            cells = (str(job.id)[:8], job.status, f"{job.progress:.0%}", job.current_stage, job.run_type)
            asked = f"{job.created_at:%Y-%m-%d %H:%M}"
            table.add_row(*cells, str(job.brands_found), str(job.priority), Path(job.video_path).name, asked)
        consoles()[0].print(table)


def _add_order_arguments(parser: ArgumentParser) -> None:
    add_set_argument(parser)
    parser.add_argument("--tag", action="append", default=[], help="a word to find it by; may be given again")
    parser.add_argument("--priority", type=int, default=0, help="higher goes first (default %(default)s)")
    parser.add_argument("--at", metavar="TIME", help="start then: HH:MM (UTC, the next), or an ISO date and time")
    parser.add_argument("--follow", action="store_true", help="show its progress until it ends")


def _order(options: dict[str, Any]) -> Order:
    return Order(
        requested_by="command",
        tags=options["tag"],
        priority=options["priority"],
        scheduled_for=None if options["at"] is None else moment(options["at"]),
        queued=True,
    )


def _follow(job: DetectJob) -> None:
    """Print log lines above a bar until the job has ended."""
    _, console = consoles()
    columns = (TextColumn("{task.description:<16}"), BarColumn(bar_width=30), TextColumn("{task.percentage:>4.0f} %"))
    seen = 0
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(job.current_stage or job.status, total=1.0)
        while True:
            for event in events_after(job_id=job.id, number=seen):
                seen = event.number
                if event.kind == EventKind.LOG:
                    progress.console.print(event.data["line"], soft_wrap=True, highlight=False, markup=False)
                elif event.kind == EventKind.UPDATE:
                    name = event.data["stage"] or event.data["status"]
                    progress.update(task, completed=event.data["progress"], description=name)
            job.refresh_from_db()
            if job.status in (*ENDED, JobStatus.PAUSED) and job.last_event <= seen:
                break
            time.sleep(0.3)
    console.print(f"{job.status}: {job.error_message or f'{job.brands_found} brands found'}", markup=False)
    if job.status == JobStatus.FAILED:
        raise SystemExit(1)
