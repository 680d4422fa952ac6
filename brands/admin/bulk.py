"""What is done to brands as a whole: to the ticked ones, or to one; asked first where it is much."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin

from brands.actions import Action, ConfirmBrands, DeleteBrand, RejectBrands, Undo, Unmerge, effect
from brands.actions.standing import references
from brands.admin.telling import decide_and_tell, effect_told, sentence
from brands.models import Decision, KnownBrand
from detect.errors import MediaprocError
from mediaproc.principal import principal_of
from mediaproc.roles import Role
from mediaproc.words import plural

MOST_MERGED = 50
_MOST_AT_ONCE = 1000


class BrandBulk(ModelAdmin):
    """Actions of the list, and the pages that ask before them."""

    actions = ("confirm_selected", "merge_selected", "reject_selected", "unmerge_selected")

    def has_curate_permission(self, request: HttpRequest) -> bool:
        return principal_of(request).may(Role.CURATOR)

    def get_actions(self, request: HttpRequest) -> Any:
        """Without Django's own deleting, which would take along what refers to a brand."""
        return {name: one for name, one in super().get_actions(request).items() if name != "delete_selected"}

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("reject/", wrap(self.reject_view), name="brands_knownbrand_reject"),
            path("undo/<int:decision_id>/", wrap(self.undo_view), name="brands_knownbrand_undo"),
            path("<uuid:brand_id>/unmerge/", wrap(self.unmerge_view), name="brands_knownbrand_unmerge"),
            *super().get_urls(),
        ]

    @admin.action(description="Confirm", permissions=["curate"])
    def confirm_selected(self, request: HttpRequest, queryset: QuerySet[KnownBrand]) -> None:
        if ids := _chosen(request, queryset, _MOST_AT_ONCE):
            decide_and_tell(request, ConfirmBrands(ids))

    @admin.action(description="Merge into one…", permissions=["curate"])
    def merge_selected(self, request: HttpRequest, queryset: QuerySet[KnownBrand]) -> HttpResponse | None:
        ids = _chosen(request, queryset, MOST_MERGED)
        return redirect(address_with("merge", ids)) if ids else None

    @admin.action(description="Reject: these are no brands…", permissions=["curate"])
    def reject_selected(self, request: HttpRequest, queryset: QuerySet[KnownBrand]) -> HttpResponse | None:
        ids = _chosen(request, queryset, MOST_MERGED)
        return redirect(address_with("reject", ids)) if ids else None

    @admin.action(description="Un-merge", permissions=["curate"])
    def unmerge_selected(self, request: HttpRequest, queryset: QuerySet[KnownBrand]) -> None:
        chosen = _chosen(request, queryset, MOST_MERGED)
        merged = list(KnownBrand.objects.filter(id__in=chosen).exclude(merged_into=None).order_by("canonical_name"))
        if chosen and not merged:
            messages.warning(request, "None of these is merged into another brand: filter by state to see those.")
        for brand in merged:
            decide_and_tell(request, Unmerge(brand.id))

    def unmerge_view(self, request: HttpRequest, brand_id: UUID) -> HttpResponse:
        """Asks, and takes a brand out of the one it was merged into."""
        return self._ask(request, Unmerge(brand_id), title="Un-merge", word="Un-merge it", about=brand_id)

    def reject_view(self, request: HttpRequest) -> HttpResponse:
        """Asks, and rejects brands (``?ids=``)."""
        ids = tuple(given_ids(request.GET.getlist("ids"))[:MOST_MERGED])
        note = "None of their spellings is looked for any more, in any video."
        word = f"Reject {plural(len(ids), 'brand')}"
        about = ids[0] if len(ids) == 1 else None
        return self._ask(request, RejectBrands(ids), title="Reject", word=word, about=about, note=note)

    def undo_view(self, request: HttpRequest, decision_id: int) -> HttpResponse:
        """Asks, and takes a decision back; one that was taken back is made again."""
        decision = get_object_or_404(Decision, id=decision_id)
        return self._ask(request, Undo(decision.id), title="Undo", word="Do it", about=decision.brand_id)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Asks, and deletes a brand that nothing refers to; says of others why they stay, and what to do instead."""
        brand = self.get_object(request, object_id)
        if brand is None:
            raise Http404(f"there is no brand {object_id}")
        if not self.has_delete_permission(request, brand):
            raise PermissionDenied
        reasons = references(brand)
        if not reasons:
            note = "Its aliases and reference pictures go with it."
            action = DeleteBrand(brand.id)
            return self._ask(request, action, title="Delete", word="Delete it", about=brand.id, note=note)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Delete",
            "brand": brand,
            "reasons": reasons,
            "back": _home(brand.id),
            "merge": address_with("merge", [brand.id]),
            "reject": address_with("reject", [brand.id]),
        }
        return TemplateResponse(request, "admin/brands/undeletable.html", context)

    def _ask(
        self, request: HttpRequest, action: Action, *, title: str, word: str, about: UUID | None, note: str = ""
    ) -> HttpResponse:
        """Say what a decision would do, and make it once that is confirmed."""
        if request.method == "POST":
            decide_and_tell(request, action)
            return redirect(_home(about))
        try:
            told = effect_told(effect(action, by=principal_of(request)))
        except MediaprocError as error:
            messages.error(request, sentence(error.message))
            return redirect(_home(about))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "told": told,
            "note": note,
            "word": word,
            "grave": isinstance(action, DeleteBrand | RejectBrands),
            "back": _home(about),
        }
        return TemplateResponse(request, "admin/brands/ask.html", context)


def given_ids(texts: Iterable[str]) -> list[UUID]:
    """Ids as an address or form gives them, each once; what cannot be one is left out."""
    found: dict[UUID, None] = {}
    for text in texts:
        try:
            found[UUID(text)] = None
        except ValueError:
            continue
    return list(found)


def address_with(page: str, ids: Iterable[UUID]) -> str:
    """The address of a page about some brands."""
    return f"{reverse(f'admin:brands_knownbrand_{page}')}?{urlencode([('ids', brand) for brand in ids])}"


def _chosen(request: HttpRequest, queryset: QuerySet[KnownBrand], most: int) -> tuple[UUID, ...]:
    """Ids of what was ticked; none, and a message, where it is too much."""
    ids: Sequence[UUID] = list(queryset.values_list("id", flat=True)[: most + 1])
    if len(ids) > most:
        messages.error(request, f"At most {most} brands at once: choose fewer.")
        return ()
    return tuple(ids)


def _home(brand: UUID | None) -> str:
    """The page of a brand, or the list where there is none."""
    if brand is None or not KnownBrand.objects.filter(id=brand).exists():
        return reverse("admin:brands_knownbrand_changelist")
    return reverse("admin:brands_knownbrand_change", args=[brand])
