"""``manage.py pitstop VIDEO``: from a video file to an annotated one and its times, in the foreground."""

from __future__ import annotations

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.core.management.base import BaseCommand
from django.core.serializers.json import DjangoJSONEncoder

from detect.errors import ConfigError
from detect.exports.files import copy_atomic, make_folder, write_atomic
from detect.media.probe import Probe, probe
from detect.options import Overrides, parse_assignments
from detect.persistence import database_errors
from detect.stages.time_zones import TimeZones
from detect.zones import Zone, check_zones
from jobs.assets.intake import Intake
from jobs.choices import PITSTOP, JobStatus
from jobs.console import consoles, metrics_table
from jobs.engine import engine_resources
from jobs.made_files import MadeFiles
from jobs.management.arguments import (
    add_profile_argument,
    add_set_argument,
    check_name,
    make_writable_folder,
    resolve_arguments,
)
from jobs.management.foreground import run_job
from jobs.models import DetectJob
from jobs.pitstop.metrics import metrics_of
from jobs.pitstop.selectors import finished_output, output_name
from jobs.pitstop.services import PROFILE, pitstop_overrides, pitstop_submit
from jobs.services import Order, asset_ensure
from jobs.stopping import Stop, stop_on_signal
from mediaproc.checks import INSTALLATION
from mediaproc.services import prepare

_EXAMPLES = """
examples:
  manage.py pitstop stop.mp4 --weights best.pt --output annotated.mp4
  manage.py pitstop stop.mp4 --zones zones.json --threshold 0.4
  manage.py pitstop stop.mp4 --set 'detect_each_frame.classes=["car", "person"]' --json | jq .stop_time_s

ZONES is a list in JSON or YAML; points are fractions of the picture's width and height, from the upper left corner:
  [{"name": "Fuel", "points": [[0.1, 0.2], [0.4, 0.2], [0.4, 0.8]], "classes": ["person"], "measure": "fuel"}]
measure is what its time stands for: fuel, driver_out, driver_in, front_left_tyre, front_right_tyre, back_left_tyre or
back_right_tyre; none for itself. Zones are drawn in the browser, too, on the page of a job.

Beside the annotated video lies a .json of the same name with all times. Stopped with Ctrl-C or killed, the same command
goes on where it was; with other zones it detects and follows nothing again.
"""


class Command(BaseCommand):
    help = "Follow cars and crew through a video, time the stop and zones, and draw it all into a video."
    requires_system_checks = (INSTALLATION,)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(
            prog_name, subcommand, epilog=_EXAMPLES, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("video", type=Path, help="the video file")
        parser.add_argument(
            "--weights",
            type=Path,
            metavar="FILE",
            help="YOLO weights, .pt or .onnx (default: PITSTOP_YOLO_WEIGHTS_PATH, or best.pt in model_weights/)",
        )
        parser.add_argument(
            "--threshold",
            type=float,
            metavar="0.01-1",
            help=f"how sure the model must be of an object once (default {settings.PITSTOP_YOLO_THRESHOLD:g})",
        )
        parser.add_argument("--zones", type=Path, metavar="FILE", help="zones in which time is taken, JSON or YAML")
        parser.add_argument(
            "--output", type=Path, metavar="FILE", help="the annotated video, .mp4 (default: in the data folder)"
        )
        add_profile_argument(parser, default=PROFILE)
        add_set_argument(parser)
        parser.add_argument("--json", action="store_true", help="print the times as JSON and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        with stop_on_signal() as stop, database_errors():
            self._time(stop, options)

    def _time(self, stop: Stop, options: dict[str, Any]) -> None:
        resolve_arguments(options["profile"], {}, PITSTOP)
        overrides = _overrides(options)
        resolved = resolve_arguments(options["profile"], overrides, PITSTOP)
        _check_weights(options["weights"], resolved.options[TimeZones.name].zones)
        check_name(options["video"])
        probed = probe(options["video"].resolve())
        _check_output(options["output"])
        prepare()
        output, progress = consoles(quiet=options["json"])
        job = _submit(probed, options["profile"], overrides)
        if job.status != JobStatus.PENDING:
            progress.print(f"Going on with job {job.id}, which did not finish.")
        run_job(job, progress=progress, stop=stop)
        metrics, film = _deliver(job, options["output"])
        if options["json"]:
            self.stdout.write(_json(metrics))
            return
        output.print(metrics_table(metrics))
        for problem in metrics["problems"]:
            output.print(f"[yellow]{problem}", soft_wrap=True)
        output.print(f"Annotated video: {film}", soft_wrap=True)
        output.print(f"Job {job.id}: its page is /pitstop/{job.id}", soft_wrap=True)


def _overrides(options: dict[str, Any]) -> Overrides:
    zones = None if options["zones"] is None else _read_zones(options["zones"])
    others = parse_assignments(options["set"])
    return pitstop_overrides(zones=zones, threshold=options["threshold"], profile=options["profile"], others=others)


def _read_zones(path: Path) -> list[Mapping[str, Any]]:
    """Raises ``ConfigError``; what a zone has is checked with the other options."""
    try:
        zones = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"--zones {path}: the file cannot be read: {reason}") from error
    except yaml.YAMLError as error:
        reason = str(getattr(error, "problem", None) or "its text has characters that YAML does not allow")
        raise ConfigError(f"--zones {path}: is neither JSON nor YAML: {reason}") from error
    if not isinstance(zones, list):
        raise ConfigError(f"--zones {path}: must be a list of zones; `manage.py pitstop --help` shows one")
    return zones


def _check_weights(weights: Path | None, zones: tuple[Zone, ...]) -> None:
    """Load the detector. Raises ``WeightsError`` for one that cannot be used, ``ConfigError`` for a zone that counts
    what it does not know.
    """
    if weights is not None:
        if not weights.is_file():
            raise ConfigError(f"--weights {weights}: there is no such file")
        settings.PITSTOP_YOLO_WEIGHTS_PATH = weights.resolve()
    check_zones(zones, engine_resources().tracking_model().open().class_names)


def _check_output(path: Path | None) -> None:
    if path is None:
        return
    if path.suffix.lower() != ".mp4" or path.is_dir():
        raise ConfigError(f"--output {path}: must be the name of a file that ends in .mp4")
    make_writable_folder(path.parent)


def _submit(probed: Probe, profile: str, overrides: Overrides) -> DetectJob:
    return pitstop_submit(
        intake=Intake(asset=asset_ensure(probed=probed), made=False),
        filename=Path(probed.path).name,
        profile=profile,
        others=overrides,
        go_on=True,
        order=Order(requested_by="command"),
    )


def _deliver(job: DetectJob, output: Path | None) -> tuple[dict[str, Any], Path]:
    """The job's metrics and annotated video, written to their places."""
    job.refresh_from_db()
    film = output or settings.REPORTS_FOLDER / str(job.id) / output_name(job)
    make_folder(film.parent)
    metrics = metrics_of(job)
    with MadeFiles(job.source_asset.sha256).local(finished_output(job)) as made:
        copy_atomic(made, film)
    write_atomic(film.with_suffix(".json"), _json(metrics).encode())
    return metrics, film


def _json(metrics: dict[str, Any]) -> str:
    return json.dumps(metrics, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False) + "\n"
