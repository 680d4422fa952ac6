"""Keys for programs, beside the sessions that people have.

The REST framework imports this while its own views are half loaded: nothing here may import them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from mediaproc.roles import Role

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from rest_framework.views import APIView

    from jobs.api_keys import ApiKey


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer KEY` or `X-API-Key: KEY`. The request acts as the user the key belongs to."""

    def authenticate(self, request: Request) -> tuple[User | None, ApiKey] | None:
        key = self._given(request)
        if key is None:
            return None
        from jobs.api_keys import ApiKey

        found = ApiKey.objects.find_usable(key)
        if found is None:
            raise AuthenticationFailed("This API key is unknown, revoked or expired.")
        return found.user, found

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"

    @staticmethod
    def _given(request: Request) -> str | None:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return value.strip()
        return request.headers.get("X-API-Key")


class KeyRoleAllows(BasePermission):
    """A key may be given fewer rights than its owner: a reader's key only reads."""

    message = "This API key may only read."

    def has_permission(self, request: Request, view: APIView) -> bool:
        from jobs.api_keys import ApiKey

        return (
            not isinstance(request.auth, ApiKey)
            or request.method in SAFE_METHODS
            or request.auth.role in (Role.OPERATOR, Role.ADMINISTRATOR)
        )
