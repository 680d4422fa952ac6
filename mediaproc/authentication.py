"""What the access middleware found out, handed to Django and to the REST framework.

The REST framework imports this while its own views are half loaded: nothing here may import them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from mediaproc.roles import role_names, role_of

if TYPE_CHECKING:
    from mediaproc.principal import Principal, Program


class PrincipalAuthentication(BaseAuthentication):
    """``request.user`` and, of a key, ``request.auth`` of the REST framework. It checks nothing: that has been done."""

    def authenticate(self, request: Request) -> tuple[User | Program, Any] | None:
        principal: Principal | None = getattr(request._request, "principal", None)
        return None if principal is None else (principal.user, principal.key)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class RoleBackend(ModelBackend):
    """Django's own, which also answers questions about permissions from a person's role.

    What a role may do is in the table of ``mediaproc/access.py``; permissions given one by one count as well.
    """

    def get_user(self, user_id: Any) -> User | None:
        user = User.objects.annotate(role_names=role_names()).filter(pk=user_id).first()
        return user if self.user_can_authenticate(user) else None

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        from mediaproc.access import admin_allows

        granted = user_obj.is_active and obj is None and admin_allows(role_of(user_obj), perm)
        return granted or super().has_perm(user_obj, perm, obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        from mediaproc.access import admin_shows

        granted = user_obj.is_active and admin_shows(role_of(user_obj), app_label)
        return granted or super().has_module_perms(user_obj, app_label)
