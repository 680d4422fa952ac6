"""What is done to brands as a whole: asked first where it is much, told with a way back, refused in words."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from brands.actions import AddBrand, KeepApart, Merge, decide
from brands.catalog import brands_listed, state_of
from brands.models import Decision, DistinctBrands, KnownBrand, RejectedText
from tests.admin.brandpages import LIST, change, page, sent, text_of
from tests.brands.known import HOSTILE, facts, known, waiting
from tests.review.material import CLEO, proposed, record

pytestmark = pytest.mark.django_db

MERGE, DUPLICATES = f"{LIST}merge/", f"{LIST}duplicates/"


def states() -> dict[str, str]:
    return {brand.canonical_name: state_of(brand).value for brand in brands_listed()}


def act(browser: Client, action: str, *brands: KnownBrand, query: str = "") -> Any:
    ids = [str(brand.id) for brand in brands]
    return browser.post(f"{LIST}{query}", {"action": action, "_selected_action": ids}, follow=True)


class TestSelected:
    def test_confirm(self, curator: Client):
        record("one", brands=[proposed("Velmora"), proposed("Hexalon")])
        told = sent(act(curator, "confirm_selected", *KnownBrand.objects.all()))
        assert "Hexalon, Velmora confirmed. Settles 16.0 s in 1 report. Undo" in told
        assert set(states().values()) == {"confirmed"}

    def test_confirmed_already(self, curator: Client):
        assert "nothing to change" in sent(act(curator, "confirm_selected", known("Velmora")))

    def test_reject_asks_first(self, curator: Client):
        record("one", brands=[proposed("Velmora"), proposed("Hexalon")])
        asked = act(curator, "reject_selected", *KnownBrand.objects.all())
        assert "Hexalon, Velmora rejected. Settles 2 candidates: 16.0 s in 1 report." in sent(asked)
        assert set(states().values()) == {"unconfirmed"}
        told = sent(curator.post(asked.redirect_chain[-1][0], follow=True))
        assert "Hexalon, Velmora rejected." in told
        assert set(states().values()) == {"rejected"}

    def test_merge_leads_to_the_page_that_asks_which_one_stays(self, curator: Client):
        brands = [known("Velmora"), known("Hexalon")]
        asked = act(curator, "merge_selected", *brands)
        assert asked.redirect_chain[-1][0].startswith(MERGE)
        assert "Which one stays?" in sent(asked)

    def test_unmerge(self, curator: Client):
        brand, part = known("Velmora"), known("Vel Mora Air")
        decide(Merge((part.id,), brand.id), by=CLEO)
        told = sent(act(curator, "unmerge_selected", part, query="?state=merged"))
        assert "Vel Mora Air taken out of Velmora." in told
        assert "None of these is merged" in sent(act(curator, "unmerge_selected", brand))
        assert set(states().values()) == {"confirmed"}

    @pytest.mark.parametrize("action", ["merge_selected", "reject_selected", "unmerge_selected"])
    def test_too_many_are_refused(self, curator: Client, action):
        brands = [waiting(f"Brand {number}") for number in range(51)]
        assert "At most 50 brands at once: choose fewer." in sent(act(curator, action, *brands))
        assert not Decision.objects.exists()


class TestDelete:
    def test_what_nothing_refers_to_is_deleted_when_that_is_confirmed(self, curator: Client):
        brand = known("Velmora", "VLM")
        assert "Velmora deleted." in text_of(page(curator, f"{LIST}{brand.id}/delete/"))
        assert KnownBrand.objects.exists()
        told = sent(curator.post(f"{LIST}{brand.id}/delete/", follow=True))
        assert "Velmora deleted. Undo" in told
        assert not KnownBrand.objects.exists()

    def test_what_is_referred_to_stays_and_what_to_do_instead_is_said(self, curator: Client):
        record("one", brands=[proposed("Velmora")])
        brand = KnownBrand.objects.get()
        for answer in (curator.get(f"{LIST}{brand.id}/delete/"), curator.post(f"{LIST}{brand.id}/delete/")):
            told = sent(answer)
            for part in (
                "cannot be deleted",
                "1 video with it in the result",
                "1 candidate proposed as it",
                "Merge it…",
            ):
                assert part in told
        assert KnownBrand.objects.exists()

    def test_one_that_is_not_there(self, curator: Client):
        assert curator.get(f"{LIST}{uuid.uuid4()}/delete/").status_code == 404


class TestUndo:
    def test_it_says_what_it_would_do_and_does_it(self, curator: Client):
        record("one", brands=[proposed("Velmora")])
        before = facts()
        brand = KnownBrand.objects.get()
        act(curator, "confirm_selected", brand)
        address = f"{LIST}undo/{Decision.objects.get().id}/"
        assert "Undone: Velmora confirmed. Settles 1 candidate" in text_of(page(curator, address))
        told = sent(curator.post(address, follow=True))
        assert "Undone: Velmora confirmed." in told
        assert "Make again" in told
        assert facts() == before
        assert "Made again: Velmora confirmed." in sent(curator.post(address, follow=True))

    def test_what_stands_in_the_way_is_named(self, curator: Client):
        first = decide(AddBrand("Velmora"), by=CLEO)
        assert first.brand is not None
        decide(Merge((known("Vel Mora Air").id,), first.brand.id), by=CLEO)
        told = sent(curator.get(f"{LIST}undo/{first.id}/", follow=True))
        assert "came after it and builds on it: undo that first." in told

    def test_undoing_that_a_brand_was_made_leads_to_the_list(self, curator: Client):
        first = decide(AddBrand("Velmora"), by=CLEO)
        assert curator.post(f"{LIST}undo/{first.id}/")["Location"] == LIST

    def test_one_that_is_not_there(self, curator: Client):
        assert curator.get(f"{LIST}undo/7/").status_code == 404


class TestUnmergePage:
    def test_it_asks(self, curator: Client):
        brand, part = known("Velmora"), known("Vel Mora Air")
        decide(Merge((part.id,), brand.id), by=CLEO)
        address = f"{LIST}{part.id}/unmerge/"
        assert "Vel Mora Air taken out of Velmora." in text_of(page(curator, address))
        curator.post(address)
        assert set(states().values()) == {"confirmed"}
        assert "is not merged into another brand." in sent(curator.get(address, follow=True))

    def test_of_one_that_is_not_there(self, curator: Client):
        assert "There is no brand" in sent(curator.get(f"{LIST}{uuid.uuid4()}/unmerge/", follow=True))


class TestMergePage:
    def test_before_anything_is_chosen(self, curator: Client):
        assert "No brand is chosen yet" in text_of(page(curator, MERGE))

    def test_the_one_seen_longest_stays_unless_another_is_chosen(self, curator: Client):
        record("one", brands=[proposed("Hankook", 4.0), proposed("Hankoak", 9.0)])
        brands = {brand.canonical_name: brand for brand in KnownBrand.objects.all()}
        query = "&".join(f"ids={brand.id}" for brand in brands.values())
        assert "Hankook merged into Hankoak." in text_of(page(curator, f"{MERGE}?{query}"))
        chosen = text_of(page(curator, f"{MERGE}?{query}&into={brands['Hankook'].id}"))
        assert "Hankoak merged into Hankook. Concerns the results of 1 video, to be brought up to date." in chosen
        assert not Decision.objects.exists()

    def test_merging(self, curator: Client):
        brand, part = known("Velmora"), waiting("Vel Mora Air")
        data = {"ids": [str(brand.id), str(part.id)], "into": str(brand.id)}
        answer = curator.post(MERGE, data, follow=True)
        assert "Vel Mora Air merged into Velmora. Undo" in sent(answer)
        assert answer.redirect_chain[-1][0] == change(brand)
        assert states() == {"Velmora": "confirmed", "Vel Mora Air": "merged"}
        assert "choose at least two different brands" in sent(curator.post(MERGE, data, follow=True)).lower()

    def test_a_merged_one_stands_for_what_it_is(self, curator: Client):
        brand, part = known("Velmora"), known("Vel Mora Air")
        decide(Merge((part.id,), brand.id), by=CLEO)
        content = page(curator, f"{MERGE}?ids={part.id}&ids={brand.id}")
        assert content.count('name="into"') == 2  # one to choose, one to search with
        assert f'value="{part.id}"' not in content

    def test_others_are_added_by_name_or_because_they_are_spelled_alike(self, curator: Client):
        brand, alike, other = known("Velmora"), known("Velmara"), known("Hexalon", "HXL")
        content = page(curator, f"{MERGE}?ids={brand.id}")
        assert "Spelled alike" in content
        assert "Velmara" in text_of(content)
        found = page(curator, f"{MERGE}?ids={brand.id}&q=hxl")
        assert f'name="ids" value="{other.id}"' in found
        assert f'name="ids" value="{alike.id}"' not in found
        assert "No other brand is called so." in text_of(page(curator, f"{MERGE}?ids={brand.id}&q=nobody"))

    def test_what_makes_no_sense_is_left_out(self, curator: Client):
        brand = known("Velmora")
        content = page(curator, f"{MERGE}?ids=x&ids={uuid.uuid4()}&ids={brand.id}&into=x&q=%00")
        assert "Which one stays?" in content
        assert curator.post(MERGE, {"ids": "x"}).status_code == 200
        assert not Decision.objects.exists()

    @pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
    def test_hostile_names_are_only_names(self, curator: Client, name):
        ids = [known(name, f"{name[:290]} alias").id, known(f"{name[:290]} two").id]
        content = page(curator, f"{MERGE}?ids={ids[0]}&ids={ids[1]}")
        assert "<script>alert" not in content
        assert name in text_of(content)


class TestDuplicates:
    def test_none(self, curator: Client):
        known("Velmora")
        assert "No two brands are spelled alike" in text_of(page(curator, DUPLICATES))

    @pytest.fixture
    def alike(self) -> dict[str, KnownBrand]:
        record("one", brands=[proposed("Hankook", 9.0), proposed("Hankoak", 4.0), proposed("Hankookk", 2.0)])
        return {brand.canonical_name: brand for brand in KnownBrand.objects.all()}

    def test_the_one_seen_longest_is_marked_to_stay(self, curator: Client, alike):
        content = page(curator, DUPLICATES)
        assert f'value="{alike["Hankook"].id}" checked><span>stays' in content
        assert "spelled alike" in content

    def test_merging_what_is_ticked_into_what_is_marked(self, curator: Client, alike):
        ids = [str(alike[name].id) for name in ("Hankook", "Hankoak")]
        data = {"action": "merge", "ids": ids, "into": ids[1]}
        assert "Hankook merged into Hankoak." in sent(curator.post(DUPLICATES, data, follow=True))
        assert states() == {"Hankook": "merged", "Hankoak": "unconfirmed", "Hankookk": "unconfirmed"}

    def test_not_the_same_is_remembered(self, curator: Client, alike):
        ids = [str(brand.id) for brand in alike.values()]
        told = sent(curator.post(DUPLICATES, {"action": "apart", "ids": ids, "page": "1"}, follow=True))
        assert "are not the same." in told
        assert "No two brands are spelled alike" in told
        assert DistinctBrands.objects.count() == 3

    def test_looking_first(self, curator: Client, alike):
        ids = [str(alike[name].id) for name in ("Hankook", "Hankoak")]
        answer = curator.post(DUPLICATES, {"action": "look", "ids": ids, "into": ids[1]}, follow=True)
        assert "Hankook merged into Hankoak." in sent(answer)
        assert not Decision.objects.exists()

    @pytest.mark.parametrize(
        ("data", "told"),
        [
            ({"action": "merge"}, "Choose the brand that stays."),
            ({"action": "merge", "ids": "x", "into": "y"}, "Choose the brand that stays."),
            ({"action": "apart"}, "No brand was chosen."),
            ({"action": "odd", "page": "-1"}, "Choose the brand that stays."),
        ],
    )
    def test_what_makes_no_sense_is_said(self, curator: Client, alike, data, told):
        assert told in sent(curator.post(DUPLICATES, data, follow=True))

    def test_pages(self, curator: Client):
        letters = "abcdefghijklmnopqrstuvwxyz"
        for number in range(23):
            word = letters[number] * 3 + letters[-number - 1] * 3
            known(f"{word}one")
            known(f"{word}two {word}one")
        assert page(curator, DUPLICATES).count('class="picks cluster"') == 20
        assert page(curator, f"{DUPLICATES}?page=2").count('class="picks cluster"') == 3
        assert page(curator, f"{DUPLICATES}?page=99").count('class="picks cluster"') == 3

    def test_kept_apart_is_undone_from_where_it_is_told(self, curator: Client, alike):
        decide(KeepApart(tuple(brand.id for brand in alike.values())), by=CLEO)
        curator.post(f"{LIST}undo/{Decision.objects.get().id}/")
        assert "Hankoak" in text_of(page(curator, DUPLICATES))


class TestRejectedTexts:
    def test_restored_they_wait_again(self, curator: Client):
        for text in ("fairplay", "toss"):
            RejectedText.objects.create(text=text)
        row = RejectedText.objects.get(text="toss")
        address = "/admin/brands/rejectedtext/"
        assert "fairplay" in text_of(page(curator, f"{address}?q=fair"))
        data = {"action": "restore", "_selected_action": [row.pk]}
        assert "'toss' no longer rejected. Undo" in sent(curator.post(address, data, follow=True))
        assert list(RejectedText.objects.values_list("text", flat=True)) == ["fairplay"]
        curator.post(f"{LIST}undo/{Decision.objects.get().id}/")
        assert RejectedText.objects.count() == 2


class TestDecisions:
    def test_all_are_listed_with_what_became_of_them(self, curator: Client):
        brand = known("<b>Velmora</b>")
        act(curator, "reject_selected", brand)
        curator.post(f"{LIST}reject/?ids={brand.id}")
        decision = Decision.objects.get()
        address = "/admin/brands/decision/"
        assert "&lt;b&gt;Velmora&lt;/b&gt; rejected." in page(curator, address)
        curator.post(f"{LIST}undo/{decision.id}/")
        shown = text_of(page(curator, f"{address}?q=velmora"))
        assert "undone" in shown
        detail = text_of(page(curator, f"{address}{decision.id}/change/"))
        assert "rejectedtext" in detail
        assert "Make again" in detail
