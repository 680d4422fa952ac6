"""Curating known brands."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from brands.models import BrandLogo, KnownBrand, RejectedText, SourceBrandSighting
from detect.matching import normalize


class BrandLogoInline(TabularInline):
    """Reference pictures of one brand."""

    model = BrandLogo
    extra = 0
    readonly_fields = ("sha256",)


@admin.register(KnownBrand)
class KnownBrandAdmin(ModelAdmin):
    list_display = ("canonical_name", "confirmed", "first_source", "total_occurrences", "updated_at")
    list_filter = ("confirmed", "first_source")
    search_fields = ("canonical_name", "aliases__text")
    readonly_fields = ("first_source", "total_occurrences")
    inlines = (BrandLogoInline,)

    def save_model(self, request: HttpRequest, obj: KnownBrand, form: object, change: bool) -> None:  # noqa: FBT001
        obj.normalized_name = normalize(obj.canonical_name)
        super().save_model(request, obj, form, change)


@admin.register(SourceBrandSighting)
class SourceBrandSightingAdmin(ModelAdmin):
    list_display = ("brand_name", "source_asset", "occurrences", "detection_source", "first_seen_timestamp")
    list_filter = ("detection_source",)
    search_fields = ("brand_name",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(RejectedText)
class RejectedTextAdmin(ModelAdmin):
    list_display = ("text", "created_at")
    search_fields = ("text",)
