"""Known brands grow over all runs, and a run's snapshot says exactly what it knew."""

from __future__ import annotations

import pytest

from brands.models import KnownBrand, RejectedText, Source, SourceBrandSighting
from brands.selectors import known_brands_snapshot
from brands.services import (
    brand_add_logo,
    brand_get_or_create,
    brands_ensure,
    brands_get_or_create,
    sightings_record,
)
from detect.checkpoints import serde
from detect.errors import ConfigError
from detect.models import SourceAsset
from detect.types import KnownBrandRecord
from tests.brands.factories import report_brand

pytestmark = pytest.mark.django_db


@pytest.fixture
def asset() -> SourceAsset:
    return SourceAsset.objects.create(path="match.mp4", sha256="a" * 64)


def test_listed_brands_are_made_once_confirmed_and_given_their_aliases():
    first = brands_ensure(listed=[KnownBrandRecord("Velmora", ("VLM",)), KnownBrandRecord("Hexalon")])
    again = brands_ensure(listed=[KnownBrandRecord("VELMORA", ("Vel",))])
    assert [brand.id for brand in again] == [first[0].id]
    stored = KnownBrand.objects.get(id=first[0].id)
    assert (stored.canonical_name, stored.alias_texts, stored.confirmed) == ("Velmora", ["VLM", "Vel"], True)
    assert KnownBrand.objects.count() == 2


def test_a_brand_has_the_same_id_on_every_installation_and_a_taken_one_is_not_reused():
    brand = brand_get_or_create(name="Velmora", source=Source.OCR)
    expected = brand.id
    brand.delete()
    assert brand_get_or_create(name="velmora", source=Source.OCR).id == expected
    KnownBrand.objects.filter(id=expected).update(normalized_name="renamed")
    assert brand_get_or_create(name="Velmora", source=Source.OCR).id != expected


def test_a_snapshot_holds_confirmed_brands_or_just_the_listed_ones(asset):
    listed = brands_ensure(listed=[KnownBrandRecord("Velmora"), KnownBrandRecord("Hexalon")])
    brand_get_or_create(name="Maybe", source=Source.OCR)
    RejectedText.objects.create(text="fairplay")
    everything = known_brands_snapshot(asset=asset)
    assert [brand.name for brand in everything.brands] == ["Hexalon", "Velmora"]
    assert (everything.given, everything.rejected) == (False, ("fairplay",))
    some = known_brands_snapshot(asset=asset, only=listed[:1])
    assert ([brand.name for brand in some.brands], some.given) == (["Velmora"], True)
    assert serde.digest(everything) == serde.digest(known_brands_snapshot(asset=asset))


def test_a_run_is_recorded_as_one_sighting_a_brand_and_again_as_the_same(asset):
    found = report_brand("Velmora", spans=[(1.0, 3.0), (8.0, 9.5)])
    for _ in range(2):
        sightings_record(asset=asset, found=[found])
    sighting = SourceBrandSighting.objects.get()
    assert (sighting.first_seen_timestamp, sighting.last_seen_timestamp, sighting.occurrences) == (1.0, 9.5, 2)
    assert sighting.detection_source == Source.OCR
    brand = KnownBrand.objects.get()
    assert (brand.confirmed, brand.first_source, brand.total_occurrences) == (False, Source.OCR, 2)


def test_a_run_that_saw_the_same_writes_nothing_and_one_that_saw_more_counts_that(asset, django_assert_num_queries):
    found = [report_brand(name, spans=[(1.0, 3.0)]) for name in ("Velmora", "Hexalon", "Quorzen")]
    sightings_record(asset=asset, found=found)
    with django_assert_num_queries(5) as asked:  # savepoint, names, aliases, sightings, and its end
        sightings_record(asset=asset, found=found)
    assert not any(query["sql"].startswith(("INSERT", "UPDATE")) for query in asked.captured_queries)
    sightings_record(asset=asset, found=[report_brand("Velmora", spans=[(1.0, 3.0), (8.0, 9.0)])])
    totals = dict(KnownBrand.objects.values_list("canonical_name", "total_occurrences"))
    assert totals == {"Velmora": 2, "Hexalon": 1, "Quorzen": 1}
    assert SourceBrandSighting.objects.get(brand_name="Velmora").last_seen_timestamp == 9.0


def test_brands_are_found_by_name_or_alias_and_made_where_nobody_knows_them():
    listed = brands_ensure(listed=[KnownBrandRecord("Velmora", ("VLM",)), KnownBrandRecord("Hexalon")])
    found = brands_get_or_create(named={"vlm": Source.OCR, "HEXALON": Source.LOGO, "Quorzen": Source.LOCAL_VLM})
    assert [found["vlm"].id, found["HEXALON"].id] == [brand.id for brand in listed]
    assert (found["Quorzen"].first_source, found["Quorzen"].confirmed) == (Source.LOCAL_VLM, False)


def test_what_a_model_resolved_is_remembered_for_this_source_only(asset):
    brands_ensure(listed=[KnownBrandRecord("Velmora")])
    sightings_record(asset=asset, found=[report_brand("Velmora", spans=[(1, 2)], source="local_vlm", text="V·LM©ra")])
    assert known_brands_snapshot(asset=asset).cached == (("vlmra", "Velmora"),)
    other = SourceAsset.objects.create(path="other.mp4", sha256="b" * 64)
    assert known_brands_snapshot(asset=other).cached == ()


def test_a_reference_picture_is_kept_once_and_a_missing_one_is_named(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "storage"
    brand = brands_ensure(listed=[KnownBrandRecord("Velmora")])[0]
    path = tmp_path / "logo.png"
    path.write_bytes(b"picture")
    assert brand_add_logo(brand=brand, path=path).id == brand_add_logo(brand=brand, path=path).id
    with pytest.raises(ConfigError, match=r"nothing\.png cannot be read"):
        brand_add_logo(brand=brand, path=tmp_path / "nothing.png")
