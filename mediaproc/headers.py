"""What a browser may do with pages of this site: run their own scripts, and ask nobody else for anything."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",  # of attributes; no page puts a person's text into a style
    "img-src": "'self' data: blob:",
    "media-src": "'self' blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
# the admin's dress is written for Alpine, which evaluates attributes as scripts
_ADMIN = {**_POLICY, "script-src": "'self' 'unsafe-inline' 'unsafe-eval'"}
_ADMIN_PATH = "/admin/"

HEADER = "Content-Security-Policy"


class SecurityHeaders:
    """Adds the policy where a view has not set its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        response.headers.setdefault(HEADER, _text(_ADMIN if request.path.startswith(_ADMIN_PATH) else _POLICY))
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response


def _text(policy: dict[str, str]) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in policy.items())
