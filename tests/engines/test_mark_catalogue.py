"""Marks of well-known brands, by their names."""

from __future__ import annotations

import numpy as np
import pytest

from detect.engines import mark_catalogue
from detect.engines.mark_catalogue import NO_CATALOGUE, catalogue_digest, find_mark

installed = pytest.mark.skipif(not catalogue_digest(), reason=NO_CATALOGUE)


@installed
@pytest.mark.parametrize("spelling", ["adidas", "ADIDAS", "Coca-Cola", "coca cola", "H&M", "Citroën", "citroen"])
def test_a_brand_has_its_mark_however_it_is_spelt(spelling):
    mark = find_mark([spelling])
    assert mark is not None
    ink = mark.silhouette > 0
    assert all(side.any() for side in (ink[0], ink[-1], ink[:, 0], ink[:, -1])), "trimmed to the ink"
    assert mark.silhouette.dtype == np.uint8 and max(mark.silhouette.shape) > 250
    picture = mark.picture()
    assert picture[0, 0] == 255 and picture.min() == 0


@installed
def test_aliases_count_and_the_first_that_has_a_mark_is_taken():
    mark = find_mark(["Herzogenaurach Sports", "adidas", "Puma"])
    assert mark is not None and mark.title == "Adidas"


@installed
@pytest.mark.parametrize("spelling", ["", "!!!", "Solquist", "adidas originals", "adi", "مرحبا"])
def test_a_name_that_is_no_title_has_none(spelling):
    assert find_mark([spelling]) is None


def test_without_the_packages_there_is_no_mark_and_no_digest(monkeypatch):
    monkeypatch.setattr(mark_catalogue, "_MODULES", ("no_such_module",))
    catalogue_digest.cache_clear()
    try:
        assert catalogue_digest() == "" and find_mark(["adidas"]) is None
    finally:
        catalogue_digest.cache_clear()
