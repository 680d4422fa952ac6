"""Import and export of brands in the admin: what a list changes is shown first, and made as one decision."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from import_export.admin import ImportExportMixin
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from brands.admin.telling import sentence, tell
from brands.exchange import MOST_BYTES, BrandResource, CsvList, JsonList, ListResult, WaitingLists
from brands.models import KnownBrand
from brands.selectors import brand_roots
from detect.errors import MediaprocError
from mediaproc.principal import principal_of
from mediaproc.roles import Role


class ListForm(ImportForm):
    """A file of brands."""

    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(f"The file is too large: at most {MOST_BYTES >> 20} MB are taken.")
        return file


class BrandExchange(ImportExportMixin):
    """Import and export, as CSV and JSON."""

    resource_classes = (BrandResource,)
    formats = (CsvList, JsonList)
    import_form_class = ListForm
    export_form_class = ExportForm
    import_template_name = "admin/brands/import.html"
    tmp_storage_class = WaitingLists

    def has_import_permission(self, request: HttpRequest) -> bool:
        return principal_of(request).may(Role.CURATOR)

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        return {"by": principal_of(request)}

    def get_export_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        return {}

    def get_export_queryset(self, request: HttpRequest) -> QuerySet[KnownBrand]:
        """What the list shows, and what was merged into it: a list of whole brands."""
        shown = set(super().get_export_queryset(request).order_by().values_list("id", flat=True))
        parts = {part for part, root in brand_roots().items() if root in shown}
        brands = KnownBrand.objects.filter(Q(id__in=shown | parts)).select_related("merged_into")
        return brands.prefetch_related("aliases").order_by("canonical_name", "id")

    def add_data_read_fail_error_to_form(self, form: forms.Form, e: Exception) -> None:
        if isinstance(e, MediaprocError):
            form.add_error("import_file", sentence(e.message))
        else:
            super().add_data_read_fail_error_to_form(form, e)

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            return super().process_import(request, **kwargs)
        except (OSError, ValueError, IndexError):  # what waits is gone, or the form is not the one that was shown
            messages.error(request, "This list is not here any more: upload it again.")
        except MediaprocError as error:
            messages.error(request, sentence(error.message))
        return redirect("admin:brands_knownbrand_import")

    def process_result(self, result: ListResult, request: HttpRequest) -> HttpResponse:
        if result.decision is None:
            why = result.refusal or "the brands have changed meanwhile, and rows are in conflict now: look again"
            messages.error(request, sentence(why))
            return redirect("admin:brands_knownbrand_import")
        tell(request, result.decision)
        return redirect("admin:brands_knownbrand_changelist")
