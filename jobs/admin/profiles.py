"""Profiles: those that people saved, with the built-in ones beside them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.views import ChangeList

from detect.admin import ReadOnlyAdmin, Section
from detect.config import builtin_profiles
from detect.errors import MediaprocError
from detect.models import Profile
from jobs.exports.words import plural
from jobs.pages.options import differences
from jobs.pages.shown import when
from jobs.profiles import profile_delete, profile_uses


class ProfileList(ChangeList):
    """Counts the jobs that go by each profile, all at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        uses = profile_uses()
        for profile in self.result_list:
            profile.uses = uses.get(profile.name, 0)


@admin.register(Profile)
class ProfileAdmin(ReadOnlyAdmin):
    """What a profile stands for never changes; what it is called may, and one that no job goes by may be deleted."""

    title = "Profiles"
    actions = None
    paginator = Paginator
    list_display = ("label", "name", "description", "pipeline", "used", "saved_by", "saved_at")
    list_after_template = "admin/jobs/builtin_profiles.html"
    search_fields = ("name", "label", "description")
    search_help_text = "name or description"
    readonly_fields = ("name", "pipeline", "used", "saved_by", "saved_at")
    fields = ("label", "description", ("name", "pipeline"), "used", ("saved_by", "saved_at"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("detect.change_profile")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("detect.delete_profile")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ProfileList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"builtin": builtin_profiles_shown(), **(extra_context or {})})

    def get_deleted_objects(self, objs: Iterable[Profile], request: HttpRequest) -> Any:
        """What jobs go by is protected, as the confirmation then says."""
        deleted, counts, lacking, protected = super().get_deleted_objects(objs, request)
        uses = profile_uses()
        protected += [f"{row.label}: {_used(uses[row.name])}" for row in objs if row.name in uses]
        return deleted, counts, lacking, protected

    def delete_model(self, request: HttpRequest, obj: Profile) -> None:
        profile_delete(name=obj.name)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().delete_view(request, *args, **kwargs)
        except MediaprocError as error:  # a job was made with it while that was confirmed
            messages.error(request, error.message)
            return redirect("admin:detect_profile_changelist")

    @admin.display(description="used by")
    def used(self, profile: Any) -> str:
        return _used(profile.uses if hasattr(profile, "uses") else profile_uses().get(profile.name, 0))

    @admin.display(description="saved by", ordering="created_by")
    def saved_by(self, profile: Profile) -> str:
        return profile.created_by.removeprefix("user:")

    @admin.display(description="saved", ordering="created_at")
    def saved_at(self, profile: Profile) -> str:
        return when(profile.created_at)

    def sections(self, request: HttpRequest, row: Profile) -> list[Section]:
        return [Section("Options", ("stage", "option", "value"), differences(row.options))]


def builtin_profiles_shown() -> list[dict[str, Any]]:
    """The profiles that come with the program, as the page lists them below the saved ones."""
    uses = profile_uses()
    return [
        {
            "label": profile.label,
            "name": profile.name,
            "description": profile.description,
            "used": _used(uses.get(profile.name, 0)),
            "options": differences(profile.options),
        }
        for profile in builtin_profiles().values()
    ]


def _used(number: int) -> str:
    return plural(number, "job") if number else "no job"
