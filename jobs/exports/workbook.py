"""``report.xlsx``: the report as a workbook.

A text is always written as a text: nothing that was read from a video, or typed, can be a formula or a link. Rows are
written one after another and leave memory at once; what is kept is the packed file, 100 bytes an exposure.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook

from detect.report import Report
from jobs.exports.words import PLACEMENT_WORDS, QUALITY_WORDS, SOURCE_WORDS, STAGE_WORDS

WORKBOOK_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST_TEXT = 32_767
"""Characters that a cell can hold; what is longer is cut."""
_DAY = 86_400  # a spreadsheet counts time in days
_FORMATS = {
    "text": {"valign": "top"},
    "count": {"num_format": "#,##0"},
    "seconds": {"num_format": "#,##0.000"},
    "time": {"num_format": "[h]:mm:ss.000"},
    "share": {"num_format": "0.0%"},
    "small share": {"num_format": "0.000%"},
    "score": {"num_format": "0.0"},
    "money": {"num_format": "#,##0.00"},
    "head": {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#E8EDF5"},
    "title": {"bold": True, "font_size": 14},
    "name": {"bold": True, "valign": "top"},
    "wrapped": {"text_wrap": True, "valign": "top"},
}

Cell = str | int | float | None


@dataclass(frozen=True)
class Column:
    """``kind`` is that of its cells: one of ``_FORMATS``."""

    word: str
    kind: str
    width: float


def to_workbook(report: Report, *, title: str) -> bytes:
    """XLSX with the sheets Brands, Exposures, Undecided and About."""
    file = io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
    }
    with xlsxwriter.Workbook(file, options) as book:
        book.set_properties({"title": _fitting(f"Brand report: {title}"), "comments": f"job {report.job_id}"})
        sheets = _Sheets(book)
        sheets.table("Brands", _brand_columns(report), _brand_rows(report))
        sheets.table("Exposures", _EXPOSURE_COLUMNS, _exposure_rows(report))
        sheets.table("Undecided", _UNDECIDED_COLUMNS, _undecided_rows(report))
        sheets.about(title, _about(report))
    return file.getvalue()


class _Sheets:
    """Writes sheets from top to bottom, as a workbook that forgets its rows must be."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._formats: dict[str, Format] = {name: book.add_format(values) for name, values in _FORMATS.items()}

    def table(self, name: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> None:
        """A heading that stays, columns as wide as what is in them, and a filter over all of it."""
        sheet = self._book.add_worksheet(name)
        sheet.freeze_panes(1, 1)
        for place, column in enumerate(columns):
            sheet.set_column(place, place, column.width, self._formats[column.kind])
            sheet.write_string(0, place, column.word, self._formats["head"])
        last = 0
        for last, row in enumerate(rows, 1):
            for place, (column, cell) in enumerate(zip(columns, row, strict=True)):
                if isinstance(cell, str):
                    sheet.write_string(last, place, _fitting(cell), self._formats[column.kind])
                elif cell is not None:
                    sheet.write_number(last, place, cell, self._formats[column.kind])
        sheet.autofilter(0, 0, max(1, last), len(columns) - 1)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)

    def about(self, title: str, facts: Iterable[tuple[str, str]]) -> None:
        sheet = self._book.add_worksheet("About")
        sheet.set_column(0, 0, 26)
        sheet.set_column(1, 1, 110)
        sheet.write_string(0, 0, _fitting(title), self._formats["title"])
        for place, (name, value) in enumerate(facts, 2):
            sheet.write_string(place, 0, name, self._formats["name"])
            sheet.write_string(place, 1, _fitting(value), self._formats["wrapped"])


def _fitting(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def _brand_columns(report: Report) -> list[Column]:
    return [
        Column("Brand", "text", 32),
        Column("Confirmed", "text", 11),
        Column("Seconds", "seconds", 12),
        Column("± seconds", "seconds", 11),
        Column("Times", "count", 8),
        Column("Exposures", "count", 11),
        Column("Share of voice", "share", 11),
        Column("Share of screen, mean", "small share", 13),
        Column("Share of screen, most", "small share", 13),
        Column("Clarity", "share", 10),
        Column("Quality score", "score", 10),
        *(Column(f"Quality: {word.lower()}", "share", 12) for word in QUALITY_WORDS.values()),
        *(Column(f"{word}, seconds", "seconds", 13) for word in PLACEMENT_WORDS.values()),
        Column(f"Media value, {report.scoring.currency}", "money", 16),
    ]


def _brand_rows(report: Report) -> Iterator[list[Cell]]:
    for brand in report.brands:
        yield [
            brand.name,
            "yes" if brand.confirmed else "no",
            brand.seconds,
            brand.seconds_uncertainty,
            brand.occurrences,
            len(brand.exposures),
            brand.share_of_voice,
            brand.mean_area_share,
            brand.max_area_share,
            brand.clarity,
            brand.quality_score,
            *(getattr(brand.quality, part) for part in QUALITY_WORDS),
            *(brand.by_placement.get(placement) for placement in PLACEMENT_WORDS),
            float(brand.media_value) if brand.media_value else None,
        ]


_EXPOSURE_COLUMNS = (
    Column("Brand", "text", 32),
    Column("From", "time", 14),
    Column("To", "time", 14),
    Column("Start, s", "seconds", 12),
    Column("End, s", "seconds", 12),
    Column("Seconds", "seconds", 11),
    Column("Start ± s", "seconds", 10),
    Column("End ± s", "seconds", 10),
    Column("Place", "text", 15),
    Column("Position", "text", 14),
    Column("Found by", "text", 18),
    Column("Confidence", "share", 11),
    Column("Share of screen", "small share", 12),
    Column("Clarity", "share", 10),
    Column("Frames seen", "count", 9),
    Column("Text read", "text", 28),
    Column("Best picture at", "time", 14),
)


def _exposure_rows(report: Report) -> Iterator[list[Cell]]:
    for brand in report.brands:
        for item in brand.exposures:
            best = item.evidence[0]
            yield [
                brand.name,
                item.start / _DAY,
                item.end / _DAY,
                item.start,
                item.end,
                item.seconds,
                item.start_uncertainty,
                item.end_uncertainty,
                PLACEMENT_WORDS[item.placement],
                item.position.replace("-", " "),
                SOURCE_WORDS[item.source],
                item.mean_confidence,
                item.mean_area_share,
                item.clarity,
                item.observations,
                best.text,
                best.time / _DAY,
            ]


_UNDECIDED_COLUMNS = (
    Column("Text read", "text", 32),
    Column("Seconds", "seconds", 11),
    Column("Seen at", "time", 14),
    Column("Place", "text", 15),
    Column("Confidence", "share", 11),
    Column("Why undecided", "text", 48),
    Column("Like", "text", 40),
)


def _undecided_rows(report: Report) -> Iterator[list[Cell]]:
    for item in report.unresolved:
        like = "; ".join(f"{suggestion.name} {suggestion.similarity:.0%}" for suggestion in item.suggestions)
        place = PLACEMENT_WORDS[item.placement]
        yield [item.text, item.seconds, item.time / _DAY, place, item.confidence, item.reason, like]


def _about(report: Report) -> Iterator[tuple[str, str]]:
    source = report.source
    yield "Video", source.path
    yield "SHA-256", source.sha256
    yield "Length", f"{source.duration:g} s, of which {source.analyzed_seconds:g} s could be analysed"
    yield "Picture", f"{source.width} × {source.height} pixels, {source.frame_rate} frames a second"
    for problem in source.problems:
        yield "Problem", problem
    yield "Pipeline", f"{report.pipeline}, profile {report.profile}"
    yield "Settings", report.config_digest
    yield "Job", report.job_id
    yield "Checkpoint", report.checkpoint_id
    yield "Seconds", "Of the video. A brand's count an instant once, however many boards show it."
    weights = ", ".join(f"{name} {weight:g}" for name, weight in report.scoring.weights.items())
    yield "Quality score", f"{report.scoring.quality_score}; weights: {weights}"
    yield "Media value", report.scoring.media_value
    if report.costs.calls:
        yield "Vision models", f"{report.costs.calls} calls, {report.costs.tokens} tokens, USD {report.costs.usd}"
    for note in report.notes:
        yield f"Note: {STAGE_WORDS.get(note.stage, note.stage)}", f"{note.kind}: {note.reason}"
