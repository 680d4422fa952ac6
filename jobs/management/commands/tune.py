"""``manage.py tune CLIP... --try STAGE.OPTION=VALUES``: search the options that suit one's own footage."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console

from detect.errors import CancelledError, ConfigError, MediaprocError
from detect.option_choices import read_choices
from detect.option_search import SEARCHES, Objective, check_grid
from detect.option_session import Session
from detect.option_trials import Case
from detect.options import parse_assignments
from detect.persistence import database_errors
from detect.registry import load_pipeline
from jobs.console import consoles
from jobs.engine import engine_resources
from jobs.management.arguments import add_profile_argument, add_set_argument, dollars, resolve_arguments
from jobs.profiles import profile_name
from jobs.stopping import Stop, stop_on_signal
from jobs.tuning.bench import tuning_bench, tuning_forget
from jobs.tuning.clips import check_apart, clip_case, clips_named, named_apart, scenario_cases
from jobs.tuning.console import LEGEND, TuningProgress, held_out_table, moved_table, trials_table, verdict
from jobs.tuning.keeping import best_save, how_to_use
from jobs.tuning.results import check_results_path, results_json, write_results
from mediaproc.checks import INSTALLATION
from mediaproc.services import prepare

_EXAMPLES = """
examples:
  manage.py tune clips/ --try match_brands.min_similarity=0.75,0.8,0.85
  manage.py tune derby.mp4 cup.mp4 --hold-out final.mp4 --try run_ocr.detect_side=960:1600:128 \\
      --try match_brands.min_confidence=0.5:0.8:0.1 --save-profile "Our ground"
  manage.py tune medium-1 medium-2 --hold-out medium-3 --try run_ocr.line_threshold=0.3:0.6:0.1 --search grid
  manage.py tune --scenario night --try compile_report.bridge_seconds=1:3:0.5 --out tuning.csv
  manage.py tune --forget

A CLIP is NAME.mp4 with NAME.truth.json and NAME.brands.csv beside it, a folder with one video, truth.json and
brands.csv, a folder of such clips or folders, or LEVEL-SEED (easy, medium, hard), a synthetic match that is rendered
once. truth.json lists what is on screen: [{"brand": "Acme", "t_start": 1.5, "t_end": 4.0}, ...], in seconds, with
"uncertain": true for what shall not count. A --scenario is a bookmarked checkpoint with an expectation; it is judged by
each brand's seconds in all.

The search: one-by-one tries the values of one option after another, the others at the best known, and goes round again
while that helps; grid tries every combination; random draws some (--trials, --seed). Best is the highest F1 with at
least --min-precision; of equals the cheaper, then the faster. Clips that are held out are run at the end only, with the
settings as they are and the best ones: when these are worse there, they fit the other clips alone.

Nothing is computed twice, by the next trial or by the same command after Ctrl-C, and nothing of it goes into jobs,
brands or the review: trials keep what they compute in a folder of their own, which --forget removes.
"""


class Command(BaseCommand):
    help = "Search the options that suit your footage: accuracy, time and cost of settings on clips of known truth."
    requires_system_checks = (INSTALLATION,)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(
            prog_name, subcommand, epilog=_EXAMPLES, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("clips", nargs="*", metavar="CLIP", help="what to tune on: a video, a folder, LEVEL-SEED")
        parser.add_argument(
            "--try",
            dest="tries",
            metavar="STAGE.OPTION=VALUES",
            action="append",
            default=[],
            help="values to try, with commas between, or first:last:step; may be given again for other options",
        )
        parser.add_argument(
            "--hold-out",
            metavar="CLIP",
            action="append",
            default=[],
            help="a clip for the end; may be given again",
        )
        parser.add_argument(
            "--scenario",
            metavar="LABEL",
            action="append",
            default=[],
            help="tune on the scenarios with this in their label too; may be given again",
        )
        parser.add_argument("--search", choices=SEARCHES, default=SEARCHES[0], help="default %(default)s")
        parser.add_argument("--trials", type=int, metavar="N", help="try at most so many settings besides the present")
        parser.add_argument("--seed", type=int, default=0, help="of the random search (default %(default)s)")
        parser.add_argument(
            "--min-precision",
            type=float,
            default=0.95,
            metavar="SHARE",
            help="settings below this precision are not the best, whatever their F1 (default %(default)s)",
        )
        add_profile_argument(parser)
        add_set_argument(parser)
        parser.add_argument(
            "--seconds", type=float, default=20.0, help="length of synthetic matches (default %(default)g)"
        )
        parser.add_argument(
            "--max-cost",
            type=dollars,
            default=Decimal(0),
            metavar="USD",
            help="what models may cost (default: they are not asked)",
        )
        parser.add_argument("--out", type=Path, metavar="FILE", help="write the results to a .json or .csv file")
        parser.add_argument("--json", action="store_true", help="print the results as JSON and nothing else")
        parser.add_argument("--save-profile", metavar="NAME", default="", help="save the best settings as a profile")
        parser.add_argument(
            "--forget", action="store_true", help="remove all that trials have stored, synthetic matches too, and end"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["forget"]:
            self.stdout.write(f"{tuning_forget() / 1e6:.1f} MB of trials removed.")
            return
        with stop_on_signal() as stop, database_errors(), ExitStack() as local:
            self._tune(stop, local, options)

    def _tune(self, stop: Stop, local: ExitStack, options: dict[str, Any]) -> None:
        _check(options)
        overrides = parse_assignments(options["set"])
        pipeline = load_pipeline("brands")
        choices = read_choices(options["tries"], pipeline, resolve_arguments(options["profile"], overrides))
        if options["search"] == "grid":
            check_grid(choices, options["trials"])
        output, console = consoles(quiet=options["json"])
        logos: dict[str, Path] = {}
        cases = _cases(options["clips"], options, console, logos)
        held_out = _cases(options["hold_out"], options, console, logos)
        engine_resources().object_weights_path()
        prepare()
        cases += scenario_cases(options["scenario"], local)
        if not cases:
            raise ConfigError("nothing to tune on: name a clip or a --scenario (`manage.py tune --help` has examples)")
        check_apart(cases, held_out)
        with TuningProgress(console, len(pipeline.stages)) as watch:
            session = Session(
                bench=tuning_bench(
                    pipeline, logos=logos, most_usd=options["max_cost"], listener=watch, checkpoint=stop.check
                ),
                profile=options["profile"],
                overrides=overrides,
                choices=choices,
                cases=named_apart(cases),
                held_out_cases=named_apart(held_out),
                objective=Objective(options["min_precision"]),
                watch=watch,
                kind=options["search"],
                most=options["trials"],
                seed=options["seed"],
            )
            watch.expect(session.at_most)
            try:
                session.run()
            except (CancelledError, KeyboardInterrupt, MediaprocError):
                watch.stop()
                self._show(session, output, options)
                raise
        self._show(session, output, options)
        if session.best is session.present:
            return
        saved = best_save(session, options["save_profile"]) if options["save_profile"] else ""
        for line in how_to_use(session, saved):
            output.print(line, highlight=False, markup=False, soft_wrap=True)

    def _show(self, session: Session, output: Console, options: dict[str, Any]) -> None:
        """What is known until now."""
        if not session.trials:
            return
        if options["out"]:
            write_results(options["out"], session)
        if options["json"]:
            self.stdout.write(results_json(session), ending="")
            return
        output.print(trials_table(session))
        output.print(LEGEND, highlight=False, soft_wrap=True)
        best, present = (session.figures[trial.setting] for trial in (session.best, session.present))
        moved = moved_table(session.cases, present, best, "What the best settings move")
        if moved is not None:
            output.print(moved)
        if session.finished and session.held_out:
            output.print(held_out_table(session))
        for line in verdict(session):
            output.print(line, highlight=False, markup=False, soft_wrap=True)


def _check(options: dict[str, Any]) -> None:
    """What can be wrong with the arguments alone. Raises ``ConfigError``."""
    if not 0 <= options["min_precision"] <= 1:
        raise ConfigError(f"--min-precision {options['min_precision']:g}: give a share from 0 to 1, such as 0.95")
    if options["trials"] is not None and options["trials"] < 1:
        raise ConfigError(f"--trials {options['trials']}: at least 1 setting must be tried")
    if not 1 <= options["seconds"] <= 600:
        raise ConfigError(f"--seconds {options['seconds']:g}: a synthetic match is 1 to 600 seconds long")
    if options["out"]:
        check_results_path(options["out"])
    if options["save_profile"]:
        profile_name(options["save_profile"])


def _cases(texts: list[str], options: dict[str, Any], console: Console, logos: dict[str, Path]) -> list[Case]:
    def tell(line: str) -> None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    return [clip_case(clip, logos, tell) for clip in clips_named(texts, seconds=options["seconds"], told=tell)]
