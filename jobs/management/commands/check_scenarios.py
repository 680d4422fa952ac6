"""``manage.py check_scenarios``: replay the bookmarked scenarios and tell what got better and what got worse."""

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
from jobs.bulk.batches import batch_plan, batch_settings, batch_totals
from jobs.bulk.book import BatchOrder
from jobs.bulk.console import BatchBar
from jobs.bulk.regression_console import case_json, case_line, case_table
from jobs.bulk.regressions import Case, CaseResult, cases_judge, expectations_update, scenario_cases
from jobs.bulk.runs import batch_run_here, batch_run_queued
from jobs.bulk.schedules import Schedule
from jobs.console import consoles
from jobs.engine import engine_resources
from jobs.management.arguments import add_batch_arguments, add_set_argument, check_can_ask, confirm, confirm_cost
from jobs.management.workers import check_workers
from jobs.stopping import Stop, stop_on_signal
from mediaproc.checks import INSTALLATION
from mediaproc.services import prepare

_TAG = "scenario-check"
_REPLACE = "Replace the expectations by what the replays show?"
_NONE = """No scenario has an expectation{among}. To make one, bookmark a checkpoint (`manage.py checkpoints JOB` lists
their ids) and expect of it what its job's report shows now:
  PATCH /detect/checkpoints/ID/bookmark  {{"label": "night match, small boards", "expect": "current"}}"""
_EXAMPLES = """
examples:
  manage.py check_scenarios
  manage.py check_scenarios --set match_brands.min_similarity=0.9
  manage.py check_scenarios --set run_ocr.detect_side=1600 --label night --json
  manage.py check_scenarios --set match_brands.min_similarity=0.9 --update --yes

A scenario is replayed from the stage behind its checkpoint on, or from the first stage that --set changes where that
comes earlier. Its replay is kept as a branch, tagged scenario-check. Without --set the expectations alone decide: do
the stages as they are now still meet them? What a stage of the same version has stored is reused in any case.

Exit code: 1 when a brand was lost, is farther from its expected seconds and outside their tolerance, or a replay
failed; 0 otherwise, and when --update has made the losses what is expected.
"""


class Command(BaseCommand):
    help = "Replay every scenario that has an expectation, and tell what got better and what got worse."
    requires_system_checks = (INSTALLATION,)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(
            prog_name, subcommand, epilog=_EXAMPLES, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_set_argument(parser)
        parser.add_argument("--label", default="", metavar="PART", help="only scenarios with this in their label")
        parser.add_argument(
            "--from", "--from-option", dest="stage", default="", metavar="STAGE", help="replay all from this stage on"
        )
        parser.add_argument(
            "--update", action="store_true", help="what the replays show becomes what is expected; asks first"
        )
        add_batch_arguments(parser, workers=False)

    def handle(self, *args: Any, **options: Any) -> None:
        with stop_on_signal() as stop, database_errors():
            self._check(stop, options)

    def _check(self, stop: Stop, options: dict[str, Any]) -> None:
        overrides = parse_assignments(options["set"])
        if overrides or options["stage"]:
            batch_settings(start_stage=options["stage"], overrides=overrides)
        engine_resources().object_weights_path()
        prepare(queue=options["workers"])
        output, progress = consoles(quiet=options["json"])
        if options["update"]:
            check_can_ask(_REPLACE, options, progress)
        cases = scenario_cases(overrides=overrides, start_stage=options["stage"], label=options["label"])
        if not cases:
            among = f" whose label has '{options['label']}' in it" if options["label"] else ""
            output.print(_NONE.format(among=among), markup=False, highlight=False, soft_wrap=True)
        results = _replay(cases, progress, stop, options) if cases else []
        if results:
            output.print(case_table(results))
            output.print(case_line(results), highlight=False, soft_wrap=True)
        updated = self._update(results, output, progress, options) if options["update"] and results else None
        if options["json"]:
            self.stdout.write(json.dumps(case_json(overrides, results, updated=updated or 0), indent=1))
        if any(result.problem if updated is not None else result.failed for result in results):
            raise SystemExit(1)

    def _update(
        self, results: Sequence[CaseResult], output: Console, progress: Console, options: dict[str, Any]
    ) -> int | None:
        """How many expectations were replaced; None where a person did not want it."""
        if not confirm(_REPLACE, options, progress):
            return None
        updated = expectations_update(results, by="command")
        output.print(f"{updated} expectations replaced.", highlight=False)
        return updated


def _replay(cases: Sequence[Case], progress: Console, stop: Stop, options: dict[str, Any]) -> list[CaseResult]:
    plan = batch_plan([case.wanted for case in cases], again=True, looked=lambda _: stop.check())
    if not confirm_cost(batch_totals(plan).usd, options, progress):
        raise SystemExit(1)
    if options["workers"]:
        check_workers(Schedule(), progress)
    with BatchBar(progress, sum(one.open for one in plan)) as watch:
        order = BatchOrder(
            watch=watch,
            checkpoint=stop.check,
            wait=time.sleep,
            tags=(_TAG,),
            most_usd=options["max_cost"],
            again=True,
        )
        results = batch_run_queued(plan, order) if options["workers"] else batch_run_here(plan, order)
    return cases_judge(cases, results)
