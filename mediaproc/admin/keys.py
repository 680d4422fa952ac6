"""API keys in the admin: made, shown once, revoked."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Max, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Concat
from django.http import HttpRequest
from django.utils import timezone
from rest_framework_api_key.admin import APIKeyModelAdmin
from rest_framework_api_key.models import APIKey
from unfold.admin import ModelAdmin
from unfold.decorators import display

from jobs.api_keys import ApiKey
from jobs.models import DetectJob
from jobs.pages.shown import when

# the package's own kind of key: one made here would open nothing
admin.site.unregister(APIKey)


@admin.register(ApiKey)
class ApiKeyAdmin(APIKeyModelAdmin, ModelAdmin):
    """The key itself is shown once, in the message after it was made."""

    # the package types these as tuples of its own lengths
    list_display = ("name", "state", "role_name", "user", "prefix", "last_job", "created_at", "expires_at")  # type: ignore[assignment]
    list_filter = ("role", "revoked")  # type: ignore[assignment]
    search_fields = ("name", "prefix", "user__username")  # type: ignore[assignment]
    search_help_text = "name, beginning of the key, user"
    list_select_related = ("user",)
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        own = DetectJob.objects.filter(requested_by=Concat(Value("key:"), OuterRef("name"))).order_by()
        last = own.values("requested_by").annotate(last=Max("created_at")).values("last")
        return super().get_queryset(request).annotate(last_job_at=Subquery(last))

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        made = ("prefix", "revoked") if obj else ()
        return ("name", "role", "user", "expiry_date", *made)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"title": "API keys", **(extra_context or {})})

    @display(description="state", label={"usable": "success", "revoked": "danger", "expired": "warning"})
    def state(self, key: ApiKey) -> str:
        if key.revoked:
            return "revoked"
        return "expired" if key.expiry_date and key.expiry_date < timezone.now() else "usable"

    @admin.display(description="role", ordering="role")
    def role_name(self, key: ApiKey) -> str:
        return key.role

    @admin.display(description="last job")
    def last_job(self, key: Any) -> str:
        """Of its other requests nothing is kept."""
        return when(key.last_job_at) or "none"

    @admin.display(description="made", ordering="created")
    def created_at(self, key: ApiKey) -> str:
        return when(key.created)

    @admin.display(description="expires", ordering="expiry_date")
    def expires_at(self, key: ApiKey) -> str:
        return when(key.expiry_date) or "never"

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """From their next request on; this cannot be undone."""
        number = queryset.filter(revoked=False).update(revoked=True)
        messages.success(request, f"{number} key{'s' * (number != 1)} revoked.")
