"""``manage.py replay_jobs``: run many jobs again from a stage on, with the same options."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console

from detect.options import parse_assignments
from detect.persistence import database_errors
from jobs.bulk.batches import BatchSettings, Planned, Selection, batch_plan, batch_select, batch_settings, batch_totals
from jobs.bulk.book import BatchOrder, Outcome, Result, failed
from jobs.bulk.console import BatchBar, batch_json, batch_line, failure_table, looking, plan_table
from jobs.bulk.runs import batch_run_here, batch_run_queued
from jobs.bulk.schedules import Schedule
from jobs.choices import JobStatus
from jobs.console import consoles
from jobs.engine import engine_resources
from jobs.management.arguments import add_batch_arguments, add_set_argument, confirm_cost, day, schedule
from jobs.management.workers import check_workers
from jobs.stopping import Stop, stop_on_signal
from mediaproc.checks import INSTALLATION
from mediaproc.services import prepare

_EXAMPLES = """
examples:
  manage.py replay_jobs --from match_brands --dry-run
  manage.py replay_jobs --set match_brands.min_similarity=0.9 --profile motorsport --since 2026-01-01
  manage.py replay_jobs --from escalate_cloud --tag cup --max-cost 5 --schedule 01:00-05:00
  manage.py replay_jobs 3f2a 77c1 --from run_ocr --here --json

Every job keeps its own options; those of --set come over them. The jobs are kept as they are: a replay adds a branch.

Resuming: replays of one batch carry the tag replay:DIGEST, a digest of --from and --set, by which pages and lists find
them (`--tag` here and in /detect/jobs). The same command again leaves out jobs whose replay with these settings, and
with the brands known now, has completed, goes on with those that did not finish, and makes the others. --again replays
all anew. With --replays the batch's own replays are not replayed.

Money: before anything runs, what models can cost at most is worked out and asked about. Each replay gets its own
estimate as its limit. With --max-cost the sum of these limits, and of what the batch has spent in earlier runs, stays
within it: the batch stops before the first replay for which not enough is left.

Exit code: 1 when a replay failed or could not be started, 130 when stopped with Ctrl-C, 0 otherwise.
"""


class Command(BaseCommand):
    help = "Run many jobs again from a stage on, with the same options; tells first what that takes."
    requires_system_checks = (INSTALLATION,)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(
            prog_name, subcommand, epilog=_EXAMPLES, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("jobs", nargs="*", metavar="job", help="these jobs only: ids, or how they begin")
        parser.add_argument(
            "--from", dest="stage", default="", metavar="STAGE", help="first stage to run again (default: of --set)"
        )
        add_set_argument(parser)
        _add_filters(parser)
        parser.add_argument("--tag-result", action="append", default=[], metavar="TAG", help="a tag for the replays")
        parser.add_argument("--again", action="store_true", help="replay also what has completed with these settings")
        parser.add_argument("--dry-run", action="store_true", help="print what each replay and all would take, and end")
        parser.add_argument(
            "--schedule",
            metavar="TIME",
            help="HH:MM (UTC, the next), an ISO date and time, or a daily window such as 01:00-05:00 to start in",
        )
        add_batch_arguments(parser, workers=True)

    def handle(self, *args: Any, **options: Any) -> None:
        with stop_on_signal() as stop, database_errors():
            self._replay(stop, options)

    def _replay(self, stop: Stop, options: dict[str, Any]) -> None:
        settings = batch_settings(start_stage=options["stage"], overrides=parse_assignments(options["set"]))
        selection = _selection(options)
        starts = Schedule() if options["schedule"] is None else schedule(options["schedule"])
        engine_resources().object_weights_path()
        prepare(queue=options["workers"] and not options["dry_run"])
        output, progress = consoles(quiet=options["json"])
        plan = _plan(batch_select(selection, settings), options, progress, stop)
        if options["dry_run"]:
            self._show(settings, plan, None, output, options)
            raise SystemExit(1 if batch_totals(plan).problems else 0)
        if not plan:
            progress.print("No job fits.")
        results = self._run(plan, starts, output, progress, stop, options)
        self._show(settings, plan, results, output, options)
        if failed(results):
            raise SystemExit(1)

    def _run(
        self,
        plan: Sequence[Planned],
        starts: Schedule,
        output: Console,
        progress: Console,
        stop: Stop,
        options: dict[str, Any],
    ) -> list[Result]:
        if batch_totals(plan).usd:
            output.print(plan_table(plan))
        if not confirm_cost(batch_totals(plan).usd, options, progress):
            raise SystemExit(1)
        if options["workers"] and any(one.open for one in plan):
            check_workers(starts, progress)
        with BatchBar(progress, sum(one.open for one in plan)) as watch:
            order = BatchOrder(
                watch=watch,
                checkpoint=stop.check,
                wait=time.sleep,
                tags=tuple(options["tag_result"]),
                most_usd=options["max_cost"],
                again=options["again"],
                schedule=starts,
            )
            return batch_run_queued(plan, order) if options["workers"] else batch_run_here(plan, order)

    def _show(
        self,
        settings: BatchSettings,
        plan: Sequence[Planned],
        results: list[Result] | None,
        output: Console,
        options: dict[str, Any],
    ) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(batch_json(settings, plan, results), indent=1))
        elif results is None:
            output.print(plan_table(plan))
        else:
            if failed(results):
                output.print(failure_table(failed(results)))
            left = [result for result in results if result.outcome == Outcome.NOT_STARTED]
            if left:
                output.print(f"Stopped by --max-cost: {left[0].reason}.", soft_wrap=True, markup=False)
            output.print(f"{batch_line(results)}. Tag: {settings.tag}", soft_wrap=True, highlight=False, markup=False)


def _plan(wanted: Sequence[Any], options: dict[str, Any], progress: Console, stop: Stop) -> list[Planned]:
    with looking(progress, len(wanted)) as step:

        def looked(_: Planned) -> None:
            stop.check()
            step()

        return batch_plan(wanted, again=options["again"], looked=looked)


def _add_filters(parser: ArgumentParser) -> None:
    parser.add_argument("--profile", default="", help="jobs of this kind of footage")
    parser.add_argument("--since", metavar="DATE", help="asked for on this day (UTC) or later")
    parser.add_argument("--until", metavar="DATE", help="asked for on this day or earlier")
    parser.add_argument("--brand", default="", help="on videos where this brand was seen; any spelling, or its id")
    parser.add_argument("--tag", default="", help="with this tag")
    parser.add_argument(
        "--status",
        action="append",
        default=[],
        choices=JobStatus.values,
        help="in this state (default: completed; of jobs named by id, any); may be given again",
    )
    parser.add_argument("--search", default="", help="part of path, tag or requester, or how an id begins")
    parser.add_argument("--replays", action="store_true", help="replays and retries too, not only first runs")
    parser.add_argument("--latest-per-asset", action="store_true", help="of each video the latest job that fits")


def _selection(options: dict[str, Any]) -> Selection:
    return Selection(
        jobs=tuple(options["jobs"]),
        profile=options["profile"],
        since=None if options["since"] is None else day(options["since"]),
        until=None if options["until"] is None else day(options["until"]),
        brand=options["brand"],
        tag=options["tag"],
        statuses=tuple(options["status"]),
        search=options["search"],
        replays=options["replays"],
        latest_per_asset=options["latest_per_asset"],
    )
