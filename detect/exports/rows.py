"""The report as a table: one row per exposure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from detect.report import Report
from detect.timecode import format_timecode

Cell = str | int | float

HEADER = (
    "brand",
    "confirmed",
    "start",
    "end",
    "seconds",
    "start_uncertainty",
    "end_uncertainty",
    "start_timecode",
    "placement",
    "position",
    "source",
    "mean_confidence",
    "mean_area_share",
    "clarity",
    "observations",
    "text",
    "evidence_time",
    "crop",
    "brand_seconds",
    "brand_share_of_voice",
    "brand_quality_score",
    "brand_media_value",
)
#: The last four are what some spreadsheets take for the first four.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def exposure_rows(report: Report) -> Iterator[tuple[Cell, ...]]:
    """Cells in the order of ``HEADER``, brands in the report's order and exposures in order of time."""
    for brand in report.brands:
        for item in brand.exposures:
            best = item.evidence[0]
            yield (
                brand.name,
                "yes" if brand.confirmed else "no",
                item.start,
                item.end,
                item.seconds,
                item.start_uncertainty,
                item.end_uncertainty,
                format_timecode(item.start),
                item.placement,
                item.position,
                item.source,
                item.mean_confidence,
                item.mean_area_share,
                item.clarity,
                item.observations,
                best.text,
                best.time,
                best.crop,
                brand.seconds,
                brand.share_of_voice,
                brand.quality_score,
                brand.media_value or "",
            )


def to_csv(report: Report) -> bytes:
    """CSV (RFC 4180, UTF-8) with a header. Text that a spreadsheet would take for a formula gets an apostrophe."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\r\n")  # also what makes it quote either line break
    writer.writerow(HEADER)
    writer.writerows([plain_cell(cell) for cell in row] for row in exposure_rows(report))
    return table.getvalue().encode()


def plain_cell(cell: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell
