"""The middleware at which every request is stopped or let in, by the table in ``mediaproc/access.py``."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from rest_framework.views import APIView

from mediaproc.access import Decision, allowed_methods, decide, is_for_staff
from mediaproc.errors import error_response
from mediaproc.principal import BadKeyError, Principal, identify

View = Callable[..., HttpResponseBase]

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_LOG_IN = "Log in, or send an API key."
_BAD_KEY = "This API key is unknown, revoked or expired."


class AccessMiddleware:
    """Sets ``request.principal`` and, for keys, ``request.user``; answers itself whoever may not go on.

    Views of open routes are called without looking at session or key, so that health can be asked of a site without
    a database. Sessions need the CSRF token for whatever changes something, in REST too; keys, which no browser sends
    by itself, do not.
    """

    def __init__(self, get_response: View) -> None:
        self._get_response = get_response
        self._csrf = CsrfViewMiddleware(get_response)  # only its check is used

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if request.resolver_match is None and response.status_code == 404:
            # no such address: strangers are not told so
            _, refusal = self._identify(request, is_rest=False)
            return refusal or response
        return response

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        assert request.resolver_match is not None
        route, method = request.resolver_match.view_name, request.method or "GET"
        if decide(route, method, None) is Decision.ALLOWED:
            return None
        principal, refusal = self._identify(request, is_rest=_is_rest(view))
        if principal is None:
            return refusal
        decision = decide(route, method, principal)
        if decision is Decision.REFUSED:
            return error_response(request, 403, decision.value, _refused(route, principal))
        if decision is Decision.NO_SUCH_METHOD:
            return _no_such_method(request, route)
        return self._admit(request, principal, view)

    def _identify(self, request: HttpRequest, *, is_rest: bool) -> tuple[Principal | None, HttpResponseBase | None]:
        """The principal, or else the answer to nobody known."""
        try:
            principal = identify(request)
        except BadKeyError:
            return None, _unauthenticated(request, "authentication_failed", _BAD_KEY)
        if principal is not None:
            return principal, None
        if request.method in {"GET", "HEAD"} and _is_browser(request, is_rest=is_rest):
            return None, redirect_to_login(request.get_full_path())
        return None, _unauthenticated(request, Decision.UNKNOWN.value, _LOG_IN)

    def _admit(self, request: HttpRequest, principal: Principal, view: View) -> HttpResponseBase | None:
        request.principal = principal  # type: ignore[attr-defined]
        request.user = principal.user  # else a session's would be looked up a second time
        if principal.key is not None:
            request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]  # Django's own name for this
            return None
        if request.method in _SAFE or not getattr(view, "csrf_exempt", False):
            return None  # Django's middleware, which comes next, sees to it
        # the token must be in the header: a body may be an upload, which is not this middleware's to read
        bodiless = copy.copy(request)
        bodiless.method = "PUT"
        return self._csrf.process_view(bodiless, None, (), {})  # type: ignore[arg-type]


def _refused(route: str, principal: Principal) -> str:
    if is_for_staff(route):
        return "This is for staff, with a login of their own."
    return f"The role {principal.role.value} may not do this."


def _is_rest(view: View) -> bool:
    view_class = getattr(view, "cls", None) or getattr(view, "view_class", None)
    return isinstance(view_class, type) and issubclass(view_class, APIView)


def _is_browser(request: HttpRequest, *, is_rest: bool) -> bool:
    """Pages are for browsers unless the request says otherwise, interfaces only where it says so."""
    return "text/html" in request.headers.get("Accept", "" if is_rest else "text/html")


def _unauthenticated(request: HttpRequest, code: str, sentence: str) -> HttpResponse:
    response = error_response(request, 401, code, sentence)
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _no_such_method(request: HttpRequest, route: str) -> HttpResponse:
    methods = allowed_methods(route)
    sentence = f"{request.method} is not possible here: use {' or '.join(methods)}."
    response = error_response(request, 405, Decision.NO_SUCH_METHOD.value, sentence)
    response.headers["Allow"] = ", ".join(methods)
    return response
