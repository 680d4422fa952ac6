"""``manage.py models``: which models pipelines need, where they were found, and fetching those that can be."""

from __future__ import annotations

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.markup import escape
from rich.progress import DownloadColumn, Progress, SpinnerColumn, TextColumn, TransferSpeedColumn
from rich.table import Table

from detect.errors import ConfigError
from detect.registry import broken_pipelines, load_pipeline, pipeline_names
from jobs.annotation.catalog import ModelState, models_of
from jobs.console import consoles
from jobs.model_shelf import model_download
from mediaproc.checks import INSTALLATION

_HELP = """
Pipelines name the models they need, and each is looked for in this order; the first that is there is used:
  1. a setting, an environment variable with a file or folder (the list names it)
  2. the file of models (MEDIAPROC_MODELS; docs/weights.md)
  3. model_weights/ in the program's folder, then model_weights/ in the data folder
  4. an installed Python package that carries it
  5. what --fetch has fetched before, into the data folder
A pipeline with a missing model takes no jobs; one that is missing a model it can do without leaves out what that gives.
Nothing is fetched unless you say so. What comes is held against the SHA-256 that the pipeline's declaration has.

examples:
  manage.py models                   which models there are and where, and what to do about those that are missing
  manage.py models --fetch faces     fetch one
  manage.py models --fetch --all     fetch every one that is missing and can be fetched
  manage.py models --json | jq '.[] | select(.found | not)'
"""


class Command(BaseCommand):
    help = "List the models that pipelines need and where they are; fetch those that are missing."
    requires_system_checks = (INSTALLATION,)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(
            prog_name, subcommand, epilog=_HELP, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--fetch", nargs="*", metavar="NAME", help="fetch these models, with their checksums checked"
        )
        parser.add_argument("--all", action="store_true", help="with --fetch: every model that is missing")
        parser.add_argument("--json", action="store_true", help="print the list as JSON and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        output, progress = consoles(quiet=options["json"])
        if options["fetch"] is not None or options["all"]:
            _fetch(_wanted(options["fetch"] or (), everything=options["all"]), progress)
        found, needed = _models()
        if options["json"]:
            self.stdout.write(json.dumps([_plain(model, needed[name]) for name, model in found.items()], indent=2))
            return
        output.print(_table(found, needed))
        for key, reason in broken_pipelines().items():
            output.print(f"[yellow]The pipeline '{escape(key)}' cannot be used: {escape(reason)}", soft_wrap=True)


def _models() -> tuple[dict[str, ModelState], dict[str, list[str]]]:
    """Every model by name, and the pipelines that use it."""
    found: dict[str, ModelState] = {}
    needed: dict[str, list[str]] = {}
    broken = broken_pipelines()
    for key in pipeline_names():
        for model in models_of(load_pipeline(key)) if key not in broken else ():
            found.setdefault(model.name, model)
            needed.setdefault(model.name, []).append(key)
    return found, needed


def _wanted(names: Sequence[str], *, everything: bool) -> list[str]:
    """Raises ``ConfigError`` for an unknown model, one that nobody can fetch, and where none is named."""
    found, _ = _models()
    if everything:
        return [name for name, model in found.items() if not model.found and model.need.download is not None]
    if not names:
        raise ConfigError("--fetch: name the models to fetch, or add --all")
    for name in names:
        if name not in found:
            raise ConfigError(f"there is no model '{name}': there are {', '.join(found)}")
        if found[name].need.download is None:
            raise ConfigError(f"nobody has said where '{name}' can be fetched: {found[name].reason or 'it is here'}")
    return list(dict.fromkeys(names))


def _fetch(names: Sequence[str], console: Console) -> None:
    if not names:
        console.print("There is nothing to fetch: no model is missing that can be fetched.")
    columns = (SpinnerColumn(), TextColumn("{task.description}"), DownloadColumn(), TransferSpeedColumn())
    for name in names:
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task(f"fetching {name}", total=None)

            def told(size: int, bar: Progress = bar, task: Any = task) -> None:
                bar.update(task, completed=size)

            path = model_download(name, told=told)
        console.print(f"{name}: {_size(path)}, its checksum is right", soft_wrap=True)


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"


def _table(found: dict[str, ModelState], needed: dict[str, list[str]]) -> Table:
    table = Table(expand=True)
    for heading, share in (("model", 2), ("for", 3), ("what it is for", 4), ("where it is, or what to do", 8)):
        table.add_column(heading, ratio=share, overflow="fold")
    for name, model in found.items():
        table.add_row(
            f"[{'green' if model.found else 'dim' if model.need.optional else 'red'}]{escape(name)}",
            escape(", ".join(needed[name])),
            escape(model.need.what) + (" [dim](optional)" if model.need.optional else ""),
            escape(_where(model)),
        )
    return table


def _where(model: ModelState) -> str:
    if not model.found:
        return f"missing: {model.reason}"
    place = model.place or "fetched when it is first used"
    return f"{place}\nSHA-256 {model.sha256}" if model.sha256 else place


def _plain(model: ModelState, pipelines: list[str]) -> dict[str, Any]:
    return {
        "name": model.name,
        "what": model.need.what,
        "pipelines": pipelines,
        "optional": model.need.optional,
        "found": model.found,
        "place": model.place or None,
        "sha256": model.sha256,
        "reason": model.reason or None,
        "can_be_fetched": model.need.download is not None,
    }
