"""Reading the brands a person lists for a run."""

from __future__ import annotations

import csv
from pathlib import Path

from detect.errors import ConfigError
from detect.matching import normalize
from detect.types import KnownBrandRecord

_MAX_NAME = 300


def read_brand_list(text: str) -> list[KnownBrandRecord]:
    """Brands from ``A, B, C`` or from a CSV file of ``name,alias;alias``.

    A text that ends in ``.csv`` is a file. A header line ``name,aliases`` is allowed. Raises ``ConfigError`` naming
    the line that cannot be used.
    """
    if not text.lower().endswith(".csv"):
        names = [name.strip() for name in text.split(",") if name.strip()]
        return _checked([(name, (), name) for name in names], where="--brands")
    path = Path(text)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [(number, row) for number, row in enumerate(csv.reader(file), start=1) if any(map(str.strip, row))]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"the brand list {path} cannot be read: {error}") from error
    if rows and [cell.strip().casefold() for cell in rows[0][1][:2]] in (["name", "aliases"], ["name"]):
        rows = rows[1:]
    entries = [
        (
            row[0].strip(),
            tuple(alias.strip() for cell in row[1:] for alias in cell.split(";") if alias.strip()),
            f"line {number}",
        )
        for number, row in rows
    ]
    return _checked(entries, where=str(path))


def _checked(entries: list[tuple[str, tuple[str, ...], str]], *, where: str) -> list[KnownBrandRecord]:
    brands: dict[str, KnownBrandRecord] = {}
    for name, aliases, place in entries:
        for spelling in (name, *aliases):
            if not normalize(spelling):
                raise ConfigError(f"{where}: {place}: '{spelling}' has no letter or digit to look for")
            if len(spelling) > _MAX_NAME:
                raise ConfigError(
                    f"{where}: {place}: a name has {len(spelling)} letters, at most {_MAX_NAME} are taken"
                )
        key = normalize(name)
        known = brands.get(key)
        merged = tuple(dict.fromkeys([*(known.aliases if known else ()), *aliases]))
        brands[key] = KnownBrandRecord(name=known.name if known else name, aliases=merged)
    if not brands:
        raise ConfigError(f"{where}: no brand is named")
    return list(brands.values())
