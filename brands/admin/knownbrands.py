"""The admin of brands."""

from __future__ import annotations

from django.contrib import admin

from brands.admin.bulk import BrandBulk
from brands.admin.editing import BrandEditing
from brands.admin.exchanging import BrandExchange
from brands.admin.listing import BrandListing
from brands.admin.merging import BrandMerging
from brands.admin.trying import BrandTrying
from brands.models import KnownBrand


@admin.register(KnownBrand)
class KnownBrandAdmin(BrandExchange, BrandListing, BrandEditing, BrandBulk, BrandMerging, BrandTrying):
    """Every brand; a merged one follows the brand it is."""

    list_before_template = "admin/brands/list_head.html"

    class Media:
        css = {"all": ("css/brands_admin.css",)}
        js = ("js/pictures.js",)
