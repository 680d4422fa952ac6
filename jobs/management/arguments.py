"""Arguments that several commands share, and checks of what is given, made before anything runs."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from django.conf import settings
from django.utils import timezone
from rich.console import Console
from rich.prompt import Confirm

from detect.config import DEFAULT_PROFILE, ResolvedConfig, builtin_profiles, resolve, use_profiles_of
from detect.errors import ConfigError, MediaError, StorageError
from detect.exports.files import make_folder
from detect.matching import normalize
from detect.options import Overrides
from detect.providers.budget import as_text
from detect.registry import load_pipeline
from detect.types import KnownBrandRecord
from jobs.bulk.schedules import Schedule
from mediaproc import env
from mediaproc.services import prepare


def add_set_argument(parser: ArgumentParser) -> None:
    """``--set stage.option=value``, repeatable."""
    parser.add_argument(
        "--set",
        metavar="STAGE.OPTION=VALUE",
        action="append",
        default=[],
        help="set an option of a stage; may be given again. `manage.py stages` lists them all",
    )


def add_profile_argument(parser: ArgumentParser, default: str = DEFAULT_PROFILE) -> None:
    """``--profile``. The database, which has the saved ones, is not asked for the sake of a help text."""
    names = ", ".join(builtin_profiles())
    parser.add_argument(
        "--profile",
        default=default,
        help=f"kind of footage: {names}, or a saved profile's name (default %(default)s)",
    )


def resolve_arguments(profile: str, overrides: Overrides, pipeline: str = "brands") -> ResolvedConfig:
    """The options of a pipeline that a profile and overrides come to. Raises ``ConfigError``.

    The database is started for a profile that is not built in, unless there never was one.
    """
    if profile not in builtin_profiles():
        if settings.EMBEDDED_DATABASE and not env.DATA.postgres.exists():
            use_profiles_of(None)
        else:
            prepare()
    return resolve(load_pipeline(pipeline), profile, overrides)


def add_report_arguments(parser: ArgumentParser) -> None:
    """``--out`` and ``--json``."""
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the report (default: in the data folder)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON and nothing else")


def add_batch_arguments(parser: ArgumentParser, *, workers: bool) -> None:
    """``--max-cost``, ``--yes``, ``--json``, and ``--workers`` or ``--here``, of which one is the default."""
    parser.add_argument(
        "--max-cost", type=dollars, metavar="USD", help="stop before the replay with which all could cost more"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before money is spent or something replaced")
    where = parser.add_mutually_exclusive_group()
    where.set_defaults(workers=workers)
    standard = " (this is the default)"
    where.add_argument(
        "--workers", action="store_true", help=f"give the replays to the workers{standard if workers else ''}"
    )
    where.add_argument(
        "--here",
        action="store_false",
        dest="workers",
        help=f"run them in this process, one after another{'' if workers else standard}",
    )
    parser.add_argument("--json", action="store_true", help="print the results as JSON and nothing else")


def confirm(question: str, options: dict[str, Any], console: Console) -> bool:
    """Whether to go on: ``--yes``, or a person says so. Raises ``ConfigError`` where there is nobody to ask."""
    check_can_ask(question, options, console)
    if options["yes"]:
        return True
    return Confirm.ask(question, console=console, default=False)


def check_can_ask(question: str, options: dict[str, Any], console: Console) -> None:
    """Raises ``ConfigError`` where neither ``--yes`` nor a person can answer ``question``."""
    if not options["yes"] and not _somebody_there(options, console):
        raise ConfigError(f"{question} There is nobody to ask here: give --yes")


def confirm_cost(usd: Decimal, options: dict[str, Any], console: Console) -> bool:
    """The same about what replays can cost. Where there is nobody to ask, ``--max-cost`` is an answer too."""
    if not usd or (options["max_cost"] is not None and not _somebody_there(options, console)):
        return True
    most = usd if options["max_cost"] is None else min(usd, options["max_cost"])
    return confirm(f"Models can cost up to ${as_text(most)}. Go on?", options, console)


def _somebody_there(options: dict[str, Any], console: Console) -> bool:
    return console.is_terminal and sys.stdin.isatty() and not options["json"]


def dollars(text: str) -> Decimal:
    """An amount of money. Raises ``ConfigError`` for anything else."""
    try:
        usd = Decimal(text)
    except InvalidOperation:
        usd = Decimal(-1)
    if not (usd.is_finite() and usd >= 0):
        raise ConfigError(f"'{text}' is no amount of dollars: give one such as 2.50")
    return usd


def day(text: str) -> date:
    """Raises ``ConfigError`` for what is no date."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"'{text}' is no date: give one such as 2026-01-31") from error


def schedule(text: str) -> Schedule:
    """A :func:`moment` to start at, or a window ``HH:MM-HH:MM`` of every day, UTC. Raises ``ConfigError``."""
    first, dash, last = text.partition("-")
    if not dash or ":" not in first:
        return Schedule(start=moment(text))
    try:
        window = (time.fromisoformat(first.strip().zfill(5)), time.fromisoformat(last.strip().zfill(5)))
    except ValueError as error:
        raise ConfigError(f"'{text}' is no window of time: give one such as 01:00-05:00") from error
    if window[0] == window[1] or any(one.tzinfo for one in window):
        raise ConfigError(f"'{text}' is no window of time: give two times of a day, UTC")
    return Schedule(window=window)


def moment(text: str) -> datetime:
    """``HH:MM``, today or tomorrow whichever comes first, or an ISO date and time; UTC. Raises ``ConfigError``."""
    now = timezone.now()
    try:
        if len(text) <= 5:
            hours, minutes = map(int, text.split(":"))
            today = now.replace(hour=hours, minute=minutes, second=0, microsecond=0)
            return today if today > now else today + timedelta(days=1)
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"'{text}' is no time: give HH:MM or a date and time such as 2026-01-31T02:30") from error
    return given if given.tzinfo else given.replace(tzinfo=now.tzinfo)


def check_name(path: Path) -> None:
    """Raises ``MediaError`` for a file whose name cannot be kept or shown as text."""
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError as error:
        raise MediaError(f"{path}: its name is not UTF-8 text: rename it") from error


def make_writable_folder(path: Path | None) -> None:
    """Have the folder of ``--out``, if one was given. Raises ``StorageError`` when nothing can be written into it."""
    if path is None:
        return
    make_folder(path)
    if not os.access(path, os.W_OK | os.X_OK):
        raise StorageError(f"cannot write into the folder {path}: no permission, or a disk that is read only")


def read_logos(
    assignments: Sequence[str], listed: Iterable[KnownBrandRecord] | None
) -> list[tuple[KnownBrandRecord, Path]]:
    """Brands and their reference pictures from ``BRAND=IMAGE`` texts.

    Raises ``ConfigError`` for a brand that is not ``listed`` and for a file that is no picture.
    """
    brands = {normalize(brand.name): brand for brand in listed or ()}
    logos = []
    for text in assignments:
        name, equals, image = text.partition("=")
        brand = brands.get(normalize(name))
        if not equals or brand is None:
            names = ", ".join(known.name for known in brands.values()) or "none, as there is no --brands"
            raise ConfigError(f"--logo {text}: give BRAND=IMAGE with a brand named in --brands ({names})")
        try:
            content = Path(image).read_bytes()
        except OSError as error:
            raise ConfigError(f"--logo {text}: the picture cannot be read: {error.strerror}") from error
        if not content or cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) is None:
            raise ConfigError(f"--logo {text}: is not a picture that can be read (png, jpg, webp, …)")
        logos.append((brand, Path(image)))
    return logos
