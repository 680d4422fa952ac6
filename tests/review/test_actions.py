"""Decisions: what each changes, who may make it, and that undoing one is exact."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from brands.actions import (
    AliasOf,
    Confirm,
    EditBrand,
    Merge,
    NewBrand,
    Reject,
    Rename,
    Restore,
    Split,
    Undo,
    Unmerge,
    decide,
    effect,
)
from brands.actions.journal import fields_of
from brands.models import (
    BrandAlias,
    Decision,
    KnownBrand,
    RejectedText,
    ResolvedText,
    ReviewGroup,
    ReviewItem,
)
from brands.selectors import known_brands_snapshot
from brands.services import brands_ensure
from detect.errors import ConfigError, ConflictError, MediaprocError
from detect.types import KnownBrandRecord
from tests.review.material import ANA, BEN, CLEO, group, proposed, record, ref

pytestmark = pytest.mark.django_db

FACTS = (KnownBrand, BrandAlias, RejectedText, ResolvedText)


def facts() -> dict[str, Any]:
    """All that is known, and what follows from it for those who review; times of change aside."""
    known = {
        model.__name__: sorted(
            str({name: value for name, value in fields_of(row).items() if name != "updated_at"} | {"pk": row.pk})
            for row in model._default_manager.all()
        )
        for model in FACTS
    }
    items = sorted(ReviewItem.objects.values_list("id", "group_id", "state"))
    groups = sorted(ReviewGroup.objects.values_list("id", "text", "open_items", "open_sources", "open_seconds"))
    return {**known, "items": items, "groups": [row for row in groups if row[2]]}


def known(name: str, *aliases: str) -> KnownBrand:
    return brands_ensure(listed=[KnownBrandRecord(name, aliases)])[0]


class TestConfirm:
    def test_a_proposed_brand_is_confirmed_in_all_its_videos(self):
        one, two = record("one", brands=[proposed("Velmora")]), record("two", brands=[proposed("Velmora", 4.0)])
        decision = decide(Confirm((ref("Velmora"),)), by=ANA)
        assert KnownBrand.objects.get(canonical_name="Velmora").confirmed
        assert (decision.items, decision.seconds) == (2, 12.0)
        assert set(decision.assets.all()) == {one, two}
        assert group("Velmora").open_items == 0

    def test_an_undecided_text_becomes_a_brand_and_its_misreading_stays_with_its_source(self):
        asset, other = record("one", "HEXALON BANK", "HEXALON 8ANK"), record("two")
        decide(Confirm((ref("HEXALON BANK"),)), by=ANA)
        brand = KnownBrand.objects.get(canonical_name="HEXALON BANK")
        assert (brand.confirmed, brand.alias_texts) == (True, [])
        assert known_brands_snapshot(asset=asset).cached == (("hexalon8ank", "HEXALON BANK"),)
        assert known_brands_snapshot(asset=other).cached == ()

    def test_several_groups_are_a_brand_each(self):
        record("one", "Velmora", "Zephyria")
        decide(Confirm((ref("Velmora"), ref("Zephyria"))), by=ANA)
        assert set(KnownBrand.objects.filter(confirmed=True).values_list("canonical_name", flat=True)) == {
            "Velmora",
            "Zephyria",
        }


class TestNaming:
    def test_a_new_brand_of_another_name_has_the_text_as_alias(self):
        asset = record("one", "FLY VELMORA")
        decide(NewBrand((ref("FLY VELMORA"),), "Velmora"), by=ANA)
        (brand,) = known_brands_snapshot(asset=asset).brands
        assert (brand.name, brand.aliases) == ("Velmora", ("FLY VELMORA",))

    def test_a_proposed_brand_is_renamed_and_keeps_its_row(self):
        record("one", brands=[proposed("VELM0RA AIR")])
        before = KnownBrand.objects.get()
        decide(NewBrand((ref("VELM0RA AIR"),), "Velmora"), by=ANA)
        brand = KnownBrand.objects.get()
        assert (brand.id, brand.canonical_name, brand.alias_texts) == (before.id, "Velmora", ["VELM0RA AIR"])

    def test_a_new_brand_must_be_new(self):
        known("Velmora")
        record("one", "FLY BETTER")
        with pytest.raises(ConflictError, match="Velmora is known already"):
            decide(NewBrand((ref("FLY BETTER"),), "velmora"), by=ANA)

    def test_an_alias_settles_its_items_and_is_known_everywhere(self):
        brand = known("Velmora")
        record("one", "FLY BETTER")
        record("two", "FLY BETTER")
        decision = decide(AliasOf((ref("FLY BETTER"),), brand.id), by=ANA)
        assert (decision.items, group("FLY BETTER").open_items) == (2, 0)
        (told,) = known_brands_snapshot(asset=record("three")).brands
        assert told.aliases == ("FLY BETTER",)

    def test_a_proposed_brand_that_is_an_alias_is_merged(self):
        brand = known("Velmora")
        record("one", brands=[proposed("FLY BETTER")])
        decide(AliasOf((ref("FLY BETTER"),), brand.id), by=ANA)
        assert KnownBrand.objects.get(canonical_name="FLY BETTER").merged_into == brand

    def test_renaming_keeps_the_old_name_and_refuses_a_taken_one(self):
        brand, other = known("Velmora"), known("Hexalon")
        decide(Rename(brand.id, "Velmora Air"), by=CLEO)
        brand.refresh_from_db()
        assert (brand.canonical_name, brand.alias_texts) == ("Velmora Air", ["Velmora"])
        with pytest.raises(ConflictError, match="Hexalon has that name"):
            decide(Rename(brand.id, other.canonical_name), by=CLEO)
        decide(Rename(brand.id, "Velmora"), by=CLEO)
        assert [alias.text for alias in BrandAlias.objects.all()] == ["Velmora Air"]

    def test_editing_gives_and_takes_aliases(self):
        brand = known("Velmora", "VLM", "Vel")
        decide(EditBrand(brand.id, ("VLM", "Velm"), confirmed=False), by=CLEO)
        brand.refresh_from_db()
        assert (sorted(brand.alias_texts), brand.confirmed) == (["VLM", "Velm"], False)

    @pytest.mark.parametrize("name", ["", "  ", "!!!", "A" * 301], ids=["empty", "spaces", "signs", "long"])
    def test_what_cannot_be_a_name(self, name):
        record("one", "FLY BETTER")
        with pytest.raises(ConfigError):
            decide(NewBrand((ref("FLY BETTER"),), name), by=ANA)


class TestReject:
    def test_a_rejected_text_is_remembered_for_later_videos(self):
        record("one", "FAIR PLAY", brands=[proposed("FAIRPLAY!")])
        decide(Reject((ref("FAIR PLAY"),)), by=ANA)
        later = record("two", "FairPlay")
        assert known_brands_snapshot(asset=later).rejected == ("fairplay",)
        assert group("FAIR PLAY").open_items == 0

    def test_restored_it_waits_again(self):
        record("one", "FAIR PLAY")
        decide(Reject((ref("FAIR PLAY"),)), by=ANA)
        decide(Restore(("fairplay",)), by=ANA)
        assert group("FAIR PLAY").open_items == 1

    def test_an_alias_of_what_was_rejected_is_no_longer_rejected(self):
        brand = known("Velmora")
        record("one", "FLY BETTER")
        decide(Reject((ref("FLY BETTER"),)), by=ANA)
        decide(Restore(("flybetter",)), by=BEN)
        decide(AliasOf((ref("FLY BETTER"),), brand.id), by=ANA)
        assert not RejectedText.objects.exists()


class TestMerge:
    def test_merged_brands_are_known_as_one_and_apart_again_after(self):
        asset = record("one")
        velmora, vel, air = known("Velmora", "VLM"), known("Vel Mora Air", "VMA"), known("Velair")
        decide(Merge((vel.id,), velmora.id), by=CLEO)
        decide(Merge((velmora.id,), air.id), by=CLEO)
        (told,) = known_brands_snapshot(asset=asset).brands
        assert (told.name, set(told.aliases)) == ("Velair", {"Velmora", "VLM", "Vel Mora Air", "VMA"})
        decide(Unmerge(vel.id), by=CLEO)
        assert {one.name: set(one.aliases) for one in known_brands_snapshot(asset=asset).brands} == {
            "Vel Mora Air": {"VMA"},
            "Velair": {"Velmora", "VLM"},
        }

    def test_a_brand_is_not_merged_with_what_it_is_already(self):
        velmora, vel = known("Velmora"), known("Vel Mora Air")
        decide(Merge((vel.id,), velmora.id), by=CLEO)
        with pytest.raises(ConfigError, match="at least two"):
            decide(Merge((velmora.id,), vel.id), by=CLEO)

    def test_it_says_which_videos_it_concerns(self):
        asset = record("one", brands=[proposed("Vel Mora Air")])
        record("two", brands=[proposed("Hexalon")])
        decision = decide(
            Merge((KnownBrand.objects.get(canonical_name="Vel Mora Air").id,), known("Velmora").id), by=CLEO
        )
        assert list(decision.assets.all()) == [asset]


class TestTwoPeople:
    def test_the_second_learns_what_the_first_decided(self):
        brand = known("Velmora")
        record("one", "FLY BETTER")
        seen = ref("FLY BETTER")
        decide(Reject((seen,)), by=ANA)
        with pytest.raises(ConflictError, match="ana decided on 'FLY BETTER' meanwhile: 'FLY BETTER' rejected"):
            decide(AliasOf((seen,), brand.id), by=BEN)
        assert list(RejectedText.objects.values_list("text", flat=True)) == ["flybetter"]

    def test_nothing_is_done_where_one_of_several_groups_is_decided(self):
        record("one", "Velmora", "Zephyria")
        first, second = ref("Velmora"), ref("Zephyria")
        decide(Confirm((second,)), by=ANA)
        with pytest.raises(ConflictError):
            decide(Reject((first, second)), by=BEN)
        assert group("Velmora").open_items == 1

    def test_new_material_does_not_take_a_decision_away(self):
        record("one", "FLY BETTER")
        seen = ref("FLY BETTER")
        record("two", "FLY BETTER")
        assert decide(Reject((seen,)), by=ANA).items == 2


class TestPermission:
    def test_roles(self):
        record("one", "FLY BETTER")
        with pytest.raises(PermissionDenied):
            decide(Merge((known("Velmora").id,), known("Hexalon").id), by=ANA)

    def test_undoing_what_others_decided_needs_a_curator(self):
        record("one", "FLY BETTER")
        decision = decide(Reject((ref("FLY BETTER"),)), by=ANA)
        with pytest.raises(PermissionDenied):
            decide(Undo(decision.id), by=BEN)
        decide(Undo(decision.id), by=CLEO)
        assert group("FLY BETTER").open_items == 1


class TestUndo:
    def test_undo_and_redo(self):
        brand = known("Velmora")
        record("one", "FLY BETTER", "FLY 8ETTER")
        before = facts()
        decision = decide(AliasOf((ref("FLY BETTER"),), brand.id), by=ANA)
        after = facts()
        decide(Undo(decision.id), by=ANA)
        assert facts() == before
        decide(Undo(decision.id), by=ANA)
        assert facts() == after
        decide(Undo(decision.id), by=ANA)
        assert facts() == before

    def test_what_came_after_and_builds_on_it_is_named(self):
        record("one", "FLY BETTER", "Zephyria")
        first = decide(NewBrand((ref("FLY BETTER"),), "Velmora"), by=ANA)
        brand = KnownBrand.objects.get()
        second = decide(AliasOf((ref("Zephyria"),), brand.id), by=ANA)
        with pytest.raises(ConflictError, match="'Zephyria' is Velmora' came after it"):
            decide(Undo(first.id), by=ANA)
        decide(Undo(second.id), by=ANA)
        decide(Undo(first.id), by=ANA)
        assert not KnownBrand.objects.exists()

    def test_a_later_alias_stays_when_an_earlier_one_is_taken_back(self):
        brand = known("Velmora")
        record("one", "FLY BETTER", "Zephyria")
        first = decide(AliasOf((ref("FLY BETTER"),), brand.id), by=ANA)
        decide(AliasOf((ref("Zephyria"),), brand.id), by=ANA)
        decide(Undo(first.id), by=ANA)
        assert brand.alias_texts == ["Zephyria"]

    def test_a_merge_is_undone_exactly_after_runs_have_seen_more(self):
        velmora, vel = known("Velmora", "VLM"), known("Vel Mora Air", "VMA")
        record("one", brands=[proposed("Vel Mora Air")])
        before = facts()
        decision = decide(Merge((vel.id,), velmora.id), by=CLEO)
        record("two", brands=[proposed("Velmora"), proposed("Vel Mora Air")])
        decide(Undo(decision.id), by=CLEO)
        assert {name: facts()[name] for name in before if name not in ("items", "groups")} == {
            name: before[name] for name in before if name not in ("items", "groups")
        }

    def test_a_brand_that_runs_have_seen_since_stays_unconfirmed(self):
        record("one", "Velmora")
        decision = decide(Confirm((ref("Velmora"),)), by=ANA)
        record("two", brands=[proposed("Velmora")])
        decide(Undo(decision.id), by=ANA)
        assert not KnownBrand.objects.get().confirmed

    def test_a_split_is_undone(self):
        record("one", "FLY BETTER", "FLY 8ETTER")
        before = facts()
        some = ReviewItem.objects.get(text="FLY 8ETTER")
        decision = decide(Split(ref("FLY BETTER"), (some.id,)), by=ANA)
        assert (group("FLY BETTER").open_items, group("FLY 8ETTER").open_items) == (1, 1)
        decide(Undo(decision.id), by=ANA)
        assert facts() == before

    @pytest.mark.parametrize("seed", range(8))
    def test_any_decisions_taken_back_in_reverse_leave_everything_as_it_was(self, seed):
        chance = random.Random(seed)
        brands = [known("Velmora", "VLM"), known("Hexalon"), known("Zephyria Group", "ZPG")]
        for name in ("one", "two", "three"):
            texts = chance.sample(["FLY BETTER", "FLY 8ETTER", "MOTORWERK", "QUANTA", "QUANTA BANK", "ORBITAL"], 4)
            record(name, *texts, brands=[proposed(chance.choice(["Nordica", "Solvent Air"]))])
        states, made = [facts()], []
        for _ in range(25):
            action = _any_action(chance, brands)
            try:
                made.append(decide(action, by=CLEO))
            except MediaprocError:
                assert facts() == states[-1]
            else:
                states.append(facts())
        assert len(made) > 8
        for decision in reversed(made):
            assert facts() == states.pop()
            decide(Undo(decision.id), by=CLEO)
        assert facts() == states.pop()


def _any_action(chance: random.Random, brands: list[KnownBrand]) -> Any:
    open_groups = list(ReviewGroup.objects.filter(open_items__gt=0).order_by("id"))
    chosen = tuple(ref(one.text) for one in chance.sample(open_groups, min(len(open_groups), chance.choice([1, 1, 2]))))
    brand, other = chance.choice(list(KnownBrand.objects.order_by("id"))), chance.choice(brands)
    name = chance.choice(["Brandnew", "Fly Better", "Velmora", "Quanta", "Other"])
    texts = tuple(RejectedText.objects.order_by("text").values_list("text", flat=True)[:1])
    return chance.choice(
        [
            Confirm(chosen),
            AliasOf(chosen, brand.id),
            NewBrand(chosen, name),
            Reject(chosen),
            Rename(brand.id, name),
            Merge((brand.id,), other.id),
            Unmerge(brand.id),
            Restore(texts),
            EditBrand(brand.id, tuple(chance.sample(["VLM", "ORBITAL", "Brandnew", "Zed"], 2)), chance.random() < 0.7),
        ]
    )


class TestEffect:
    def test_it_says_what_would_be_settled_and_changes_nothing(self):
        brand = known("Velmora")
        record("one", "FLY BETTER")
        record("two", "FLY BETTER", "FLY 8ETTER")
        before = facts()
        told = effect(AliasOf((ref("FLY BETTER"),), brand.id), by=ANA)
        assert (told.items, told.seconds, told.sources) == (3, 15.0, 2)
        assert facts() == before
        assert not Decision.objects.exists()
