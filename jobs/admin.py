"""Jobs, to be looked at."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from detect.admin import ReadOnlyAdmin
from detect.models import Profile
from jobs.models import DetectJob
from jobs.profiles import profile_delete, profile_uses


@admin.register(DetectJob)
class DetectJobAdmin(ReadOnlyAdmin):
    list_display = ("video_path", "run_type", "status", "brands_found", "estimated_cost_usd", "created_at")
    list_filter = ("status", "run_type", "profile_name")
    search_fields = ("video_path", "id")
    exclude = ("known_brands",)


@admin.register(Profile)
class ProfileAdmin(ModelAdmin):
    """Saved profiles: what one is called may change, what it stands for may not, and one that jobs use stays."""

    list_display = ("label", "name", "pipeline", "created_by", "created_at")
    list_filter = ("pipeline",)
    search_fields = ("name", "label", "description")
    fields = ("label", "description", "name", "pipeline", "options", "created_by", "created_at")
    readonly_fields = ("name", "pipeline", "options", "created_by", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Profile | None = None) -> bool:
        used = obj is not None and profile_uses().get(obj.name, 0) > 0
        return not used and bool(super().has_delete_permission(request, obj))

    def delete_model(self, request: HttpRequest, obj: Profile) -> None:
        profile_delete(name=obj.name)

    def delete_queryset(self, request: HttpRequest, queryset: Iterable[Profile]) -> None:
        for profile in queryset:
            profile_delete(name=profile.name)
