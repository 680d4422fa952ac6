"""What was decided, to look at, to undo and to make again."""

from __future__ import annotations

import re

import pytest

from brands.actions import AliasOf, Confirm, Merge, NewBrand, Reject, Undo, decide
from brands.models import Decision, KnownBrand
from brands.services import brands_ensure
from detect.types import KnownBrandRecord
from mediaproc.roles import Role
from tests.pages.text import words
from tests.review.material import ANA, BEN, CLEO, group, proposed, record, ref

pytestmark = pytest.mark.django_db


def buttons(page) -> list[tuple[str, str]]:
    """Words of the buttons, each with the decision it is about."""
    found = re.findall(r'value="undo:(\d+)">([^<]+)<', page.content.decode())
    return [(Decision.objects.get(id=number).sentence, word) for number, word in found]


def rows(page) -> list[str]:
    return re.findall(r'rv-sentence" dir="auto">([^<]+)<', page.content.decode().replace("&#x27;", "'"))


class TestRows:
    def test_nothing_decided_yet(self, ana):
        assert "Nothing has been decided yet" in words(ana.get("/review/history"))

    def test_who_when_what_and_how_much(self, ana):
        record("one", "FLY BETTER", seconds=126)
        record("two", "FLY BETTER", seconds=126)
        made = decide(Reject((ref("FLY BETTER"),)), by=ANA)
        page = words(ana.get("/review/history"))
        assert "'FLY BETTER' rejected" in page
        assert f"ana · {made.created_at:%-d %b %Y, %H:%M} UTC · rejected · 2 items, 4 min 12 s in 2 reports" in page

    def test_newest_first_in_pages(self, ana):
        record("one", "FLY BETTER")
        made = decide(Reject((ref("FLY BETTER"),)), by=ANA)
        for _ in range(60):
            decide(Undo(made.id), by=ANA)
        page = ana.get("/review/history")
        assert len(rows(page)) == 50
        older = re.search(r'rel="next" href="([^"]+)"', page.content.decode())
        assert older is not None
        rest = ana.get(f"/review/history{older[1]}")
        assert len(rows(rest)) == 11
        assert rows(rest)[-1] == "'FLY BETTER' rejected"

    def test_the_number_of_queries_does_not_grow(self, ana, django_assert_max_num_queries):
        record("one", *["ORBITAL", "QUANTA", "ZEPHYRIA", "MOTORWERK", "HALVORD"])
        for text in ["ORBITAL", "QUANTA", "ZEPHYRIA", "MOTORWERK", "HALVORD"]:
            decide(Confirm((ref(text),)), by=ANA)
        with django_assert_max_num_queries(7):
            ana.get("/review/history")


class TestFilters:
    def test_by_person_kind_brand_and_one_alone(self, ana):
        record("one", "FLY BETTER", "ORBITAL", "QUANTA")
        decide(Reject((ref("FLY BETTER"),)), by=ANA)
        decide(NewBrand((ref("ORBITAL"),), "Velmora"), by=BEN)
        third = decide(Confirm((ref("QUANTA"),)), by=BEN)
        for query, found in {
            "by=user:ana": ["'FLY BETTER' rejected"],
            "kind=confirm": ["QUANTA confirmed"],
            "brand=velm": ["'ORBITAL' is Velmora, a new brand"],
            "brand=fly": ["'FLY BETTER' rejected"],
            f"decision={third.id}": ["QUANTA confirmed"],
            "by=user:ben&kind=reject": [],
            "brand=!": [],
        }.items():
            assert rows(ana.get(f"/review/history?{query}")) == found, query

    def test_what_cannot_be_is_no_filter(self, ana):
        for query in ("kind=x", "decision=x", "before=x", "by=%00", "brand=%00"):
            assert ana.get(f"/review/history?{query}").status_code == 200


class TestUndo:
    def test_one_s_own_can_be_undone_and_made_again(self, ana):
        record("one", "FLY BETTER")
        decide(Reject((ref("FLY BETTER"),)), by=ANA)
        assert buttons(ana.get("/review/history")) == [("'FLY BETTER' rejected", "Undo")]
        made = Decision.objects.get()
        form = {"action": f"undo:{made.id}", "page": "history", "query": "by=user:ana"}
        page = ana.post("/review/decide", form, follow=True)
        assert page.redirect_chain == [(f"/review/history?by=user%3Aana#d-{made.id}", 302)]
        assert buttons(page) == [("'FLY BETTER' rejected", "Make again")]
        assert "Undone by ana" in words(page)
        assert group("FLY BETTER").open_items == 1
        page = ana.post("/review/decide", form, follow=True)
        assert buttons(page) == [("'FLY BETTER' rejected", "Undo")]
        assert "Made again by ana" in words(page)
        assert group("FLY BETTER").open_items == 0

    def test_others_need_a_curator(self, ana, browser_of):
        record("one", "FLY BETTER", "ORBITAL")
        decide(Reject((ref("FLY BETTER"),)), by=BEN)
        assert buttons(ana.get("/review/history")) == []
        assert buttons(browser_of("vera", Role.VIEWER).get("/review/history")) == []
        cleo = browser_of("cleo", Role.CURATOR)
        assert len(buttons(cleo.get("/review/history"))) == 1

    def test_what_a_curator_undid_is_the_curator_s(self, ana):
        record("one", "FLY BETTER")
        made = decide(Reject((ref("FLY BETTER"),)), by=ANA)
        decide(Undo(made.id), by=CLEO)
        assert buttons(ana.get("/review/history")) == []

    def test_a_refusal_leads_to_what_stands_in_the_way(self, ana):
        record("one", "FLY BETTER", "ORBITAL")
        first = decide(NewBrand((ref("FLY BETTER"),), "Velmora"), by=ANA)
        second = decide(AliasOf((ref("ORBITAL"),), KnownBrand.objects.get().id), by=ANA)
        page = ana.post("/review/decide", {"action": f"undo:{first.id}", "page": "history"}, follow=True)
        assert "came after it and builds on it: undo that first" in words(page)
        assert f'href="/review/history?decision={second.id}"' in page.content.decode()

    def test_a_merge_concerns_reports_without_settling_anything(self, browser_of):
        record("one", brands=[proposed("Vel Mora Air")])
        vel = KnownBrand.objects.get()
        decide(Confirm((ref("Vel Mora Air"),)), by=CLEO)
        velmora = brands_ensure(listed=[KnownBrandRecord("Velmora", ())])[0]
        decide(Merge((vel.id,), velmora.id), by=CLEO)
        page = browser_of("cleo", Role.CURATOR).get("/review/history")
        assert "merged · concerns 1 report" in words(page)
        assert buttons(page)[0] == ("Vel Mora Air merged into Velmora", "Undo")
