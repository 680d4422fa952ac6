"""Typed readers of the environment. Everything a person can set is read here or in settings/, nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from mediaproc.datafolder import DataFolder

_env = environ.Env()
DATA = DataFolder.from_environment()


def text(name: str, default: str = "") -> str:
    """The setting as text; an empty value counts as not set."""
    return _env.str(name, default="").strip() or default


def flag(name: str, default: bool) -> bool:  # noqa: FBT001 - reads as env.flag("DEBUG", False)
    """`1 true yes on` or `0 false no off`, in any case."""
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}: use true or false.")


def integer(name: str, default: int, *, least: int | None = None, most: int | None = None) -> int:
    """A whole number within the range given."""
    value = text(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}: use a whole number.") from None
    if (least is not None and number < least) or (most is not None and number > most):
        raise ImproperlyConfigured(f"{name} is {number}: use a number from {least} to {most}.")
    return number


def number(name: str, default: float, *, least: float, most: float) -> float:
    """A number within the range given."""
    value = text(name)
    if not value:
        return default
    try:
        given = float(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}: use a number.") from None
    if not least <= given <= most:
        raise ImproperlyConfigured(f"{name} is {value}: use a number from {least:g} to {most:g}.")
    return given


def words(name: str, default: tuple[str, ...] = (), *, separator: str = ",") -> list[str]:
    """A list; blanks around its items are dropped, and so are empty items."""
    return [item.strip() for item in text(name, separator.join(default)).split(separator) if item.strip()]


def path(name: str) -> Path | None:
    """A path, or None where it is not set."""
    value = text(name)
    return Path(value).expanduser() if value else None


def database_url(name: str) -> dict[str, Any] | None:
    """Django's dictionary for a database URL, or None where it is not set. Only Postgres is taken."""
    value = text(name)
    if not value:
        return None
    parsed: dict[str, Any] = _env.db_url_config(value)
    if parsed.get("ENGINE") != "django.db.backends.postgresql":
        raise ImproperlyConfigured(f"{name} must be a postgres:// URL: Postgres is the one database this runs on.")
    return parsed


def secret(name: str) -> str:
    """A random text that this installation keeps in its data folder; made on first use."""
    try:
        return DATA.secret(name)
    except OSError as error:
        raise ImproperlyConfigured(
            f"The data folder {DATA.root} cannot be used ({error.strerror or error}): make it writable, or set "
            "MEDIAPROC_DATA to another folder."
        ) from error
