"""The pages of brands for everybody: what all videos show, where, and what was decided."""

from __future__ import annotations

import html
import re
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from brands.actions import AddBrand, AddLogo, Merge, RejectBrands, Rename, decide
from brands.models import Decision, KnownBrand
from mediaproc.roles import Role
from tests.brands.known import HOSTILE, known
from tests.brands.test_logos import picture
from tests.matches import storage
from tests.pages.conftest import client_of, curator
from tests.pages.text import inline_parts
from tests.review.material import CLEO, proposed, record

__all__ = ["client_of", "curator", "storage"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(client_of) -> Client:
    return client_of(Role.VIEWER)


@pytest.fixture
def hankook() -> KnownBrand:
    """Seen in two videos, under two names."""
    record("one", brands=[proposed("Hankook", 10.0), proposed("Velmora", 30.0)])
    record("two", brands=[proposed("Hankoak", 4.0)])
    brand, part = (KnownBrand.objects.get(canonical_name=name) for name in ("Hankook", "Hankoak"))
    decide(Merge((part.id,), brand.id), by=CLEO)
    return brand


def page_of(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def text_of(page: str) -> str:
    """What can be read, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def names_in(page: str) -> list[str]:
    return re.findall(r'class="br-name"[^>]*>([^<]*)<', page)


class TestList:
    def test_before_there_is_a_brand(self, viewer, curator):
        assert "No brand is known yet." in page_of(viewer, "/brands")
        assert "import" not in page_of(viewer, "/brands")
        assert "/admin/brands/knownbrand/import/" in page_of(curator, "/brands")

    def test_most_seconds_first_with_what_was_merged_and_without_what_is_none(self, viewer, hankook):
        decide(RejectBrands((known("HEAD").id,)), by=CLEO)
        page = page_of(viewer, "/brands")
        assert names_in(page) == ["Velmora", "Hankook"]
        assert "14.0 s" in text_of(page)
        assert "/crops/" in page

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("state=confirmed", ["Zephyria"]),
            ("state=unconfirmed", ["Velmora", "Hankook"]),
            ("state=merged", ["Hankoak"]),
            ("state=rejected", ["HEAD"]),
            ("state=odd", ["Velmora", "Hankook", "Zephyria"]),
            ("search=hankoak", ["Hankook"]),
            ("search=ZPG", ["Zephyria"]),
            ("search=nobody", []),
            ("search=%00", ["Velmora", "Hankook", "Zephyria"]),
            ("order=name", ["Hankook", "Velmora", "Zephyria"]),
            ("order=odd&page=zero", ["Velmora", "Hankook", "Zephyria"]),
            ("page=99", ["Velmora", "Hankook", "Zephyria"]),
        ],
    )
    def test_filters_are_in_the_address(self, viewer, hankook, query, names):
        known("Zephyria", "ZPG")
        decide(RejectBrands((known("HEAD").id,)), by=CLEO)
        assert names_in(page_of(viewer, f"/brands?{query}")) == names

    def test_pages(self, viewer):
        for number in range(52):
            known(f"Brand {number:02d}")
        first, second = page_of(viewer, "/brands?order=name"), page_of(viewer, "/brands?order=name&page=2")
        assert names_in(first) + names_in(second) == [f"Brand {number:02d}" for number in range(52)]
        assert "order=name&amp;page=2" in first

    def test_many_cost_no_more_queries_than_few(self, viewer):
        def queries() -> int:
            with CaptureQueriesContext(connection) as asked:
                page_of(viewer, "/brands")
            return len(asked)

        record("one", brands=[proposed("Brand A"), proposed("Brand B")])
        few = queries()
        record("two", brands=[proposed(f"Brand {number}") for number in range(40)])
        assert queries() == few <= 14

    def test_hostile_names_are_only_names(self, viewer):
        for name in HOSTILE.values():
            known(name, f"{name[:290]} alias")
        page = page_of(viewer, "/brands")
        assert "<script>alert" not in page
        for name in HOSTILE.values():
            assert name in text_of(page)


class TestPage:
    def test_figures_videos_and_their_jobs(self, viewer, hankook):
        page = page_of(viewer, f"/brands/{hankook.id}")
        shown = text_of(page)
        for part in ("14.0 s", "± 0.3 s", "31.8%", "shown there as Hankoak", "Hankoak merged into Hankook"):
            assert part in shown
        jobs = set(re.findall(r'href="(/jobs/[0-9a-f-]+)"', page))
        assert len(jobs) == 2

    def test_a_merged_brand_leads_to_what_it_is(self, viewer, hankook):
        part = hankook.merged.get()
        answer = viewer.get(f"/brands/{part.id}")
        assert (answer.status_code, answer["Location"]) == (302, f"/brands/{hankook.id}")

    def test_a_strict_policy_lets_everything_in_it_be(self, curator, hankook):
        for address in ("/brands", f"/brands/{hankook.id}"):
            assert inline_parts(curator.get(address)) == []

    def test_one_that_is_not_there(self, viewer):
        assert viewer.get(f"/brands/{uuid.uuid4()}").status_code == 404
        assert viewer.get("/brands/pictures/7.png").status_code == 404

    def test_of_one_that_nobody_saw(self, viewer):
        page = text_of(page_of(viewer, f"/brands/{known('Velmora').id}"))
        assert "No accepted result shows it." in page
        assert "Nobody has decided anything about it yet." in page

    def test_viewers_see_no_buttons_and_curators_do(self, viewer, curator, hankook):
        assert "/decide" not in page_of(viewer, f"/brands/{hankook.id}")
        page = page_of(curator, f"/brands/{hankook.id}")
        for part in ('value="confirm"', 'value="rename"', "/merge/?ids=", "/change/", "unmerge:"):
            assert part in page

    def test_many_videos_come_in_pages(self, viewer):
        for number in range(30):
            record(f"video {number}", brands=[proposed("Velmora", 1.0 + number)])
        address = f"/brands/{KnownBrand.objects.get().id}"
        assert page_of(viewer, address).count('class="br-shot"') == 24
        assert page_of(viewer, f"{address}?page=2").count('class="br-shot"') == 6

    def test_many_decisions_are_opened_when_asked_for(self, viewer):
        brand = known("Velmora")
        for number in range(25):
            decide(Rename(brand.id, f"Velmora {number}"), by=CLEO)
        address = f"/brands/{brand.id}"
        assert page_of(viewer, address).count('<li id="d-') == 20
        assert page_of(viewer, f"{address}?decisions=all").count('<li id="d-') == 25

    @pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
    def test_hostile_names_are_only_names(self, curator, name):
        brand = known(name, f"{name[:290]} alias")
        decide(Merge((known(f"{name[:290]} two").id,), brand.id), by=CLEO)
        page = page_of(curator, f"/brands/{brand.id}")
        assert "<script>alert" not in page
        assert name in text_of(page)


class TestDecide:
    def send(self, browser: Client, brand: KnownBrand, action: str, **fields: str) -> str:
        answer = browser.post(f"/brands/{brand.id}/decide", {"action": action, **fields}, follow=True)
        assert answer.status_code == 200
        return text_of(answer.content.decode())

    def test_each_button(self, curator, hankook):
        page = self.send(curator, hankook, "confirm")
        assert "Hankook confirmed. Settles 14.0 s in 2 reports." in page
        assert "Hankook renamed Hankook Tire" in self.send(curator, hankook, "rename", name="Hankook Tire")
        part = hankook.merged.get()
        assert "Hankoak taken out of Hankook Tire" in self.send(curator, hankook, f"unmerge:{part.id}")
        assert "Hankook Tire rejected" in self.send(curator, hankook, "reject")
        last = Decision.objects.latest("id")
        assert "Undone: Hankook Tire rejected" in self.send(curator, hankook, f"undo:{last.id}")
        assert "Made again: Hankook Tire rejected" in self.send(curator, hankook, f"undo:{last.id}")

    @pytest.mark.parametrize(
        ("action", "fields", "told"),
        [
            ("confirm", {}, "nothing to change"),
            ("rename", {"name": ""}, "has no letter or digit"),
            ("rename", {"name": "hexalon"}, "Hexalon has that name already"),
            ("unmerge:x", {}, "is no id"),
            ("undo:x", {}, "is no number"),
            ("undo:999999", {}, "There is no decision 999999"),
            ("odd", {}, "There is no decision 'odd'"),
            ("", {}, "There is no decision ''"),
        ],
    )
    def test_what_cannot_be_is_told_and_changes_nothing(self, curator, action, fields, told):
        brand, _ = known("Velmora"), known("Hexalon")
        assert told in self.send(curator, brand, action, **fields)
        assert not Decision.objects.exists()

    def test_a_reviewer_undoes_only_their_own(self, client_of, hankook):
        reviewer = client_of(Role.REVIEWER)
        others = Decision.objects.latest("id")
        assert "a curator can undo it" in self.send(reviewer, hankook, f"undo:{others.id}")
        assert "this needs the role curator" in self.send(reviewer, hankook, "confirm").lower()
        assert Decision.objects.count() == 1

    def test_a_brand_that_an_undo_takes_away_leads_to_the_list(self, curator):
        decision = decide(AddBrand("Velmora"), by=CLEO)
        answer = curator.post(f"/brands/{decision.brand_id}/decide", {"action": f"undo:{decision.id}"})
        assert answer["Location"] == "/brands"

    def test_viewers_may_not(self, viewer, hankook):
        assert viewer.post(f"/brands/{hankook.id}/decide", {"action": "confirm"}).status_code == 403


class TestPictures:
    def test_a_reference_picture_is_shown_small(self, viewer, storage, tmp_path):
        brand = known("Velmora")
        decide(AddLogo(brand.id, picture(size=(900, 600)), ".png"), by=CLEO)
        page = page_of(viewer, f"/brands/{brand.id}")
        (address,) = set(re.findall(r'src="(/brands/pictures/\d+\.png)"', page))
        answer = viewer.get(address)
        assert (answer["Content-Type"], answer.content[:4]) == ("image/png", b"\x89PNG")
        assert address in page_of(viewer, "/brands")
        for path in (tmp_path / "logos").iterdir():
            path.unlink()
        assert viewer.get(address).status_code == 404
