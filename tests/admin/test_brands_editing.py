"""One brand in the admin: what is typed becomes decisions, what cannot be becomes an error of the form."""

from __future__ import annotations

import re
import uuid

import numpy as np
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from brands import logo_pictures
from brands.actions import AddBrand, Merge, RejectBrands, Rename, Undo, decide
from brands.models import Decision, KnownBrand, RejectedText
from detect.engines.mark_catalogue import Mark
from detect.errors import ConflictError
from mediaproc.roles import Role
from tests.admin.brandpages import LIST, change, form, page, sent, text_of
from tests.brands.known import HOSTILE, facts, known
from tests.review.material import CLEO, proposed, record

pytestmark = pytest.mark.django_db

ADD = f"{LIST}add/"


def sentences() -> list[str]:
    return list(Decision.objects.order_by("id").values_list("sentence", flat=True))


def stored(brand: KnownBrand) -> tuple[str, set[str], bool]:
    brand = KnownBrand.objects.get(id=brand.id)
    return brand.canonical_name, set(brand.alias_texts), brand.confirmed


class TestAdd:
    def test_a_brand_with_its_aliases_is_one_decision(self, curator: Client):
        data = form(None, name="Velmora", aliases={1: "VLM", 2: "Vel"})
        told = sent(curator.post(ADD, data, follow=True))
        assert "Velmora added. Undo" in told
        assert sentences() == ["Velmora added"]
        assert stored(KnownBrand.objects.get()) == ("Velmora", {"VLM", "Vel"}, True)
        assert Decision.objects.get().by == "user:curator"

    def test_going_on_with_it(self, curator: Client):
        answer = curator.post(ADD, {**form(None, name="Velmora"), "_continue": "1"})
        assert answer["Location"] == change(KnownBrand.objects.get())
        answer = curator.post(ADD, {**form(None, name="Hexalon"), "_addanother": "1"})
        assert answer["Location"] == ADD

    @pytest.mark.parametrize(
        ("name", "aliases", "told"),
        [
            ("", {}, "This field is required."),
            ("!!!", {}, "has no letter or digit: a name needs one."),
            ("A" * 301, {}, "at most 300 characters (it has 301)"),
            ("HEXALON", {}, "Hexalon is known already: edit that brand."),
            ("Velmora", {1: "hexalon"}, "'hexalon' is Hexalon already: merge the two brands if they are one."),
            ("Velmora", {1: "..."}, "'...' has no letter or digit"),
        ],
    )
    def test_what_cannot_be_is_an_error_of_the_form(self, curator: Client, name, aliases, told):
        known("Hexalon")
        assert told in sent(curator.post(ADD, form(None, name=name, aliases=aliases)))
        assert not Decision.objects.exists()


class TestChange:
    def test_each_change_is_told_with_what_it_settled_and_a_way_back(self, curator: Client):
        record("one", "FLY BETTER", brands=[proposed("Velmora")])
        brand = KnownBrand.objects.get()
        data = form(brand, name="Velmora Air", confirmed=True, aliases={1: "FLY BETTER"})
        told = sent(curator.post(change(brand), data, follow=True))
        assert sentences() == [
            "Velmora renamed Velmora Air",
            "Velmora Air confirmed",
            "Velmora Air edited: alias FLY BETTER, confirmed",
        ]
        assert "Settles 8.0 s in 1 report." in told
        assert told.count(" Undo") >= 3
        assert stored(brand) == ("Velmora Air", {"Velmora", "FLY BETTER"}, True)

    def test_undone_one_after_the_other_it_is_as_it_was(self, curator: Client):
        brand = known("Velmora", "VLM")
        before = facts()
        curator.post(change(brand), form(brand, name="Velmora Air", confirmed=False, aliases={1: "Vel"}))
        for decision in Decision.objects.order_by("-id"):
            decide(Undo(decision.id), by=CLEO)
        assert facts() == before

    def test_nothing_typed_is_nothing_decided(self, curator: Client):
        brand = known("Velmora", "VLM")
        told = sent(curator.post(change(brand), form(brand, name="Velmora"), follow=True))
        assert "Nothing was changed." in told
        assert not Decision.objects.exists()

    def test_aliases_are_added_changed_and_taken_away(self, curator: Client):
        brand = known("Velmora", "VLM", "Vel")
        vlm = brand.aliases.get(text="VLM")
        curator.post(change(brand), form(brand, name="Velmora", aliases={vlm.pk: "V.L.M.", "new": "Velm"}))
        assert stored(brand)[1] == {"V.L.M.", "Velm"}
        assert len(sentences()) == 1

    def test_an_alias_becomes_the_name_and_the_name_an_alias(self, curator: Client):
        brand = known("Velmora", "VLM", "Vel")
        curator.post(change(brand), form(brand, name="VLM"))
        assert stored(brand) == ("VLM", {"Velmora", "Vel"}, True)
        assert sentences() == ["Velmora renamed VLM"]

    def test_another_spelling_of_the_same_name(self, curator: Client):
        brand = known("Velmora", "VLM")
        curator.post(change(brand), form(brand, name="VELMORA"))
        assert stored(brand) == ("VELMORA", {"VLM"}, True)

    def test_unconfirmed(self, curator: Client):
        brand = known("Velmora", "VLM")
        curator.post(change(brand), form(brand, name="Velmora", confirmed=False))
        assert stored(brand) == ("Velmora", {"VLM"}, False)

    def test_confirming_what_was_rejected_restores_it(self, curator: Client):
        brand = known("Velmora")
        decide(RejectBrands((brand.id,)), by=CLEO)
        assert "was rejected: it is looked for nowhere" in text_of(page(curator, change(brand)))
        curator.post(change(brand), form(brand, name="Velmora"))
        assert not RejectedText.objects.exists()

    @pytest.mark.parametrize(
        ("name", "aliases", "told"),
        [
            ("", {}, "This field is required."),
            ("hexalon", {}, "Hexalon has that name already: merge the two brands if they are one."),
            ("hxl", {}, "Hexalon has that name already"),
            ("Velmora", {1: "Hexalon"}, "'Hexalon' is Hexalon already"),
            ("Velmora", {1: "?"}, "'?' has no letter or digit"),
        ],
    )
    def test_what_cannot_be_is_an_error_of_the_form(self, curator: Client, name, aliases, told):
        brand, _ = known("Velmora"), known("Hexalon", "HXL")
        before = facts()
        assert told in sent(curator.post(change(brand), form(brand, name=name, aliases=aliases)))
        assert facts() == before

    def test_what_somebody_decided_since_it_was_checked_is_a_message(self, curator: Client, monkeypatch):
        brand = known("Velmora")

        def meanwhile(*args, **kwargs):
            raise ConflictError("Hexalon has that name already")

        monkeypatch.setattr("brands.admin.editing.BrandEditing.save_related", meanwhile)
        told = sent(curator.post(change(brand), form(brand, name="Velmora Air"), follow=True))
        assert "Hexalon has that name already." in told
        assert stored(brand)[0] == "Velmora"

    def test_decisions_are_the_only_log(self, curator: Client):
        brand = known("Velmora")
        curator.post(change(brand), form(brand, name="Velmora Air"))
        curator.post(ADD, form(None, name="Hexalon"))
        assert not LogEntry.objects.exists()
        assert curator.get(f"{LIST}{brand.id}/history/")["Location"] == change(brand)


class TestPage:
    def test_figures_parts_and_decisions(self, curator: Client):
        record("one", brands=[proposed("Hankook", 10.0), proposed("Hankoak", 4.0)])
        brand, part = (KnownBrand.objects.get(canonical_name=name) for name in ("Hankook", "Hankoak"))
        decision = decide(Merge((part.id,), brand.id), by=CLEO)
        undone = decide(Rename(brand.id, "Hankook Tire"), by=CLEO)
        decide(Undo(undone.id), by=CLEO)
        content = page(curator, change(brand))
        shown = text_of(content)
        for told in (
            "14.0 s",
            "Videos 1 2 sightings",
            "Hankoak merged into Hankook",
            "cleo",
            "Un-merge Hankoak",
            "undone by cleo",
        ):
            assert told.lower() in shown.lower()
        assert f"/undo/{decision.id}/" in content
        assert "Make again" in shown

    def test_of_one_that_was_just_added(self, curator: Client):
        decide(AddBrand("Velmora"), by=CLEO)
        shown = text_of(page(curator, change(KnownBrand.objects.get())))
        assert "None yet." in shown

    def test_of_one_whose_mark_is_in_the_catalogue(self, curator: Client, monkeypatch: pytest.MonkeyPatch):
        mark = Mark("Vel Mora", np.full((20, 30), 255, np.uint8))
        monkeypatch.setattr(logo_pictures, "find_mark", lambda names: mark if "Velmora" in names else None)
        brand, part = known("Zephyria"), known("Velmora")
        assert "mark" not in text_of(page(curator, change(brand))).lower()
        decide(Merge((part.id,), brand.id), by=CLEO)
        content = page(curator, change(brand))
        assert "None yet: runs look for its mark" in text_of(content) and "mark of Vel Mora" in text_of(content)
        assert 'src="data:image/png;base64,' in content

    def test_a_merged_one_is_read_only_and_leads_to_what_it_is(self, curator: Client):
        brand, part = known("Velmora"), known("Vel Mora Air", "VMA")
        decide(Merge((part.id,), brand.id), by=CLEO)
        content = page(curator, change(part))
        assert "This brand is merged into Velmora" in text_of(content)
        assert f'href="{change(brand)}"' in content
        assert 'name="canonical_name"' not in content
        assert 'name="_save"' not in content
        assert curator.post(change(part), form(part, name="Other")).status_code == 403
        assert stored(part) == ("Vel Mora Air", {"VMA"}, True)

    def test_one_that_is_not_there(self, curator: Client):
        for key in (uuid.uuid4(), "none"):
            assert curator.get(f"{LIST}{key}/change/").status_code == 302

    @pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
    def test_hostile_names_are_only_names(self, curator: Client, name):
        brand = known(name, f"{name[:290]} alias")
        curator.post(change(brand), form(brand, name=f"{name[:290]} new"), follow=True)
        content = page(curator, change(brand))
        assert "<script>alert" not in content
        assert re.search(r'name="canonical_name"[^>]* dir="auto"|dir="auto"[^>]* name="canonical_name"', content)
        assert stored(brand)[0] == f"{name[:290]} new"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.REVIEWER])
def test_smaller_roles_are_not_let_in(client_of, role):
    brand = known("Velmora")
    browser = client_of(role)
    assert browser.get(change(brand)).status_code == 403
    assert browser.post(change(brand), form(brand, name="Other")).status_code == 403


def test_staff_who_may_look_but_not_decide_are_refused_in_words(client_of, django_user_model):
    """Somebody may be given Django's permissions one by one: decisions ask for the role all the same."""
    browser = client_of(Role.REVIEWER)
    user = django_user_model.objects.get(username="reviewer")
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="brands"))
    brand = known("Velmora")
    told = sent(browser.post(change(brand), form(brand, name="Other")))
    assert "This needs the role curator." in told
    assert stored(brand)[0] == "Velmora"
