"""Lists of brands as files, CSV and JSON, out of an installation and into one.

A file is a brand list (``brands/brand_lists.py``) with two more columns: ``confirmed``, and ``merged_into``, the name
of the brand that a merged one is. What is exported can be given to ``analyze --brands`` as it is.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.core.files.storage import default_storage
from django.utils import timezone
from import_export import fields, resources
from import_export.formats.base_formats import CSV, JSON
from import_export.results import Result, RowResult
from import_export.tmp_storages import MediaStorage
from tablib import Dataset

from brands.actions import Decider, ImportBrands, decide
from brands.actions.importing import Fate, Plan, PlannedRow, import_plan
from brands.brand_lists import COLUMNS, ListedBrand, guarded, read_csv, row_of
from brands.models import Decision, KnownBrand
from detect.errors import ConfigError, MediaprocError

MOST_ROWS = 10_000
MOST_BYTES = 10 * 1024 * 1024
_PLACE = "place"
_SHOWN_ROWS = 500
_KEPT_FOR = timedelta(days=1)
_YES, _NO = "yes", "no"


class CsvList(CSV):
    """Cells that a spreadsheet would take for a formula get an apostrophe, and lose it when they come back."""

    def create_dataset(self, in_stream: bytes | str, **kwargs: Any) -> Dataset:
        """Raises ``ConfigError`` naming the line that cannot be used."""
        return _dataset(read_csv(io.StringIO(_text(in_stream), newline="")))

    def export_data(self, dataset: Dataset, **kwargs: Any) -> Any:
        safe = Dataset(headers=dataset.headers)
        for row in dataset:
            safe.append([guarded(str(cell)) for cell in row])
        return super().export_data(safe, **kwargs)


class JsonList(JSON):
    """A list of objects by column; ``aliases`` may be a list too, ``confirmed`` true or false."""

    def create_dataset(self, in_stream: bytes | str, **kwargs: Any) -> Dataset:
        """Raises ``ConfigError`` naming the entry that cannot be used."""
        try:
            entries = json.loads(_text(in_stream))
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"this is no JSON: {error}") from error
        if not isinstance(entries, list):
            raise ConfigError(f"this is no list of brands: give [{{{', '.join(COLUMNS)}}}, …]")
        return _dataset([_entry(f"entry {number}", entry) for number, entry in enumerate(entries, start=1)])


class BrandResource(resources.ModelResource):
    """Brands as rows. Importing a list is one decision, made after all of it was looked at."""

    name = fields.Field(column_name="name")
    aliases = fields.Field(column_name="aliases")
    confirmed = fields.Field(column_name="confirmed")
    merged_into = fields.Field(column_name="merged_into")

    class Meta:
        model = KnownBrand
        fields = COLUMNS
        name = "brands"

    def __init__(self, by: Decider | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._by = by

    def dehydrate_name(self, brand: KnownBrand) -> str:
        return brand.canonical_name

    def dehydrate_aliases(self, brand: KnownBrand) -> str:
        # an alias with the sign that stands between aliases is written with a space: it means the same
        return ";".join(" ".join(text.replace(";", " ").split()) for text in brand.alias_texts)

    def dehydrate_confirmed(self, brand: KnownBrand) -> str:
        return _YES if brand.confirmed else _NO

    def dehydrate_merged_into(self, brand: KnownBrand) -> str:
        return brand.merged_into.canonical_name if brand.merged_into else ""

    def import_data(self, dataset: Dataset, dry_run: bool = False, **kwargs: Any) -> ListResult:  # noqa: FBT001, FBT002 - as it is called
        """What a list would change, or has changed, row by row. Nothing is changed where a row is in conflict."""
        rows = [row_of(row[_PLACE], row) for row in dataset.dict]
        result = ListResult(import_plan(rows))
        if not dry_run and not result.has_errors():
            assert self._by is not None
            try:
                result.decision = decide(ImportBrands(tuple(rows), kwargs.get("file_name") or "a list"), by=self._by)
            except MediaprocError as error:
                result.refusal = error.message
        return result


class ListResult(Result):
    """``plan`` has the rows. ``decision`` is what was made of them, or ``refusal`` says why nothing was."""

    _WORDS = {
        Fate.NEW: RowResult.IMPORT_TYPE_NEW,
        Fate.CHANGED: RowResult.IMPORT_TYPE_UPDATE,
        Fate.SAME: RowResult.IMPORT_TYPE_SKIP,
        Fate.CONFLICT: RowResult.IMPORT_TYPE_ERROR,
    }

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.decision: Decision | None = None
        self.refusal = ""
        self.total_rows = len(plan.rows)
        for fate, word in self._WORDS.items():
            self.totals[word] = plan.count(fate)

    @property
    def counts(self) -> list[tuple[Fate, int]]:
        """How many rows there are of each fate."""
        return [(fate, self.plan.count(fate)) for fate in Fate]

    @property
    def shown(self) -> list[PlannedRow]:
        """The rows to look at, conflicts and changes before what stays as it is."""
        order = [Fate.CONFLICT, Fate.CHANGED, Fate.NEW, Fate.SAME]
        return sorted(self.plan.rows, key=lambda row: order.index(row.fate))[:_SHOWN_ROWS]

    @property
    def more(self) -> int:
        return max(0, len(self.plan.rows) - _SHOWN_ROWS)

    @property
    def changes_nothing(self) -> bool:
        return all(row.fate is Fate.SAME for row in self.plan.rows)

    def has_errors(self) -> bool:
        return self.plan.count(Fate.CONFLICT) > 0


class WaitingLists(MediaStorage):
    """Lists that were looked at and wait to be confirmed, where every process finds them; forgotten after a day."""

    def save(self, data: bytes) -> None:
        self._forget_old()
        super().save(data)

    def _forget_old(self) -> None:
        try:
            names = default_storage.listdir(self.MEDIA_FOLDER)[1]
        except FileNotFoundError:
            return
        for name in names:
            path = f"{self.MEDIA_FOLDER}/{name}"
            if timezone.now() - default_storage.get_modified_time(path) > _KEPT_FOR:
                default_storage.delete(path)


def _dataset(rows: Sequence[ListedBrand]) -> Dataset:
    if len(rows) > MOST_ROWS:
        raise ConfigError(f"the list has {len(rows):,} brands: at most {MOST_ROWS:,} are taken at once")
    dataset = Dataset(headers=(_PLACE, *COLUMNS))
    for row in rows:
        cells = (row.name, ";".join(row.aliases), _YES if row.confirmed else _NO, row.merged_into)
        dataset.append((row.place, *cells))
    return dataset


def _entry(place: str, entry: Any) -> ListedBrand:
    if not isinstance(entry, dict):
        raise ConfigError(f"{place} is no object with {', '.join(COLUMNS)}")
    unknown = set(entry) - set(COLUMNS)
    if unknown:
        raise ConfigError(f"{place}: there is no column '{min(unknown)}': use {', '.join(COLUMNS)}")
    return row_of(place, {column: _cell(place, column, entry.get(column)) for column in COLUMNS})


def _cell(place: str, column: str, value: Any) -> str:
    if column == "aliases" and isinstance(value, list) and all(isinstance(text, str) for text in value):
        return ";".join(text.replace(";", " ") for text in value)
    if column == "confirmed" and isinstance(value, bool):
        return _YES if value else _NO
    if value is None or isinstance(value, str):
        return (value or "").replace("\0", "").strip()
    raise ConfigError(f"{place}: '{column}' is {value!r}, which is no text")


def _text(content: bytes | str) -> str:
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError("the file is no text in UTF-8: save it as 'CSV UTF-8'") from error
