"""Brands that are known, and all that is known, to compare."""

from __future__ import annotations

from typing import Any

from brands.actions.journal import fields_of
from brands.models import BrandAlias, BrandLogo, DistinctBrands, KnownBrand, RejectedText, ResolvedText, Source
from brands.services import brand_get_or_create, brands_ensure
from detect.types import KnownBrandRecord

FACTS = (KnownBrand, BrandAlias, BrandLogo, RejectedText, ResolvedText, DistinctBrands)

#: Names that a page, a file or a table must bear.
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "formula": '=HYPERLINK("http://evil")',
    "right to left": "شركة الاتصالات",
    "emoji": "🏏 Cricket 🔥",
    "long": "Velmora" * 42 + "VELMOR",
    "template": "{{ 7|add:7 }} {% now 'Y' %}",
    "quotes": 'O\'Hara & "Sons"',
}


def known(name: str, *aliases: str) -> KnownBrand:
    """A confirmed brand."""
    return brands_ensure(listed=[KnownBrandRecord(name, aliases)])[0]


def waiting(name: str) -> KnownBrand:
    """One that a run proposed."""
    return brand_get_or_create(name=name, source=Source.OCR)


def facts() -> dict[str, Any]:
    """Every row that decisions change, times of change aside."""
    return {
        model.__name__: sorted(
            str({name: value for name, value in fields_of(row).items() if name != "updated_at"} | {"pk": row.pk})
            for row in model._default_manager.all()
        )
        for model in FACTS
    }
