"""Decisions about whole brands: added, confirmed, rejected, kept apart, deleted; and each taken back exactly."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile

from brands.actions import (
    AddBrand,
    AddLogo,
    ConfirmBrands,
    DeleteBrand,
    ImportBrands,
    KeepApart,
    Merge,
    RejectBrands,
    Rename,
    Undo,
    decide,
)
from brands.brand_lists import ListedBrand
from brands.models import BrandAlias, BrandLogo, DistinctBrands, KnownBrand, RejectedText
from brands.selectors import known_brands_snapshot
from detect.errors import ConfigError, ConflictError, MediaprocError, NotFoundError
from tests.brands.known import facts, known, waiting
from tests.matches import storage
from tests.review.material import ANA, CLEO, asset_of, group, proposed, record

__all__ = ["storage"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]


class TestAdd:
    def test_a_brand_that_no_video_showed_is_known_to_runs(self):
        decision = decide(AddBrand("Velmora", ("VLM", "Vel Mora Air")), by=CLEO)
        (told,) = known_brands_snapshot(asset=asset_of("one")).brands
        assert (told.name, told.aliases, told.confirmed) == ("Velmora", ("VLM", "Vel Mora Air"), True)
        assert decision.brand == KnownBrand.objects.get()

    def test_one_that_waits_is_confirmed_and_one_that_was_rejected_is_no_longer(self):
        record("one", brands=[proposed("Velmora")])
        RejectedText.objects.create(text="velmora")
        assert decide(AddBrand("VELMORA"), by=CLEO).items == 1
        assert not RejectedText.objects.exists()

    def test_a_known_name_is_refused_and_so_is_an_alias_that_means_another(self):
        known("Velmora", "VLM")
        with pytest.raises(ConflictError, match="Velmora is known already"):
            decide(AddBrand("vlm"), by=CLEO)
        with pytest.raises(ConflictError, match="'VLM' is Velmora already"):
            decide(AddBrand("Hexalon", ("VLM",)), by=CLEO)
        assert KnownBrand.objects.count() == 1


class TestConfirmAndReject:
    def test_confirming_settles_the_items_of_all(self):
        record("one", brands=[proposed("Velmora"), proposed("Hexalon")])
        ids = tuple(KnownBrand.objects.values_list("id", flat=True))
        decision = decide(ConfirmBrands(ids), by=CLEO)
        assert (decision.items, decision.sentence) == (2, "Hexalon, Velmora confirmed")

    def test_many_are_told_by_their_number(self):
        ids = tuple(waiting(f"Brand {number}").id for number in range(6))
        assert decide(ConfirmBrands(ids), by=CLEO).sentence == "Brand 0, Brand 1, Brand 2 and 3 other brands confirmed"

    def test_rejecting_is_by_every_spelling_and_confirming_takes_it_back(self):
        brand = known("Velmora", "VLM")
        decide(Merge((known("Vel Mora Air").id,), brand.id), by=CLEO)
        asset = record("one", "VLM")
        decide(RejectBrands((brand.id,)), by=CLEO)
        snapshot = known_brands_snapshot(asset=asset)
        assert (snapshot.brands, set(snapshot.rejected)) == ((), {"velmora", "vlm", "velmoraair"})
        decide(ConfirmBrands((brand.id,)), by=CLEO)
        snapshot = known_brands_snapshot(asset=asset)
        assert ([told.name for told in snapshot.brands], snapshot.rejected) == (["Velmora"], ())

    def test_of_a_merged_brand_the_one_it_is_is_meant(self):
        brand, part = known("Velmora"), known("Vel Mora Air")
        decide(Merge((part.id,), brand.id), by=CLEO)
        decide(RejectBrands((part.id,)), by=CLEO)
        brand.refresh_from_db()
        assert not brand.confirmed

    def test_what_is_gone_is_said(self):
        brand = known("Velmora")
        brand.delete()
        with pytest.raises(NotFoundError, match="gone"):
            decide(ConfirmBrands((brand.id,)), by=CLEO)
        with pytest.raises(ConfigError, match="no brand was chosen"):
            decide(RejectBrands(()), by=CLEO)

    def test_reviewers_may_not(self):
        brand = known("Velmora")
        for action in (ConfirmBrands((brand.id,)), RejectBrands((brand.id,)), DeleteBrand(brand.id), AddBrand("X1")):
            with pytest.raises(PermissionDenied):
                decide(action, by=ANA)


class TestKeepApart:
    def test_every_pair_is_remembered_once(self):
        ids = tuple(known(name).id for name in ("Velmora", "Velmara", "Velmera"))
        decide(KeepApart(ids[:2]), by=CLEO)
        decide(KeepApart(ids), by=CLEO)
        assert DistinctBrands.objects.count() == 3
        with pytest.raises(ConflictError, match="nothing to change"):
            decide(KeepApart(ids), by=CLEO)

    def test_two_are_needed(self):
        brand = known("Velmora")
        with pytest.raises(ConfigError, match="at least two"):
            decide(KeepApart((brand.id, brand.id)), by=CLEO)


class TestDelete:
    def test_one_that_nothing_refers_to_goes_with_all_it_has_and_comes_back_with_it(self):
        brand, other = known("Velmora", "VLM"), known("Velmara")
        decide(AddLogo(brand.id, b"picture", ".png"), by=CLEO)
        decide(KeepApart((brand.id, other.id)), by=CLEO)
        before = facts()
        decision = decide(DeleteBrand(brand.id), by=CLEO)
        assert list(KnownBrand.objects.all()) == [other]
        assert not BrandAlias.objects.exists()
        decide(Undo(decision.id), by=CLEO)
        assert facts() == before
        assert BrandLogo.objects.get().image.read() == b"picture"

    def test_one_that_is_referred_to_stays_and_why_is_said(self):
        record("one", brands=[proposed("Velmora")])
        brand = KnownBrand.objects.get()
        decide(Merge((known("Vel Mora Air").id,), brand.id), by=CLEO)
        with pytest.raises(ConflictError, match="1 brand merged into it, 1 video with it in the result") as told:
            decide(DeleteBrand(brand.id), by=CLEO)
        assert "Merge it into the brand that it is" in told.value.message
        assert KnownBrand.objects.filter(id=brand.id).exists()


@pytest.mark.parametrize("seed", range(6))
def test_any_decisions_about_brands_taken_back_in_reverse_leave_everything_as_it_was(seed):
    chance = random.Random(seed)
    for name in ("Velmora", "Hexalon", "Zephyria"):
        known(name, f"{name} Group")
    record("one", "VELMORA AIR", brands=[proposed("Nordica"), proposed("Solvent")])
    states, made = [facts()], []
    for _ in range(25):
        try:
            made.append(decide(_any_action(chance), by=CLEO))
        except MediaprocError:
            assert facts() == states[-1]
        else:
            states.append(facts())
    assert len(made) > 8
    for decision in reversed(made):
        assert facts() == states.pop()
        decide(Undo(decision.id), by=CLEO)
    assert facts() == states.pop()
    assert group("VELMORA AIR").open_items == 1


def _any_action(chance: random.Random) -> Any:
    brands = list(KnownBrand.objects.order_by("id"))
    some = tuple(brand.id for brand in chance.sample(brands, min(len(brands), 2)))
    name = chance.choice(["Brandnew", "Velmora", "Quanta", "Zeta"])
    listed = [
        ListedBrand(
            f"line {place}", one, tuple(chance.sample(["ZG", "QQ1", "Nordica", "VLM"], 2)), chance.random() < 0.7
        )
        for place, one in enumerate(chance.sample(["Brandnew", "Omega", "Solvent", "Hexalon"], 2))
    ]
    return chance.choice(
        [
            AddBrand(name, (f"{name} {chance.randrange(3)}",)),
            ConfirmBrands(some),
            RejectBrands(some),
            KeepApart(some),
            DeleteBrand(some[0]),
            Merge(some, some[-1]),
            Rename(some[0], name),
            AddLogo(some[0], ContentFile(bytes([chance.randrange(9)])).read(), ".png"),
            ImportBrands((*listed, ListedBrand("line 9", name, (), merged_into="Omega")), "list.csv"),
        ]
    )
