"""Every decision about a brand is found, whatever else it was about."""

from __future__ import annotations

import pytest

from brands.actions import (
    AliasOf,
    ConfirmBrands,
    EditBrand,
    ImportBrands,
    KeepApart,
    Merge,
    Rename,
    Undo,
    Unmerge,
    decide,
)
from brands.brand_lists import ListedBrand
from brands.history import decisions_about
from tests.brands.known import known
from tests.review.material import CLEO, record, ref

pytestmark = pytest.mark.django_db


def test_all_that_changed_it_or_what_belongs_to_it():
    brand, other, third = known("Velmora"), known("Hexalon"), known("Velmara")
    record("one", "FLY BETTER")
    about = [
        decide(AliasOf((ref("FLY BETTER"),), brand.id), by=CLEO),
        decide(EditBrand(brand.id, ("FLY BETTER", "VLM"), confirmed=False), by=CLEO),
        decide(ConfirmBrands((brand.id, other.id)), by=CLEO),
        decide(KeepApart((brand.id, third.id)), by=CLEO),
        decide(Merge((other.id,), brand.id), by=CLEO),
        decide(Unmerge(other.id), by=CLEO),
        decide(ImportBrands((ListedBrand("line 1", "velmora", ("VMA",)), ListedBrand("line 2", "New")), "a"), by=CLEO),
    ]
    decide(Rename(third.id, "Zephyria"), by=CLEO)
    decide(Undo(about[-1].id), by=CLEO)
    assert [one.id for one in decisions_about([brand.id])] == [one.id for one in reversed(about)]


def test_unmerging_is_told_of_both():
    brand, part = known("Velmora"), known("Vel Mora Air")
    decide(Merge((part.id,), brand.id), by=CLEO)
    decide(Unmerge(part.id), by=CLEO)
    assert decisions_about([brand.id]).count() == decisions_about([part.id]).count() == 2
