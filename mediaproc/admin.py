"""Users with their roles, and API keys, in the admin, in its present dress."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework_api_key.admin import APIKeyModelAdmin
from rest_framework_api_key.models import APIKey
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget

from jobs.api_keys import ApiKey
from mediaproc.roles import Role, give_role, role_names, role_of

# the package's own kind of key: one made here would open nothing
admin.site.unregister(APIKey)
admin.site.unregister(User)
admin.site.unregister(Group)


def _role_field() -> forms.ChoiceField:
    return forms.ChoiceField(
        choices=Role.choices,
        widget=UnfoldAdminSelectWidget,
        help_text="Curators and up may enter this admin. A superuser is an administrator whatever is chosen.",
    )


class UserForm(UserChangeForm):
    role = _role_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["role"] = role_of(self.instance)


class NewUserForm(UserCreationForm):
    role = _role_field()


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    """A user has a role; whether they are staff follows from it."""

    form = UserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    fieldsets = (
        (None, {"fields": ("username", "password", "role", "is_active")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("More", {"fields": ("is_superuser", "user_permissions", "last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "role", "usable_password", "password1", "password2")}),)
    list_display = ("username", "role", "is_active", "last_login")
    list_filter = ("groups", "is_active")
    readonly_fields = ("last_login", "date_joined")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).annotate(role_names=role_names())

    @admin.display(description="role")
    def role(self, user: User) -> str:
        return role_of(user).value

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        super().save_related(request, form, formsets, change)
        give_role(form.instance, Role(form.cleaned_data["role"]))


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    pass


@admin.register(ApiKey)
class ApiKeyAdmin(APIKeyModelAdmin, ModelAdmin):
    """The key itself is shown once, in the message after it was made."""

    # the package types these as tuples of its own lengths

    list_display = ("name", "user", "role", "prefix", "created", "expiry_date", "revoked")  # type: ignore[assignment]
    list_filter = ("role", "revoked", "created")  # type: ignore[assignment]
    search_fields = ("name", "prefix", "user__username")  # type: ignore[assignment]
    autocomplete_fields = ("user",)
    actions = ("revoke",)

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """From their next request on; this cannot be undone."""
        number = queryset.filter(revoked=False).update(revoked=True)
        messages.success(request, f"{number} key{'s' * (number != 1)} revoked.")
