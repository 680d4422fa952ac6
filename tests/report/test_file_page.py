"""``report.html``: one file that works from a disk, in which a name is only ever a name."""

from __future__ import annotations

import html.parser
import json
import re

import msgspec
import pytest

from detect.exports.crops import wanted_crops
from jobs.exports.html import render_html
from tests.report.sample import sample_report

EVIL = '=cmd|"/c calc"!A1<script>alert(1)</script>'


@pytest.fixture(scope="module")
def report():
    return sample_report()


class _Page(html.parser.HTMLParser):
    """What a browser would take from the page: elements with their attributes, text, scripts, data for scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = self.scripts = ""
        self.data: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        self.open = self.open[: len(self.open) - 1 - self.open[::-1].index(tag)] if tag in self.open else self.open

    def handle_data(self, data):
        tag, attrs = self.elements[-1] if self.elements else ("", {})
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text += data
        elif tag == "script" and attrs.get("type") == "application/json":
            self.data[attrs["id"] or ""] = data
        elif tag == "script":
            self.scripts += data

    def attributes(self, tag: str, name: str) -> list[str]:
        return [attrs[name] or "" for element, attrs in self.elements if element == tag and name in attrs]


@pytest.fixture(scope="module")
def page(report) -> _Page:
    return _Page(render_html(report).decode())


class TestHtml:
    def test_needs_no_network(self, page, report):
        links = [*page.attributes("a", "href"), *page.attributes("img", "src"), *page.attributes("link", "href")]
        assert all(link.startswith(("#", "crops/", "data:")) for link in links)
        assert not page.attributes("script", "src")
        body = render_html(report).decode()
        assert not re.findall(r"url\(|@import|https?://(?!www\.w3\.org/)", body)

    def test_every_link_leads_somewhere(self, page, report):
        ids = {value for tag, attrs in page.elements if (value := attrs.get("id"))}
        assert {link[1:] for link in page.attributes("a", "href") if link.startswith("#")} <= ids
        crops = {path for _, _, path in wanted_crops(report)}
        assert set(page.attributes("img", "src")) == crops

    def test_ids_are_unique(self, page):
        ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
        assert len(ids) == len(set(ids))

    def test_every_exposure_is_on_the_timeline_and_in_the_list(self, page, report):
        lanes = json.loads(page.data["timeline-data"])["lanes"]
        assert [len(lane["spans"]) / 5 for lane in lanes] == [len(brand.exposures) for brand in report.brands]
        ids = {attrs.get("id") for _, attrs in page.elements}
        for index, brand in enumerate(report.brands):
            assert {f"e-{index}-{place}" for place in range(len(brand.exposures))} <= ids

    def test_its_scripts_are_inside_it(self, page):
        assert all(word in page.scripts for word in ("reportTimeline", "player:seek", "timeline:choose", "r-viewer"))

    def test_pictures_have_words(self, page):
        assert all(
            "alt" in attrs and (attrs["alt"] or attrs.get("class") == "r-thumb")
            for tag, attrs in page.elements
            if tag == "img"
        )

    def test_shows_brands_costs_notes_and_problems(self, report):
        text = _Page(render_html(sample_report(problems=("damaged data at 0:58",))).decode()).text
        for expected in [
            *(brand.name for brand in report.brands),
            *("damaged data at 0:58", "no detector weights", "kestre1", "USD 0.00572", "unconfirmed"),
        ]:
            assert expected in text

    def test_a_brand_s_name_is_only_text(self):
        page = _Page(render_html(sample_report(name=EVIL)).decode())
        assert EVIL in page.text
        scripts = [attrs.get("type") for tag, attrs in page.elements if tag == "script"]
        assert scripts == ["application/json", None, None, None]
        assert EVIL not in page.scripts
        assert EVIL in {lane["name"] for lane in json.loads(page.data["timeline-data"])["lanes"]}

    def test_a_name_cannot_leave_its_attribute(self):
        name = '" onmouseover="alert(1)" x="'
        page = _Page(render_html(sample_report(name=name)).decode())
        assert not any("onmouseover" in attrs for _, attrs in page.elements)
        assert name in page.attributes("tr", "data-name")

    def test_nothing_found(self):
        report = msgspec.structs.replace(sample_report(), brands=[], unresolved=[])
        text = _Page(render_html(report).decode()).text
        assert "No brand was recognised" in text
