"""Jobs, to be looked at."""

from __future__ import annotations

from django.contrib import admin

from detect.admin import ReadOnlyAdmin
from jobs.models import DetectJob


@admin.register(DetectJob)
class DetectJobAdmin(ReadOnlyAdmin):
    list_display = ("video_path", "run_type", "status", "brands_found", "estimated_cost_usd", "created_at")
    list_filter = ("status", "run_type", "profile_name")
    search_fields = ("video_path", "id")
    exclude = ("known_brands",)
