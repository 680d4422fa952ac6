"""Lists out of an installation and into one: a round trip changes nothing, whatever brands are called."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from brands.actions import Merge, decide
from brands.brand_lists import read_brand_list
from brands.exchange import MOST_ROWS, BrandResource, CsvList, JsonList, WaitingLists
from brands.models import KnownBrand
from detect.errors import ConfigError
from tests.brands.known import HOSTILE, facts, known, waiting
from tests.matches import storage
from tests.review.material import CLEO

__all__ = ["storage"]

pytestmark = pytest.mark.django_db

FORMATS: dict[str, Any] = {"csv": CsvList, "json": JsonList}


@pytest.fixture
def stock() -> None:
    """Brands of all states, with names of all kinds."""
    brand = known("Velmora", "VLM", "Vel; Air", "=VM")
    decide(Merge((known("Vel Mora Air", "VMA").id,), brand.id), by=CLEO)
    waiting("Nordica")
    for name in HOSTILE.values():
        known(name, f"+{name[:280]} Two")


def exported(kind: str) -> str:
    brands = KnownBrand.objects.order_by("canonical_name").select_related("merged_into").prefetch_related("aliases")
    text: str = FORMATS[kind]().export_data(BrandResource().export(brands))
    return text


def imported(kind: str, content: str | bytes):
    dataset = FORMATS[kind]().create_dataset(content)
    return BrandResource(by=CLEO).import_data(dataset, dry_run=False, file_name="list")


@pytest.mark.parametrize("kind", FORMATS)
def test_into_the_same_installation_it_changes_nothing(stock, kind):
    before = facts()
    result = imported(kind, exported(kind))
    assert result.changes_nothing
    assert facts() == before


@pytest.mark.parametrize("kind", FORMATS)
def test_into_an_empty_one_it_brings_everything(stock, kind):
    content = exported(kind)

    def stored() -> list[tuple[str, set[str], bool, str]]:
        return [
            (
                brand.canonical_name,
                {text.replace(";", " ").replace("  ", " ") for text in brand.alias_texts},
                brand.confirmed,
                str(brand.merged_into or ""),
            )
            for brand in KnownBrand.objects.order_by("canonical_name")
        ]

    before = stored()
    KnownBrand.objects.update(merged_into=None)
    KnownBrand.objects.all().delete()
    result = imported(kind, content)
    assert result.decision is not None
    assert stored() == before
    assert exported(kind) == content


def test_no_cell_of_the_csv_is_a_formula(stock):
    cells = [cell for row in csv.reader(io.StringIO(exported("csv"))) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert "'" + HOSTILE["formula"] in cells


def test_programs_get_names_as_they_are(stock):
    names = {row["name"] for row in json.loads(exported("json"))}
    assert set(HOSTILE.values()) <= names


def test_what_is_exported_can_be_looked_for(stock, tmp_path):
    path = tmp_path / "brands.csv"
    path.write_text(exported("csv"), encoding="utf-8", newline="")
    told = {brand.name: set(brand.aliases) for brand in read_brand_list(str(path))}
    assert told["Velmora"] == {"VLM", "Vel Air", "=VM", "Vel Mora Air", "VMA"}
    assert "Nordica" not in told
    assert set(HOSTILE.values()) <= set(told)


def test_json_takes_lists_truth_and_nothing():
    content = json.dumps(
        [
            {"name": "Velmora", "aliases": ["VLM", "Vel;Air"], "confirmed": True, "merged_into": None},
            {"name": "Hexalon", "confirmed": False},
        ]
    )
    imported("json", content.encode())
    assert {brand.canonical_name: (brand.alias_texts, brand.confirmed) for brand in KnownBrand.objects.all()} == {
        "Velmora": (["VLM", "Vel Air"], True),
        "Hexalon": ([], False),
    }


@pytest.mark.parametrize(
    ("kind", "content", "part"),
    [
        ("csv", b"\xff\xfe\x00", "no text in UTF-8"),
        ("csv", b"name,aliases,confirmed\nVelmora,,perhaps\n", "line 2: 'confirmed' is 'perhaps'"),
        ("csv", b'name\n"open', "is no CSV"),
        ("csv", ("Brand\n" * (MOST_ROWS + 1)).encode(), "at most 10,000"),
        ("json", b"{", "no JSON"),
        ("json", b"[" * 100_000, "no JSON"),
        ("json", b'{"name": "Velmora"}', "no list of brands"),
        ("json", b'["Velmora"]', "entry 1 is no object"),
        ("json", b'[{"name": "Velmora", "country": "ES"}]', "entry 1: there is no column 'country'"),
        ("json", b'[{"name": 7}]', "entry 1: 'name' is 7"),
        ("json", b'[{"name": "V", "aliases": [7]}]', "entry 1: 'aliases' is"),
        ("json", b'[{"name": "V", "confirmed": "perhaps"}]', "entry 1: 'confirmed' is 'perhaps'"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value[:20],
)
def test_a_file_that_cannot_be_used_is_explained(kind, content, part):
    with pytest.raises(ConfigError, match=part):
        FORMATS[kind]().create_dataset(content)


def test_conflicts_are_told_by_row_and_nothing_is_imported():
    known("Hexalon")
    result = imported("csv", "name,aliases\nVelmora,Hexalon\nNordica,Nord\n")
    assert (result.has_errors(), result.decision) == (True, None)
    assert [row.conflict != "" for row in result.plan.rows] == [True, False]
    assert result.shown[0].conflict.startswith("'Hexalon' is Hexalon already")
    assert KnownBrand.objects.count() == 1


def test_lists_that_nobody_confirmed_are_forgotten_after_a_day(storage, monkeypatch):
    now = timezone.now()
    monkeypatch.setattr("brands.exchange.timezone.now", lambda: now)
    old, later, new = WaitingLists(), WaitingLists(), WaitingLists()
    old.save(b"old")
    later.save(b"later")
    assert (old.read(), later.read()) == (b"old", b"later")
    now += timedelta(days=2)
    new.save(b"new")
    assert default_storage.listdir(new.MEDIA_FOLDER)[1] == [new.name]
