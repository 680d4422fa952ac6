"""Arguments that several commands share, and checks of what is given, made before anything runs."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
from django.utils import timezone

from detect.errors import ConfigError, MediaError, StorageError
from detect.exports.files import make_folder
from detect.matching import normalize
from detect.types import KnownBrandRecord


def add_set_argument(parser: ArgumentParser) -> None:
    """``--set stage.option=value``, repeatable."""
    parser.add_argument(
        "--set",
        metavar="STAGE.OPTION=VALUE",
        action="append",
        default=[],
        help="set an option of a stage; may be given again. `manage.py stages` lists them all",
    )


def add_report_arguments(parser: ArgumentParser) -> None:
    """``--out`` and ``--json``."""
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the report (default: in the data folder)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON and nothing else")


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
