"""The page of the queue, as a browser without scripts gets and uses it."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from brands.models import BrandLogo, Decision, KnownBrand, RejectedText, ReviewGroup, ReviewItem
from brands.services import brands_ensure
from detect.models import SourceAsset
from detect.types import KnownBrandRecord
from mediaproc.roles import Role
from tests.pages.text import body, inline_parts, words
from tests.review.material import group, proposed, record, ref

pytestmark = pytest.mark.django_db

HARD_NAMES = ["<script>alert(1)</script>", "مشروب النخبة", "🏁 Fenn 👩‍🌾", "Vordiq" + "long" * 73 + "ab"]


def refs(*texts: str) -> list[str]:
    return [f"{one.id}:{one.revision}" for one in map(ref, texts)]


def decided(browser: Client, action: str, *texts: str, **fields: Any) -> Any:
    """The page after a form was sent."""
    return browser.post("/review/decide", {"action": action, "groups": refs(*texts), **fields}, follow=True)


class TestPage:
    def test_the_present_group_and_those_that_come_next(self, ana):
        record("one", "FLY BETTER", "FLY 8ETTER", seconds=126)
        record("two", "ORBITAL", seconds=4)
        page = words(ana.get("/review"))
        assert "2 decisions left · 4 min 16 s at stake" in page
        assert "Settles 4 min 12 s in 1 report" in page
        assert "Also read as FLY 8ETTER" in page
        assert "no known brand is spelled like it" in page
        assert page.index("FLY BETTER") < page.index("ORBITAL")

    def test_pictures_lead_to_the_frame_and_to_the_report_at_that_moment(self, ana):
        record("one", "FLY BETTER")
        page = ana.get("/review").content.decode()
        job = ReviewItem.objects.get().job_id
        assert f'src="/jobs/{job}/crops/3/10-20-100-30.jpg"' in page
        assert f'href="/jobs/{job}/frames/3.jpg"' in page
        assert f'href="/jobs/{job}#t=1.5"' in page

    def test_known_brands_it_may_be_have_a_button_each(self, ana):
        brand = brands_ensure(listed=[KnownBrandRecord("Fly Better Air", ())])[0]
        record("one", "FLY BETTER")
        assert f'value="alias:{brand.id}"' in ana.get("/review").content.decode()
        decided(ana, f"alias:{brand.id}", "FLY BETTER")
        assert Decision.objects.get().brand == brand

    def test_no_script_in_the_page_itself(self, ana):
        record("one", "FLY BETTER", brands=[proposed("Velmora")])
        for address in ("/review", "/review/history", "/review/cards"):
            assert inline_parts(ana.get(address)) == []

    def test_nothing_waits(self, ana):
        page = words(ana.get("/review"))
        assert "Nothing waits" in page
        assert "comes here by itself" in page

    def test_everything_is_decided(self, ana):
        record("one", "FLY BETTER")
        page = words(decided(ana, "reject", "FLY BETTER"))
        assert "0 decisions left" in page
        assert "'FLY BETTER' rejected · settled 5.0 s in 1 report" in page

    @pytest.mark.parametrize("name", HARD_NAMES)
    def test_names_that_are_hard_to_show(self, ana, name):
        record("one", name)
        record("<b>video</b>.mp4", "ORBITAL")
        brands_ensure(listed=[KnownBrandRecord(f"{name[:280]} AG", ())])
        decided(ana, "reject", "ORBITAL")
        for address in ("/review", "/review/cards", "/review/history", "/review/brands?q=AG"):
            page = ana.get(address).content.decode()
            assert "<script>alert" not in page
            assert "<b>video" not in page
        assert f"{name} confirmed" in body(decided(ana, "confirm", name))

    def test_a_video_of_which_little_is_known_and_whose_files_are_gone(self, ana):
        asset = record("one", "FLY BETTER")
        SourceAsset.objects.filter(id=asset.id).update(probe={}, path="")
        assert ana.get("/review").status_code == 200

    def test_it_begins_behind_a_place_or_at_a_group(self, ana):
        record("one", "ORBITAL", seconds=9)
        record("two", "QUANTA", seconds=3)
        first, second = group("ORBITAL"), group("QUANTA")
        for query in (f"after={first.open_seconds!r}:{first.id}", f"at={second.id}"):
            assert "ORBITAL" not in words(ana.get(f"/review?{query}"))
        for query in ("after=x", "after=1:y", "after=:", "at=x", "at=99999999999", "after=nan:1"):
            assert ana.get(f"/review?{query}").status_code == 200


class TestFilters:
    def test_one_video_is_named_and_can_be_left(self, ana):
        asset = record("/videos/final.mp4", "ORBITAL")
        record("other.mp4", "QUANTA")
        job = ReviewItem.objects.get(text="ORBITAL").job_id
        for query in (f"asset={asset.id}", f"job={job}"):
            page = words(ana.get(f"/review?{query}"))
            assert "Only final.mp4" in page
            assert "see all 2" in page
            assert "QUANTA" not in page

    def test_what_leaves_nothing(self, ana):
        record("one", "ORBITAL")
        for query in (f"asset={uuid.uuid4()}", f"job={uuid.uuid4()}", "text=none", "kind=proposed"):
            page = words(ana.get(f"/review?{query}"))
            assert "Nothing waits here" in page
            assert "See all that waits" in page

    def test_an_id_that_cannot_be_one_is_not_found(self, ana):
        assert ana.get("/review?asset=x").status_code == 404

    def test_they_stay_through_a_decision(self, ana):
        record("one", "ORBITAL", "QUANTA")
        answer = ana.post(
            "/review/decide", {"action": "reject", "groups": refs("ORBITAL"), "query": "text=a&kind=undecided"}
        )
        assert answer["Location"] == "/review?text=a&kind=undecided"

    def test_an_address_of_another_site_leads_nowhere(self, ana):
        record("one", "ORBITAL")
        answer = ana.post("/review/decide", {"action": "reject", "groups": refs("ORBITAL"), "query": "//evil.example/"})
        assert answer["Location"].startswith("/review?")


class TestForms:
    def test_one_decision_on_several_groups(self, ana):
        record("one", "ORBITAL", "QUANTA")
        page = words(decided(ana, "reject", "ORBITAL", "QUANTA"))
        assert "'ORBITAL', 'QUANTA' rejected" in page
        assert RejectedText.objects.count() == 2

    def test_a_new_brand_by_its_name(self, ana):
        record("one", "FLY BETTER")
        decided(ana, "new", "FLY BETTER", name=" Velmora ")
        assert KnownBrand.objects.get().canonical_name == "Velmora"

    def test_an_alias_by_the_brand_s_name_or_another_alias(self, ana):
        brand = brands_ensure(listed=[KnownBrandRecord("Velmora", ("VLM",))])[0]
        record("one", "FLY BETTER")
        assert "There is no brand 'Nobody'" in words(decided(ana, "alias", "FLY BETTER", brand="Nobody"))
        decided(ana, "alias", "FLY BETTER", brand="v-l-m")
        assert set(brand.alias_texts) == {"VLM", "FLY BETTER"}

    def test_some_pictures_are_split_off(self, ana):
        record("one", "FLY BETTER", "FLY 8ETTER")
        item = ReviewItem.objects.get(text="FLY 8ETTER")
        decided(ana, "split", "FLY BETTER", items=[item.id])
        assert ReviewGroup.objects.filter(open_items__gt=0).count() == 2

    def test_a_refusal_leads_to_the_decision_in_the_way(self, ana, browser_of):
        record("one", "FLY BETTER")
        seen = refs("FLY BETTER")
        browser_of("ben").post("/review/decide", {"action": "reject", "groups": seen})
        page = ana.post("/review/decide", {"action": "confirm", "groups": seen}, follow=True)
        assert "Ben decided on 'FLY BETTER' meanwhile: 'FLY BETTER' rejected" in words(page)
        assert f'href="/review/history?decision={Decision.objects.get().id}"' in page.content.decode()

    def test_a_name_in_a_refusal_is_text(self, ana, browser_of):
        record("one", "<script>alert(1)</script>")
        seen = refs("<script>alert(1)</script>")
        browser_of("ben").post("/review/decide", {"action": "reject", "groups": seen})
        page = ana.post("/review/decide", {"action": "confirm", "groups": seen}, follow=True).content.decode()
        assert "<script>alert" not in page


class TestAccess:
    def test_a_viewer_looks_and_decides_nothing(self, browser_of):
        record("one", "FLY BETTER", "FLY 8ETTER")
        vera = browser_of("vera", Role.VIEWER)
        page = vera.get("/review")
        assert "You may look" in words(page)
        assert not re.search(r'name="(action|groups|items)"', page.content.decode())
        assert 'name="action"' not in vera.get("/review/cards").content.decode()
        for address in ("/review/decide", "/review/effect"):
            assert vera.post(address, {"action": "confirm", "groups": refs("FLY BETTER")}).status_code == 403
        assert not Decision.objects.exists()

    @pytest.mark.parametrize("address", ["/review", "/review/cards", "/review/brands", "/review/history"])
    def test_a_login_is_asked_for(self, db, address):
        assert Client().get(address)["Location"].startswith("/login")

    def test_a_form_of_another_site_decides_nothing(self, django_user_model, ana):
        record("one", "FLY BETTER")
        careful = Client(enforce_csrf_checks=True)
        careful.force_login(django_user_model.objects.get(username="ana"))
        answer = careful.post("/review/decide", {"action": "confirm", "groups": refs("FLY BETTER")})
        assert answer.status_code == 403
        assert not Decision.objects.exists()


class TestCards:
    def test_the_next_ones(self, ana):
        record("one", *["ORBITAL", "QUANTA", "ZEPHYRIA", "MOTORWERK"])
        page = ana.get("/review/cards?count=3").content.decode()
        assert page.count("<article") == page.count('<li class="rv-row"') == 3
        place = re.search(r'data-next="([^"]+)"', page)
        assert place is not None
        rest = ana.get("/review/cards", {"after": place[1], "count": 3}).content.decode()
        assert rest.count("<article") == 1
        assert 'data-next=""' in rest

    def test_those_asked_for_that_still_wait_and_fit(self, ana):
        record("one", "ORBITAL", "QUANTA", "ZEPHYRIA")
        ids = [group(text).id for text in ("ORBITAL", "QUANTA", "ZEPHYRIA")]
        decided(ana, "reject", "QUANTA")
        page = ana.get("/review/cards", {"ids": ",".join(map(str, ids)), "text": "orb"}).content.decode()
        assert re.findall(r'data-name="(\w+)"', page) == ["ORBITAL"]

    def test_totals_alone(self, ana):
        record("one", "ORBITAL", "QUANTA")
        page = ana.get("/review/cards?count=0").content.decode()
        assert 'data-groups="2"' in page
        assert "<article" not in page

    def test_the_number_of_queries_does_not_grow(self, ana, django_assert_max_num_queries):
        record(
            "one",
            *[
                "ORBITAL",
                "QUANTA",
                "ZEPHYRIA",
                "MOTORWERK",
                "HALVORD",
                "CRAVANT",
                "KALDERO",
                "LUGARDE",
                "VELMORA",
                "SOLVENT",
            ],
        )
        ana.get("/review/cards?count=10")
        with django_assert_max_num_queries(12):
            assert ana.get("/review/cards?count=10").content.decode().count("<article") == 10


def test_a_brand_that_was_never_seen_shows_its_reference_picture(ana):
    brand = brands_ensure(listed=[KnownBrandRecord("Fly Better Air", ())])[0]
    logo = BrandLogo.objects.create(brand=brand, image="logos/x.png", sha256="0" * 64)
    record("one", "FLY BETTER")
    for address in ("/review", "/review/brands?q=fly"):
        assert f'src="/brands/pictures/{logo.id}.png"' in ana.get(address).content.decode()


def test_brands_to_choose_from(ana):
    brands_ensure(listed=[KnownBrandRecord("Velmora", ("FLY BETTER", "<b>VLM</b>")), KnownBrandRecord("Quanta", ())])
    page = ana.get("/review/brands?q=fly").content.decode()
    assert re.findall(r'data-brand-name="([^"]+)"', page) == ["Velmora"]
    assert "also FLY BETTER, &lt;b&gt;VLM&lt;/b&gt;" in page
    assert ana.get("/review/brands?q=").content.strip() == b""
    assert ana.get("/review/brands?q=%00").status_code == 200
