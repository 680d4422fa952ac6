"""A list of brands: what each row would change, changing it as one decision, and again changing nothing."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from brands.actions import ImportBrands, Merge, RejectBrands, Undo, decide
from brands.actions.importing import Fate, import_plan
from brands.brand_lists import ListedBrand
from brands.models import BrandAlias, KnownBrand, RejectedText
from brands.selectors import known_brands_snapshot
from detect.errors import ConfigError, ConflictError
from tests.brands.known import facts, known, waiting
from tests.review.material import CLEO, asset_of, proposed, record

pytestmark = pytest.mark.django_db


def rows(*listed: tuple[str, ...] | ListedBrand) -> tuple[ListedBrand, ...]:
    """``(name, alias, …)`` each, in lines from the second on."""
    return tuple(
        one if isinstance(one, ListedBrand) else ListedBrand(f"line {line}", one[0], tuple(one[1:]))
        for line, one in enumerate(listed, start=2)
    )


def listed(name: str, *aliases: str, confirmed: bool = True, merged_into: str = "") -> ListedBrand:
    return ListedBrand("line 2", name, aliases, confirmed, merged_into)


def fates(*wanted: ListedBrand) -> list[tuple[Fate, str]]:
    plan = import_plan(wanted)
    return [(row.fate, row.conflict or ", ".join(row.changes)) for row in plan.rows]


def bring_in(*wanted: ListedBrand):
    return decide(ImportBrands(wanted, "list.csv"), by=CLEO)


def brands() -> dict[str, tuple[set[str], bool, str]]:
    return {
        brand.canonical_name: (
            set(brand.alias_texts),
            brand.confirmed,
            brand.merged_into.canonical_name if brand.merged_into else "",
        )
        for brand in KnownBrand.objects.all()
    }


class TestRows:
    def test_new_changed_and_as_it_is(self):
        known("Velmora", "VLM")
        known("Hexalon")
        wanted = rows(("VELMORA", "vlm", "Vel Mora Air"), ("Zephyria", "ZPG"), ("hexalon",))
        assert fates(*wanted) == [(Fate.CHANGED, "alias Vel Mora Air"), (Fate.NEW, "alias ZPG"), (Fate.SAME, "")]
        decision = bring_in(*wanted)
        assert decision.sentence == "brands imported from list.csv: 1 new, 1 changed"
        assert brands() == {
            "Velmora": ({"VLM", "Vel Mora Air"}, True, ""),
            "Hexalon": (set(), True, ""),
            "Zephyria": ({"ZPG"}, True, ""),
        }

    def test_a_brand_that_waits_is_confirmed_and_settles_what_waits(self):
        record("one", brands=[proposed("Velmora")])
        assert fates(listed("velmora")) == [(Fate.CHANGED, "Velmora confirmed")]
        assert bring_in(listed("velmora")).items == 1

    def test_confirmed_is_taken_over_both_ways(self):
        known("Velmora")
        wanted = (listed("Velmora", confirmed=False), listed("Hexalon", confirmed=False))
        assert fates(*wanted) == [(Fate.CHANGED, "Velmora no longer confirmed"), (Fate.NEW, "not confirmed")]
        bring_in(*wanted)
        assert brands() == {"Velmora": (set(), False, ""), "Hexalon": (set(), False, "")}

    def test_rows_may_refer_to_rows_below(self):
        bring_in(*rows(listed("VLM Air", merged_into="Velmora"), ("Hexalon",)), listed("Velmora", "VLM"))
        assert brands()["VLM Air"] == (set(), True, "Velmora")
        told = {one.name: one.aliases for one in known_brands_snapshot(asset=asset_of("one")).brands}
        assert told == {"Hexalon": (), "Velmora": ("VLM", "VLM Air")}

    def test_the_brand_into_which_a_confirmed_one_is_merged_is_confirmed_unless_the_list_says_no(self):
        waiting("Velmora")
        assert fates(listed("VLM Air", merged_into="Velmora")) == [(Fate.NEW, "merged into Velmora, Velmora confirmed")]
        said = (listed("VLM Air", merged_into="Velmora"), listed("Velmora", confirmed=False))
        bring_in(*said)
        assert brands()["Velmora"] == (set(), False, "")

    def test_an_alias_that_is_an_unconfirmed_brand_is_that_brand(self):
        known("Velmora")
        waiting("FLY BETTER")
        assert fates(listed("Velmora", "fly better")) == [(Fate.CHANGED, "FLY BETTER merged into it")]
        bring_in(listed("Velmora", "fly better"))
        assert brands()["FLY BETTER"][2] == "Velmora"

    def test_a_name_that_is_an_alias_here_means_that_brand_and_takes_nothing_from_it(self):
        known("Velmora", "VLM")
        assert fates(listed("vlm", "Vel", confirmed=False)) == [(Fate.CHANGED, "alias Vel")]
        bring_in(listed("vlm", "Vel", confirmed=False))
        assert brands() == {"Velmora": ({"VLM", "Vel"}, True, "")}

    def test_what_was_rejected_is_a_brand_again(self):
        decide(RejectBrands((known("Velmora", "VLM").id,)), by=CLEO)
        told = "Velmora confirmed, Velmora no longer rejected, VLM no longer rejected"
        assert fates(listed("Velmora", "VLM")) == [(Fate.CHANGED, told)]
        bring_in(listed("Velmora", "VLM"))
        assert not RejectedText.objects.exists()

    def test_one_brand_in_several_rows_is_one(self):
        bring_in(*rows(("Velmora", "VLM"), ("VELMORA", "Vel", "VLM")))
        assert brands() == {"Velmora": ({"VLM", "Vel"}, True, "")}

    def test_nothing_is_taken_away(self):
        brand = known("Velmora", "VLM")
        decide(Merge((known("Vel Mora Air", "VMA").id,), brand.id), by=CLEO)
        assert fates(*rows(("Velmora",), ("Vel Mora Air",))) == [(Fate.SAME, ""), (Fate.SAME, "")]


class TestConflicts:
    @pytest.mark.parametrize(
        ("row", "part"),
        [
            (listed("!!!"), "'!!!' has no letter or digit"),
            (listed(""), "'' has no letter or digit"),
            (listed("A" * 301), "301 letters"),
            (listed("Solvent", "..."), r"'\.\.\.' has no letter"),
            (listed("Solvent", "hexalon"), "'hexalon' is Hexalon already"),
            (listed("Solvent", merged_into="Nobody"), "there is no brand 'Nobody'"),
            (listed("Vel Mora Air", merged_into="Hexalon"), "it is Velmora here: un-merge it"),
            (listed("VLM", merged_into="Hexalon"), "it is Velmora here"),
        ],
        ids=["signs", "empty", "long", "alias", "taken", "unknown", "merged", "an alias"],
    )
    def test_are_told_of_their_row_and_nothing_is_imported(self, row, part):
        brand = known("Velmora", "VLM")
        known("Hexalon")
        decide(Merge((known("Vel Mora Air").id,), brand.id), by=CLEO)
        before = facts()
        (only, _) = import_plan((row, listed("Zephyria"))).rows
        assert only.fate is Fate.CONFLICT
        with pytest.raises(ConfigError, match=f"line 2: .*{part}"):
            bring_in(row, listed("Zephyria"))
        assert facts() == before

    def test_a_list_that_contradicts_itself(self):
        wanted = rows(listed("Velmora"), ListedBrand("line 3", "velmora", confirmed=False))
        assert fates(*wanted)[1] == (Fate.CONFLICT, "line 2 says otherwise of the same brand: confirmed or not?")
        wanted = rows(("Velmora", "Hexalon"), ("Hexalon",))
        assert fates(*wanted)[0][0] is Fate.CONFLICT

    def test_each_merged_into_the_other_is_one_merge(self):
        wanted = (listed("Velmora", merged_into="VLM Air"), listed("VLM Air", merged_into="Velmora"))
        bring_in(*wanted)
        assert KnownBrand.objects.filter(merged_into=None).count() == 1


LISTS = {
    "new": rows(("Velmora", "VLM"), ("Hexalon",), listed("VLM Air", "VMA", merged_into="Velmora")),
    "over what is there": rows(
        ("Nordica", "Nord"), ("fly better",), listed("Solvent", merged_into="Nordica"), listed("Omega", confirmed=False)
    ),
    "merges of merges": (listed("A1", merged_into="B1"), listed("B1", merged_into="C1"), listed("C1", "cc")),
}


@pytest.mark.parametrize("wanted", LISTS.values(), ids=LISTS)
def test_again_it_changes_nothing_and_undone_it_never_was(wanted):
    known("Nordica")
    waiting("FLY BETTER")
    known("Solvent", "Solv")
    known("Omega")
    record("one", "VLM", brands=[proposed("Solvent")])
    before = facts()
    decision = bring_in(*wanted)
    after = facts()
    assert {fate for fate, _ in fates(*wanted)} == {Fate.SAME}
    with pytest.raises(ConflictError, match="nothing to change"):
        bring_in(*wanted)
    decide(Undo(decision.id), by=CLEO)
    assert facts() == before
    decide(Undo(decision.id), by=CLEO)
    assert facts() == after


def test_looking_at_many_rows_asks_no_more_than_at_one():
    known("Velmora")

    def queries(count: int) -> int:
        wanted = rows(*((f"Brand {number}", f"Alias {number}") for number in range(count)))
        with CaptureQueriesContext(connection) as asked:
            import_plan(wanted)
        return len(asked)

    assert queries(1) == queries(300) <= 4


def test_many_are_made_and_taken_back_in_few_queries():
    wanted = rows(*((f"Brand {number}", f"Alias {number}") for number in range(300)))
    with CaptureQueriesContext(connection) as asked:
        decision = bring_in(*wanted)
    assert len(asked) < 60
    assert (KnownBrand.objects.count(), BrandAlias.objects.count()) == (300, 300)
    with CaptureQueriesContext(connection) as asked:
        decide(Undo(decision.id), by=CLEO)
    assert len(asked) < 80
    assert not KnownBrand.objects.exists()


def test_brands_that_runs_have_seen_since_stay_unconfirmed_when_the_import_is_taken_back():
    decision = bring_in(*rows(("Velmora", "VLM"), ("Hexalon",), ("Nordica",)))
    record("one", brands=[proposed("Velmora")])
    decide(Undo(decision.id), by=CLEO)
    assert brands() == {"Velmora": (set(), False, "")}
