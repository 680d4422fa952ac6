"""The list of brands: sorted by what all videos show, with pictures, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.views import ChangeList

from brands.catalog import State, brands_listed, brands_matching, brands_shown, in_state, state_of
from brands.models import BrandLogo, KnownBrand
from brands.pages.cards import brand_choice
from brands.review.queue import brands_logos, brands_seen
from brands.totals import with_totals
from mediaproc.words import length

_ALIASES = 4


class StateFilter(admin.SimpleListFilter):
    """Brands in one state; merged ones only when they are asked for."""

    title = parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state.value, state.label) for state in State]

    def queryset(self, request: HttpRequest, queryset: QuerySet[KnownBrand]) -> QuerySet[KnownBrand]:
        value = self.value()
        return in_state(queryset, State(value) if value in State.values else None)

    def choices(self, changelist: Any) -> Iterator[Any]:
        everything, *others = super().choices(changelist)
        yield {**everything, "display": "all but merged ones"}
        yield from others


class PictureFilter(admin.SimpleListFilter):
    title, parameter_name = "reference pictures", "pictures"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "has some"), ("no", "has none")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[KnownBrand]) -> QuerySet[KnownBrand]:
        if self.value() not in ("yes", "no"):
            return queryset
        has = Exists(BrandLogo.objects.filter(brand=OuterRef("pk")))
        return queryset.filter(has if self.value() == "yes" else ~has)


class BrandChangeList(ChangeList):
    """Works out the figures of the brands on the page only, beside the one that the list is sorted by."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        brands: list[Any] = brands_shown(list(self.result_list.values_list("id", flat=True)))
        ids = [brand.id for brand in brands]
        seen, logos = brands_seen(ids), brands_logos(ids)
        for brand in brands:
            brand.crop = brand_choice(brand, seen.get(brand.id), logo=logos.get(brand.id)).crop
        self.result_list = brands

    def get_ordering_field_columns(self) -> dict[int, str]:
        """The column that the list is sorted by, also before one was chosen."""
        if ORDER_VAR in self.params:
            return super().get_ordering_field_columns()
        return {list(self.list_display).index("seconds"): "desc"}


class BrandListing(ModelAdmin):
    """Columns, search and filters."""

    list_display = ("picture", "name", "state", "seconds", "videos", "stretches", "spellings", "seen_last")
    list_display_links = ("name",)
    list_filter = (StateFilter, PictureFilter, "first_source")
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    search_fields = ("canonical_name",)
    search_help_text = "name or alias, in any spelling"

    def get_queryset(self, request: HttpRequest) -> QuerySet[KnownBrand]:
        return with_totals(brands_listed()).order_by(*self.get_ordering(request))

    def get_ordering(self, request: HttpRequest) -> Any:
        return ("-total_seconds", "canonical_name")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BrandChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[KnownBrand], search_term: str
    ) -> tuple[QuerySet[KnownBrand], bool]:
        return brands_matching(queryset, search_term.strip()), False

    @admin.display(description="seen")
    def picture(self, brand: Any) -> str:
        if not brand.crop:
            return ""
        picture = '<img class="brand-picture" src="{}" alt="" loading="lazy" width="120" height="54" data-optional>'
        return format_html(picture, brand.crop)

    @admin.display(description="name", ordering="canonical_name")
    def name(self, brand: Any) -> str:
        named = '<bdi class="brand-name brand-short" title="{}">{}</bdi>'
        return format_html(named, brand.canonical_name, brand.canonical_name)

    @display(
        description="state",
        ordering="confirmed",
        label={"confirmed": "success", "unconfirmed": "warning", "rejected": "danger", "merged": "info"},
    )
    def state(self, brand: Any) -> str:
        return state_of(brand).value

    @admin.display(description="on screen", ordering="total_seconds")
    def seconds(self, brand: Any) -> str:
        return length(brand.total_seconds) if brand.total_videos else "–"

    @admin.display(description="videos", ordering="total_videos")
    def videos(self, brand: Any) -> str:
        return f"{brand.total_videos:,}"

    @admin.display(description="sightings", ordering="total_sightings")
    def stretches(self, brand: Any) -> str:
        return f"{brand.total_sightings:,}"

    @admin.display(description="aliases")
    def spellings(self, brand: Any) -> str:
        if brand.merged_into is not None:
            return format_html("is <bdi>{}</bdi>", brand.merged_into.canonical_name)
        texts = brand.alias_texts
        more = f" and {len(texts) - _ALIASES} more" if len(texts) > _ALIASES else ""
        named = format_html_join(", ", "<bdi>{}</bdi>", ((text,) for text in texts[:_ALIASES]))
        return format_html("{}{}", named, more) if texts else "–"

    @admin.display(description="last seen", ordering="last_seen")
    def seen_last(self, brand: Any) -> str:
        return f"{brand.last_seen:%d %b %Y}" if brand.last_seen else "–"
