"""The report as tables, CSV and XLSX: all of it is there, and no text of a video can do harm."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import msgspec
import openpyxl
import pytest

from detect.exports.rows import HEADER, to_csv
from detect.report import Report
from jobs.exports.workbook import LONGEST_TEXT, to_workbook
from tests.report.sample import sample_report

#: As people, or a camera, may write a name.
HARD_NAMES = [
    *('=cmd|"/c calc"!A1', "+1+1", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "'quoted", '"quoted"', "a,b;c"),
    *(
        "<script>alert(1)</script>",
        "مشروب النخبة",
        "🏟️⚽",
        "two\nlines",
        "https://example.org/",
        "1234",
        "1e5",
        "x" * 300,
    ),
]
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝")


@pytest.fixture(scope="module")
def report():
    return sample_report()


class TestCsv:
    def test_one_row_an_exposure(self, report):
        rows = list(csv.DictReader(io.StringIO(to_csv(report).decode(), newline="")))
        assert len(rows) == sum(len(brand.exposures) for brand in report.brands)
        first = report.brands[0].exposures[0]
        assert tuple(rows[0]) == HEADER
        assert (rows[0]["brand"], float(rows[0]["start"]), float(rows[0]["end"])) == (
            report.brands[0].name,
            first.start,
            first.end,
        )
        assert rows[0]["crop"] == first.evidence[0].crop

    @pytest.mark.parametrize("name", HARD_NAMES)
    def test_a_name_is_itself_and_never_a_formula(self, name):
        rows = list(csv.DictReader(io.StringIO(to_csv(sample_report(name=name)).decode(), newline="")))
        names = {row["brand"] for row in rows}
        assert (f"'{name}" if name.startswith(FORMULA_STARTS) else name) in names
        assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]

    def test_every_row_has_every_column(self):
        rows = list(csv.reader(io.StringIO(to_csv(sample_report(name='a,"b"\r\nc')).decode(), newline="")))
        assert {len(row) for row in rows} == {len(HEADER)}

    def test_numbers_stay_numbers(self, report):
        for row in csv.DictReader(io.StringIO(to_csv(report).decode(), newline="")):
            assert all(float(row[name]) >= 0 for name in ("start", "end", "seconds", "clarity", "brand_seconds"))


def workbook(report: Report, title: str = "cup final.mp4") -> openpyxl.Workbook:
    """As a reader opens it."""
    return openpyxl.load_workbook(io.BytesIO(to_workbook(report, title=title)))


def rows_of(book: openpyxl.Workbook, sheet: str) -> list[dict[str, Any]]:
    header, *rows = book[sheet].iter_rows(values_only=True)
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


class TestXlsx:
    def test_its_sheets(self, report):
        assert workbook(report).sheetnames == ["Brands", "Exposures", "Undecided", "About"]

    def test_brands(self, report):
        rows = rows_of(workbook(report), "Brands")
        assert [row["Brand"] for row in rows] == [brand.name for brand in report.brands]
        first, brand = rows[0], report.brands[0]
        assert first["Seconds"] == brand.seconds
        assert first["± seconds"] == brand.seconds_uncertainty
        assert first["Share of voice"] == brand.share_of_voice
        assert first["Quality score"] == brand.quality_score
        assert first["Media value, USD"] == float(brand.media_value)
        assert first["Screen graphic, seconds"] == brand.by_placement["overlay"]
        assert first["Jersey, seconds"] is None

    def test_exposures(self, report):
        rows = rows_of(workbook(report), "Exposures")
        assert len(rows) == sum(len(brand.exposures) for brand in report.brands)
        item = report.brands[0].exposures[0]
        assert (rows[0]["Start, s"], rows[0]["End, s"]) == (item.start, item.end)
        assert rows[0]["Place"] == "Screen graphic"
        assert rows[0]["Text read"] == item.evidence[0].text

    def test_times_are_times_of_a_spreadsheet(self, report):
        sheet = workbook(report)["Exposures"]
        item = report.brands[-1].exposures[-1]
        cell = sheet.cell(sheet.max_row, 2)
        assert cell.number_format == "[h]:mm:ss.000"
        assert cell.value == timedelta(seconds=item.start)

    def test_undecided_and_what_it_was_made_from(self, report):
        book = workbook(report)
        assert [row["Text read"] for row in rows_of(book, "Undecided")] == [item.text for item in report.unresolved]
        about = {row[0].value: row[1].value for row in book["About"].iter_rows(min_row=3)}
        assert about["SHA-256"] == report.source.sha256
        assert about["Job"] == report.job_id
        assert "USD 0.00572" in str(about["Vision models"])

    def test_the_heading_stays_and_can_be_filtered(self, report):
        for sheet in workbook(report).worksheets[:3]:
            assert sheet.freeze_panes == "B2"
            assert sheet.auto_filter.ref.startswith("A1:")
            assert all(sheet.column_dimensions[letter].width >= 8 for letter in "ABC")

    @pytest.mark.parametrize("name", HARD_NAMES)
    def test_a_text_is_a_text_whatever_it_says(self, name):
        book = workbook(sample_report(name=name), title=name)
        assert name.replace("\r", "_x000D_") in {row["Brand"] for row in rows_of(book, "Brands")}
        assert name.replace("\r", "_x000D_") in {row["Brand"] for row in rows_of(book, "Exposures")}
        for sheet in book:
            for row in sheet.iter_rows():
                for cell in row:
                    assert cell.data_type != "f"
                    assert cell.hyperlink is None
                    assert isinstance(cell.value, str) == (cell.data_type in ("s", "inlineStr"))

    def test_numbers_are_numbers(self, report):
        book = workbook(report)
        words = {"Brand", "Confirmed", "Place", "Position", "Found by", "Text read", "Why undecided", "Like"}
        for sheet in ("Brands", "Exposures", "Undecided"):
            for row in rows_of(book, sheet):
                wrong = [name for name, value in row.items() if isinstance(value, str) != (name in words) and value]
                assert not wrong

    def test_what_no_cell_can_hold_is_cut(self, report):
        brand = report.brands[0]
        item = report.unresolved[0]
        long = msgspec.structs.replace(
            report,
            brands=[msgspec.structs.replace(brand, name="n" * 40_000)],
            unresolved=[msgspec.structs.replace(item, text="t" * 40_000)],
        )
        book = workbook(long)
        assert len(rows_of(book, "Brands")[0]["Brand"]) == LONGEST_TEXT
        assert len(rows_of(book, "Undecided")[0]["Text read"]) == LONGEST_TEXT

    def test_nothing_found(self, report):
        book = workbook(msgspec.structs.replace(report, brands=[], unresolved=[]))
        assert [rows_of(book, sheet) for sheet in ("Brands", "Exposures", "Undecided")] == [[], [], []]
