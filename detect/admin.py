"""The engine's records, to be looked at: editing them would break history."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from detect.models import Checkpoint, ModelAnswer, ModelCharge, SourceAsset, StageOutput, Timeline


class ReadOnlyAdmin(ModelAdmin):
    """Shows rows and changes none."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(SourceAsset)
class SourceAssetAdmin(ReadOnlyAdmin):
    list_display = ("path", "sha256", "created_at")
    search_fields = ("path", "sha256")


@admin.register(Timeline)
class TimelineAdmin(ReadOnlyAdmin):
    list_display = ("source_video", "profile_name", "fps", "created_at")
    exclude = ("frames_manifest", "frames_meta")


@admin.register(StageOutput)
class StageOutputAdmin(ReadOnlyAdmin):
    list_display = ("stage", "key", "size", "seconds", "incomplete", "created_at")
    list_filter = ("stage", "incomplete")
    exclude = ("body",)


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnlyAdmin):
    list_display = ("stage", "job_id", "is_scenario", "scenario_label", "created_at")
    list_filter = ("stage", "is_scenario")


@admin.register(ModelAnswer)
class ModelAnswerAdmin(ReadOnlyAdmin):
    list_display = ("provider", "model", "usd", "created_at")
    list_filter = ("provider", "model")
    exclude = ("body",)


@admin.register(ModelCharge)
class ModelChargeAdmin(ReadOnlyAdmin):
    list_display = ("job_id", "calls", "usd", "created_at")
