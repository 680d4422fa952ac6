"""Reading lists of brands as people write them: for a run, or to be brought in for good."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from detect.errors import ConfigError
from detect.matching import normalize
from detect.types import KnownBrandRecord

#: Columns of an export; a list may end after any of them.
COLUMNS = ("name", "aliases", "confirmed", "merged_into")
_MAX_NAME = 300
_YES, _NO = {"", "yes", "y", "true", "1"}, {"no", "n", "false", "0"}
# What a spreadsheet takes for a formula; an apostrophe before it says that it is none, and so do more of them.
_GUARDED = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")
_TO_GUARD = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


@dataclass(frozen=True)
class ListedBrand:
    """A row of a list. ``place`` says where it stands; ``merged_into`` names the brand that it is, if it is another."""

    place: str
    name: str
    aliases: tuple[str, ...] = ()
    confirmed: bool = True
    merged_into: str = ""


def read_brand_list(text: str) -> list[KnownBrandRecord]:
    """Brands from ``A, B, C`` or from a CSV file of ``name,alias;alias``.

    A text that ends in ``.csv`` is a file. A header line ``name,aliases`` is allowed, and an export
    (``brands/exchange.py``) is such a list too: what is not confirmed there is left out, and a merged brand is another
    spelling of the brand it is. Raises ``ConfigError`` naming the line that cannot be used.
    """
    if not text.lower().endswith(".csv"):
        names = [name.strip() for name in text.split(",") if name.strip()]
        return _checked([ListedBrand(name, name) for name in names], where="--brands")
    path = Path(text)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            listed = read_csv(file)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the brand list {path} cannot be read: {error}") from error
    return _checked(listed, where=str(path))


def read_csv(file: Iterable[str]) -> list[ListedBrand]:
    """The rows of a CSV list, with a header or without. Raises ``ConfigError`` naming the line that cannot be used.

    Where no header names more columns, every cell after the name holds other spellings.
    """
    reader = csv.reader(file, strict=True)
    try:
        rows = [(f"line {reader.line_num}", [unguarded(cell).strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise ConfigError(f"line {reader.line_num} is no CSV: {error}") from error
    rows = [(place, row) for place, row in rows if any(row)]
    columns = _columns(*rows[0]) if rows else []
    if columns:
        rows = rows[1:]
    if set(columns) <= {"name", "aliases"}:
        return [ListedBrand(place, row[0], _spellings(row[1:])) for place, row in rows]
    return [row_of(place, _by_column(place, columns, row)) for place, row in rows]


def row_of(place: str, cells: dict[str, str]) -> ListedBrand:
    """A row from its cells by column. Raises ``ConfigError`` where a cell cannot be understood."""
    confirmed = cells.get("confirmed", "").casefold()
    if confirmed not in _YES | _NO:
        raise ConfigError(f"{place}: 'confirmed' is '{cells['confirmed']}': write yes or no")
    aliases = _spellings([cells.get("aliases", "")])
    return ListedBrand(place, cells.get("name", ""), aliases, confirmed in _YES, cells.get("merged_into", ""))


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; :func:`unguarded` gives back what it was."""
    return f"'{cell}" if _TO_GUARD.match(cell) else cell


def unguarded(cell: str) -> str:
    return cell[1:] if _GUARDED.match(cell) else cell


def why_no_name(text: str) -> str:
    """Why a text cannot be a name or another spelling; empty where it can."""
    if not normalize(text):
        return f"'{text}' has no letter or digit to look for"
    return "" if len(text) <= _MAX_NAME else f"a name has {len(text)} letters, at most {_MAX_NAME} are taken"


def _columns(place: str, header: Sequence[str]) -> list[str]:
    """Names of the columns; none where the first row is a brand already."""
    names = [cell.casefold() for cell in header]
    while names and not names[-1]:
        names.pop()
    if names != ["name"] and (names[:1] != ["name"] or names[1] not in COLUMNS):
        return []
    unknown = [name for place, name in enumerate(names) if name not in COLUMNS or name in names[:place]]
    if unknown:
        raise ConfigError(f"{place}: there is no column '{unknown[0]}': use {', '.join(COLUMNS)}, each once")
    return names


def _by_column(place: str, columns: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    if any(row[len(columns) :]):
        raise ConfigError(f"{place} has {len(row)} cells and the header names {len(columns)} columns")
    return dict(zip(columns, row, strict=False))


def _spellings(cells: Iterable[str]) -> tuple[str, ...]:
    return tuple(alias.strip() for cell in cells for alias in cell.split(";") if alias.strip())


def _checked(listed: Iterable[ListedBrand], *, where: str) -> list[KnownBrandRecord]:
    brands: dict[str, KnownBrandRecord] = {}
    for row in _as_roots(list(listed)):
        for spelling in (row.name, *row.aliases):
            if reason := why_no_name(spelling):
                raise ConfigError(f"{where}: {row.place}: {reason}")
        key = normalize(row.name)
        known = brands.get(key)
        merged = tuple(dict.fromkeys([*(known.aliases if known else ()), *row.aliases]))
        brands[key] = KnownBrandRecord(name=known.name if known else row.name, aliases=merged)
    if not brands:
        raise ConfigError(f"{where}: no brand is named")
    return list(brands.values())


def _as_roots(listed: Sequence[ListedBrand]) -> list[ListedBrand]:
    """What a run is told of a list: confirmed brands, merged ones as spellings of the brand they are."""
    names = {normalize(row.name): row for row in reversed(listed)}
    found = []
    for row in listed:
        root, seen = row, {normalize(row.name)}
        while root.merged_into and normalize(root.merged_into) not in seen:
            seen.add(normalize(root.merged_into))
            root = names.get(normalize(root.merged_into), ListedBrand(root.place, root.merged_into))
        if not root.confirmed:
            continue
        aliases = row.aliases if root is row else (row.name, *row.aliases)
        found.append(ListedBrand(row.place, root.name, aliases))
    return found
