"""One brand: its name and spellings in a form; its pictures, what was merged into it and what was decided below.

What is typed is tried before it is taken (made and taken back), so that what cannot be is an error of the form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminTextInputWidget

from brands.actions import Action, AddBrand, ConfirmBrands, Decider, EditBrand, Rename, decide
from brands.admin.telling import sentence, tell
from brands.catalog import KNOWN_BY, State, brands_listed, state_of
from brands.history import decisions_about
from brands.logo_pictures import catalogue_mark
from brands.models import BrandAlias, BrandLogo, KnownBrand
from brands.models.known import LONGEST_NAME, name_key
from brands.pages.cards import brand_choice
from brands.pages.history import row_of
from brands.review.history import decisions_tell
from brands.review.queue import brands_seen
from brands.selectors import brand_parts, brand_roots
from brands.totals import figures_of, last_seen
from detect.errors import MediaprocError
from mediaproc.principal import principal_of
from mediaproc.words import length, plural

_DECISIONS = 30


class BrandForm(forms.ModelForm):
    """``by`` is who fills it in."""

    by: Decider
    canonical_name = forms.CharField(
        max_length=LONGEST_NAME, label="Name", widget=UnfoldAdminTextInputWidget({"dir": "auto"})
    )

    class Meta:
        model = KnownBrand
        fields = ("canonical_name", "confirmed")
        help_texts = {"confirmed": "Confirmed brands are looked for in every run that is given no list of its own."}

    def clean_canonical_name(self) -> str:
        name = str(self.cleaned_data["canonical_name"]).strip()
        brand = KnownBrand.objects.filter(pk=self.instance.pk).first()
        if brand is None:
            _try([AddBrand(name)], self.by)
        elif name != brand.canonical_name:
            _try([Rename(brand.id, name)], self.by)
        return name


class AliasFormSet(PaginationInlineFormSet):
    """Checks the whole of what is to be saved, for aliases depend on the name. ``by`` is who fills it in."""

    by: Decider

    def clean(self) -> None:
        super().clean()
        if self.instance.canonical_name and not any(self.errors):
            _try(wanted_actions(self.instance, self.texts()), self.by)

    def texts(self) -> list[str]:
        """The aliases that are to be there."""
        rows = [form.cleaned_data for form in self.forms if hasattr(form, "cleaned_data")]
        return [str(row["text"]) for row in rows if row.get("text") and not row.get("DELETE")]


class AliasInline(TabularInline):
    """Other spellings of a brand that is not merged."""

    model = BrandAlias
    formset = AliasFormSet
    fields = ("text",)
    extra = 1
    verbose_name, verbose_name_plural = "alias", "other spellings, which mean it wherever they are read"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "text":
            field.label = "Spelling"
            field.widget.attrs |= {"dir": "auto", "aria-label": "other spelling"}
        return field

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        formset.by = principal_of(request)
        return formset

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_whole(obj) and bool(super().has_change_permission(request, obj))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_whole(obj) and bool(super().has_add_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_whole(obj) and bool(super().has_delete_permission(request, obj))


class BrandEditing(ModelAdmin):
    """Saving makes decisions, and writes nothing beside them."""

    form = BrandForm
    inlines = (AliasInline,)
    change_form_outer_before_template = "admin/brands/brand_head.html"
    change_form_outer_after_template = "admin/brands/brand_parts.html"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_whole(obj) and bool(super().has_change_permission(request, obj))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        """A new brand is confirmed, for a person names it; whether a merged one is tells the brand that it is."""
        return ("canonical_name", "confirmed") if obj and _is_whole(obj) else ("canonical_name",)

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)
        form.by = principal_of(request)
        return form

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except MediaprocError as error:  # somebody decided otherwise since the form was checked
            messages.error(request, sentence(error.message))
            return redirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Nothing yet: the aliases belong to it."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        aliases = next(formset for formset in formsets if isinstance(formset, AliasFormSet))
        by = principal_of(request)
        made = [decide(action, by=by) for action in wanted_actions(form.instance, aliases.texts())]
        for decision in made:
            tell(request, decision)
        if not made:
            messages.info(request, "Nothing was changed.")
        elif not change:
            form.instance.pk = made[0].brand_id

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:  # noqa: FBT001, FBT002 - as Django calls it
        return []

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Decisions are the log."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Decisions are the log."""

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._went_on(request, obj)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._went_on(request, obj)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("admin:brands_knownbrand_change", object_id, permanent=False)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None:
            context.update(_told(request, obj), show_history=False)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def _went_on(self, request: HttpRequest, obj: Any) -> HttpResponse:
        if "_addanother" in request.POST:
            return redirect("admin:brands_knownbrand_add")
        if "_continue" in request.POST:
            return redirect("admin:brands_knownbrand_change", obj.pk)
        return self.response_post_save_change(request, obj)


def wanted_actions(wanted: KnownBrand, aliases: Sequence[str]) -> list[Action]:
    """What has to be decided so that a brand is as a form says: ``wanted`` has the typed name and state."""
    brand = KnownBrand.objects.prefetch_related("aliases").filter(pk=wanted.pk).first()
    name = wanted.canonical_name
    if brand is None:
        return [AddBrand(name, tuple(aliases))]
    actions: list[Action] = []
    has = {alias.normalized: alias.text for alias in brand.aliases.all()}
    to_have = {name_key(text): text.strip() for text in aliases}
    if name != brand.canonical_name:
        actions.append(Rename(brand.id, name))
    if name_key(name) != brand.normalized_name:
        for names in (has, to_have):  # the name it had stays as an alias
            names.pop(name_key(name), None)
            names[brand.normalized_name] = brand.canonical_name
    if wanted.confirmed and not brand.confirmed:
        actions.append(ConfirmBrands((brand.id,)))
    to_have.pop(name_key(name), None)
    if has != to_have or (brand.confirmed and not wanted.confirmed):
        actions.append(EditBrand(brand.id, tuple(to_have.values()), wanted.confirmed))
    return actions


def _try(actions: Sequence[Action], by: Decider) -> None:
    """Make decisions and take them back. Raises ``ValidationError`` for what is refused."""
    try:
        with transaction.atomic():
            for action in actions:
                decide(action, by=by)
            transaction.set_rollback(True)
    except (MediaprocError, PermissionDenied) as error:
        raise forms.ValidationError(sentence(str(error))) from error


def _is_whole(brand: KnownBrand | None) -> bool:
    """Whether a brand is one of its own: what is said of a merged one would be said of the brand it is."""
    return brand is None or brand.merged_into_id is None


def _told(request: HttpRequest, brand: KnownBrand) -> dict[str, Any]:
    """What the page says beside the form."""
    root = KnownBrand.objects.get(id=brand_roots().get(brand.id, brand.id))
    parts = brand_parts([brand.id])[brand.id]
    figures = figures_of(parts)
    seen, at = brands_seen([brand.id]).get(brand.id), last_seen(parts)
    reader = principal_of(request)
    state = state_of(brands_listed(KnownBrand.objects.filter(id=brand.id)).get())
    return {
        "brand": brand,
        "root": root,
        "state": state,
        "rejected": state is State.REJECTED,
        "crop": brand_choice(brand, seen).crop,
        "cards": [
            ("State", state.label, KNOWN_BY[brand.first_source]),
            ("On screen", length(figures.seconds), f"± {length(figures.uncertainty)}"),
            ("Videos", f"{figures.videos:,}", plural(figures.sightings, "sighting")),
            ("Last seen", f"{at:%d %b %Y}" if at else "–", f"added {brand.created_at:%d %b %Y}"),
        ],
        "logos": BrandLogo.objects.filter(brand_id__in=parts).select_related("brand").order_by("id"),
        "mark": catalogue_mark(_spellings(parts)),
        "merged": KnownBrand.objects.filter(id__in=parts[1:]).order_by("canonical_name"),
        "decisions": [row_of(one, reader) for one in decisions_tell(decisions_about(parts)[:_DECISIONS])],
    }


def _spellings(parts: list[UUID]) -> list[str]:
    """All names of a brand and of what was merged into it, its own first."""
    rows = {row.id: row for row in KnownBrand.objects.filter(id__in=parts).prefetch_related("aliases")}
    return [text for part in parts if (row := rows.get(part)) for text in (row.canonical_name, *row.alias_texts)]
