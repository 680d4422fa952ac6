"""A report's files, and its page for paper, as a browser gets them."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import openpyxl
import pytest

from detect.report import from_json
from jobs.choices import JobStatus
from jobs.exports.print_view import BRANDS_WITH_PICTURES, PICTURES_A_BRAND
from tests.pages.text import body, inline_parts, words
from tests.report.sample import sample_body


class TestFiles:
    def test_json_is_the_report(self, client, make_job):
        job = make_job()
        response = client.get(f"/jobs/{job.id}/report.json")
        report = from_json(response.content)
        assert response["Content-Type"] == "application/json"
        assert response["Content-Disposition"] == 'attachment; filename="cup_final_first_minute.report.json"'
        assert report.job_id == str(job.id)
        assert report.brands == sample_body().brands

    def test_csv(self, client, make_job):
        response = client.get(f"/jobs/{make_job().id}/report.csv")
        assert response["Content-Type"].startswith("text/csv")
        assert response.content.startswith(b"brand,confirmed,start,end")

    def test_workbook(self, client, make_job):
        response = client.get(f"/jobs/{make_job().id}/report.xlsx")
        assert response["Content-Disposition"] == 'attachment; filename="cup_final_first_minute.report.xlsx"'
        book = openpyxl.load_workbook(io.BytesIO(response.content))
        assert book["Brands"]["A2"].value == sample_body().brands[0].name

    @pytest.mark.parametrize("kind", ["json", "csv", "xlsx"])
    def test_none_before_the_job_is_done(self, client, make_job, kind):
        job = make_job(status=JobStatus.RUNNING)
        assert client.get(f"/jobs/{job.id}/report.{kind}").status_code == 404

    @pytest.mark.parametrize("kind", ["json", "csv", "xlsx"])
    def test_a_file_name_cannot_break_the_header(self, client, make_job, kind):
        job = make_job(video_path='/footage/a"\r\nSet-Cookie: x=1.mp4')
        response = client.get(f"/jobs/{job.id}/report.{kind}")
        assert response.status_code == 200
        assert "Set-Cookie" not in response.headers


class TestPaper:
    def test_all_that_counts_on_some_pages(self, client, make_job):
        response = client.get(f"/jobs/{make_job().id}/print")
        text = words(response)
        for part in ("Timeline", "Brands", "Evidence", "Undecided", "How this report was made", "Quality score"):
            assert part in text
        for brand in sample_body().brands:
            assert text.count(brand.name) >= 3
        assert inline_parts(response) == []
        assert "Print or save as PDF" in text

    def test_it_stays_short(self, client, make_job):
        report = sample_body()
        brand, item = report.brands[0], report.brands[0].exposures[0]
        exposures = [msgspec.structs.replace(item, start=n / 50, end=n / 50 + 0.01) for n in range(3000)]
        brands: list[Any] = [
            msgspec.structs.replace(brand, name=f"Brand {n}", exposures=exposures if n == 0 else brand.exposures)
            for n in range(BRANDS_WITH_PICTURES + 5)
        ]
        job = make_job(body=msgspec.structs.replace(report, brands=brands))
        page = body(client.get(f"/jobs/{job.id}/print"))
        assert page.count("<img") <= BRANDS_WITH_PICTURES * PICTURES_A_BRAND
        assert "5 more brands without pictures here" in page
        assert "Brand 64" in page
