"""Brands as people type or paste them into a form."""

from __future__ import annotations

import csv

from detect.errors import ConfigError
from detect.matching import normalize
from detect.types import KnownBrandRecord

MOST_BRANDS = 5000
_LONGEST_NAME = 300
_HEADERS = (["name", "aliases"], ["name"])


def read_brand_text(text: str) -> list[KnownBrandRecord]:
    """Brands from ``A, B`` or one a line, with other spellings as ``Name = Alias; Alias``; or a pasted CSV.

    A CSV is known by its header ``name,aliases``. Raises ``ConfigError`` naming what cannot be used.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    header = [cell.strip().casefold() for cell in next(csv.reader(lines[:1]), [])]
    entries = _from_csv(lines[1:]) if header in _HEADERS else [_entry(part) for part in _parts(lines)]
    if not entries:
        raise ConfigError("Name at least one brand, or look for all known ones.")
    found: dict[str, KnownBrandRecord] = {}
    for name, aliases in entries:
        for spelling in (name, *aliases):
            if not normalize(spelling):
                raise ConfigError(f"'{spelling}' has no letter or digit to look for.")
            if len(spelling) > _LONGEST_NAME:
                raise ConfigError(f"A name has {len(spelling)} letters: at most {_LONGEST_NAME} are taken.")
        key = normalize(name)
        known = found.get(key)
        merged = tuple(dict.fromkeys([*(known.aliases if known else ()), *aliases]))
        found[key] = KnownBrandRecord(name=known.name if known else name, aliases=merged)
    if len(found) > MOST_BRANDS:
        raise ConfigError(f"{len(found)} brands are too many: at most {MOST_BRANDS} are looked for.")
    return list(found.values())


def _parts(lines: list[str]) -> list[str]:
    """What stands between commas and line ends; a ``=`` begins the other spellings of what is before it."""
    return [part.strip() for line in lines for part in line.split(",") if part.strip()]


def _entry(part: str) -> tuple[str, tuple[str, ...]]:
    name, _, rest = part.partition("=")
    return name.strip(), tuple(alias.strip() for alias in rest.split(";") if alias.strip())


def _from_csv(lines: list[str]) -> list[tuple[str, tuple[str, ...]]]:
    return [
        (row[0].strip(), tuple(alias.strip() for cell in row[1:] for alias in cell.split(";") if alias.strip()))
        for row in csv.reader(lines)
        if row and row[0].strip()
    ]
