"""Making brands one: a page to choose which of them stays, and one of those that may be one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin

from brands.actions import KeepApart, Merge, effect
from brands.admin.bulk import MOST_MERGED, address_with, given_ids
from brands.admin.telling import decide_and_tell, effect_told, sentence
from brands.catalog import brands_shown, state_of
from brands.clusters import alike_to, clusters
from brands.pages.cards import brand_choice
from brands.review.queue import brands_logos, brands_search, brands_seen
from brands.selectors import brand_roots
from detect.errors import MediaprocError
from mediaproc.principal import principal_of
from mediaproc.words import length, plural

_FOUND = 20
_CLUSTERS_PER_PAGE = 20


class BrandMerging(ModelAdmin):
    """Pages about brands that are, or may be, one."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("merge/", wrap(self.merge_view), name="brands_knownbrand_merge"),
            path("duplicates/", wrap(self.duplicates_view), name="brands_knownbrand_duplicates"),
            *super().get_urls(),
        ]

    def merge_view(self, request: HttpRequest) -> HttpResponse:
        """Brands (``?ids=``) to become one: which of them stays (``into``), others to add (``q``), what it does."""
        data = request.POST if request.method == "POST" else request.GET
        roots = brand_roots()
        ids = list(dict.fromkeys(roots.get(one, one) for one in given_ids(data.getlist("ids"))))[:MOST_MERGED]
        rows = brand_rows(ids)
        into = next(iter(given_ids([data.get("into", "")])), None)
        stays = into if into in {row["id"] for row in rows} else next((row["id"] for row in by_weight(rows)), None)
        if request.method == "POST" and stays is not None:
            if decide_and_tell(request, Merge(tuple(ids), stays)):
                return redirect("admin:brands_knownbrand_change", stays)
            return redirect(address_with("merge", ids))
        text = data.get("q", "").replace("\0", "").strip()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Merge brands",
            "rows": rows,
            "stays": stays,
            "told": _effect(request, ids, stays),
            "text": text,
            "found": [row for row in _to_add(text, ids) if row["id"] not in ids],
        }
        return TemplateResponse(request, "admin/brands/merge.html", context)

    def duplicates_view(self, request: HttpRequest) -> HttpResponse:
        """Brands that may be one, most seconds first; merged, or said to be different ones, from here."""
        if request.method == "POST":
            return self._decide_cluster(request)
        found = clusters()
        last = max(1, -(-len(found) // _CLUSTERS_PER_PAGE))
        asked = request.GET.get("page", "")
        number = min(max(1, int(asked)), last) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 1
        shown = found[(number - 1) * _CLUSTERS_PER_PAGE : number * _CLUSTERS_PER_PAGE]
        rows = {row["id"]: row for row in brand_rows(brand for cluster in shown for brand in cluster.brands)}
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Possible duplicates",
            "clusters": [
                [{**rows[brand], "why": cluster.why.get(brand, "")} for brand in cluster.brands if brand in rows]
                for cluster in shown
            ],
            "total": len(found),
            "number": number,
            "last": last,
        }
        return TemplateResponse(request, "admin/brands/duplicates.html", context)

    def _decide_cluster(self, request: HttpRequest) -> HttpResponse:
        ids = tuple(given_ids(request.POST.getlist("ids"))[:MOST_MERGED])
        into = next(iter(given_ids([request.POST.get("into", "")])), None)
        wanted = request.POST.get("action")
        if wanted == "look":
            return redirect(f"{address_with('merge', ids)}{f'&into={into}' if into else ''}")
        if wanted == "apart":
            decide_and_tell(request, KeepApart(ids))
        elif into is None:
            messages.error(request, "Choose the brand that stays.")
        else:
            decide_and_tell(request, Merge(ids, into))
        page = request.POST.get("page", "")
        there = reverse("admin:brands_knownbrand_duplicates")
        return redirect(f"{there}?page={int(page)}" if page.isascii() and page.isdigit() and len(page) < 10 else there)


def brand_rows(ids: Iterable[UUID]) -> list[dict[str, Any]]:
    """Brands to choose from, by their ids: pictures, seconds and spellings as they are shown."""
    brands: list[Any] = brands_shown(list(ids))
    wanted = [brand.id for brand in brands]
    seen, logos = brands_seen(wanted), brands_logos(wanted)
    return [
        {
            "id": brand.id,
            "name": brand.canonical_name,
            "state": state_of(brand).label,
            "crop": brand_choice(brand, seen.get(brand.id), logo=logos.get(brand.id)).crop,
            "total": brand.total_seconds,
            "seconds": length(brand.total_seconds),
            "videos": plural(brand.total_videos, "video"),
            "aliases": brand.alias_texts[:6],
        }
        for brand in brands
    ]


def by_weight(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Most seconds first, a confirmed one before others."""
    return sorted(rows, key=lambda row: (-row["total"], row["state"] != "confirmed", row["name"]))


def _effect(request: HttpRequest, ids: Sequence[UUID], stays: UUID | None) -> str:
    if stays is None or len(ids) < 2:
        return ""
    try:
        return effect_told(effect(Merge(tuple(ids), stays), by=principal_of(request)))
    except MediaprocError as error:
        return sentence(error.message)


def _to_add(text: str, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Brands that may be meant: by a part of a name; else those spelled like the one that is there."""
    if text:
        return brand_rows(brand.id for brand in brands_search(text, limit=_FOUND))
    why = alike_to(ids[0]) if len(ids) == 1 else {}
    return [{**row, "why": why[row["id"]]} for row in by_weight(brand_rows(list(why)))[:_FOUND]]
