"""Who asks: a person with a session or a program with a key, found out once for each request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest

from mediaproc.roles import Role, lesser, role_of

if TYPE_CHECKING:
    from rest_framework.request import Request

    from jobs.api_keys import ApiKey


class Program(AnonymousUser):
    """In a user's place for a key that belongs to none."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.username = name  # type: ignore[assignment]  # the stubs know of nobody's alone

    @property
    def is_authenticated(self) -> bool:  # type: ignore[override]  # nobody's session, and known all the same
        return True

    @property
    def is_anonymous(self) -> bool:  # type: ignore[override]
        return False

    def __str__(self) -> str:
        return self.username


@dataclass(frozen=True)
class Principal:
    """Somebody who has shown who they are.

    ``name`` is what is written down of them: ``user:ana`` or ``key:reports``. A key with a user has the lesser of both
    roles.
    """

    name: str
    role: Role
    user: User | Program
    key: ApiKey | None = None

    def may(self, least: Role) -> bool:
        return self.role.includes(least)


class BadKeyError(Exception):
    """A key was sent that is unknown, revoked or expired, or whose user may not log in."""


def identify(request: HttpRequest) -> Principal | None:
    """Who sends ``request``, or None for nobody known. A key goes before a session. Raises BadKeyError."""
    key = _given_key(request)
    if key is not None:
        return _program(key)
    user = get_user(request)
    if not isinstance(user, User):  # nobody, or somebody whose account was locked
        return None
    return Principal(f"user:{user.get_username()}", role_of(user), user)


def principal_of(request: HttpRequest | Request) -> Principal:
    """The principal of a request that was let in; of a view's request or the REST framework's around it."""
    plain: Any = getattr(request, "_request", request)
    found: Principal | None = getattr(plain, "principal", None)
    if found is None:
        raise RuntimeError("nobody is known to have sent this request: its route is open")
    return found


def _given_key(request: HttpRequest) -> str | None:
    """``Authorization: Bearer KEY`` or ``X-API-Key: KEY``."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    return request.headers.get("X-API-Key")


def _program(given: str) -> Principal:
    from jobs.api_keys import ApiKey

    key = ApiKey.objects.find_usable(given)
    if key is None:
        raise BadKeyError
    role, name = Role(key.role), f"key:{key.name}"
    if key.user is None:
        return Principal(name, role, Program(name), key)
    return Principal(name, lesser(role, role_of(key.user)), key.user, key)
