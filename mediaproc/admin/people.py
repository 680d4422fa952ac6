"""Users and groups in the admin: a user has a role, chosen in one field."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget

from jobs.pages.shown import when
from mediaproc.roles import Role, give_role, role_names, role_of

admin.site.unregister(User)
admin.site.unregister(Group)

_LOOKS = {Role.ADMINISTRATOR.value: "danger", Role.OPERATOR.value: "primary", Role.CURATOR.value: "info"}


def _role_field() -> forms.ChoiceField:
    return forms.ChoiceField(
        choices=Role.choices,
        widget=UnfoldAdminSelectWidget,
        help_text="Each role may do what those before it may. Curators and up may enter this admin. A superuser is an "
        "administrator whatever is chosen.",
    )


class UserForm(UserChangeForm):
    role = _role_field()
    #: Whether somebody looks at their own account.
    own = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["role"] = role_of(self.instance)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if self.own:
            chosen = Role.ADMINISTRATOR if given.get("is_superuser") else given.get("role")
            if chosen != role_of(self.instance):
                self.add_error("role", "This is your own account: another administrator can change its role.")
            if not given.get("is_active"):
                self.add_error("is_active", "This is your own account: another administrator can lock it.")
        return given


class NewUserForm(UserCreationForm):
    role = _role_field()


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    """Whether users are staff follows from their role."""

    form = UserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    fieldsets = (
        (None, {"fields": ("username", "password", "role", "is_active")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("More", {"fields": ("is_superuser", "groups", "user_permissions", "last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "role", "usable_password", "password1", "password2")}),)
    list_display = ("username", "role", "full_name", "is_active", "seen")
    list_filter = ("is_active", "groups")
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()  # two lists beside one another are wider than the page

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).annotate(role_names=role_names())

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.own = obj is not None and obj.pk == request.user.pk
        return form

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Groups beside the roles, whose permissions come on top."""
        if db_field.name == "groups":
            kwargs["queryset"] = Group.objects.exclude(name__in=Role.values)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        super().save_related(request, form, formsets, change)
        give_role(form.instance, Role(form.cleaned_data["role"]))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"title": "Users", **(extra_context or {})})

    @display(description="role", label=_LOOKS)
    def role(self, user: User) -> str:
        return role_of(user).value

    @admin.display(description="name", ordering="last_name")
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description="last login", ordering="last_login")
    def seen(self, user: User) -> str:
        return when(user.last_login) or "never"


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Groups that stand for roles are the program's; others may give permissions on top of a role."""

    list_display = ("name", "what", "members")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        return super().get_queryset(request).annotate(member_count=Count("user"))

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return not _is_role(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return not _is_role(obj) and super().has_delete_permission(request, obj)

    @admin.display(description="kind")
    def what(self, group: Group) -> str:
        return "role" if _is_role(group) else "permissions"

    @admin.display(description="members")
    def members(self, group: Any) -> int:
        return group.member_count


def _is_role(group: Group | None) -> bool:
    return group is not None and group.name in Role.values
