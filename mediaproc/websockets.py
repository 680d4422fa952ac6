"""Who may open a websocket: pages of this site and of allowed ones, and programs, with a session or a key."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from channels.routing import URLRouter
from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain

from mediaproc.access import Decision, decide, scope_principal

UNAUTHENTICATED = 4401
FORBIDDEN = 4403


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """A connection is not allowed; ``code`` is what it is closed with."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


async def authorize(scope: Any, route: str) -> None:
    """Raises ``Refused`` where who connects may not use the route of that name (``mediaproc/access.py``)."""
    principal = await scope_principal(scope)
    if decide(route, "GET", principal) is Decision.ALLOWED:
        return
    if principal is None:
        raise Refused(UNAUTHENTICATED, "Log in, or send an API key.")
    raise Refused(FORBIDDEN, "You may not do this.")


class Guarded:
    """A router of websockets for connections to its paths, from allowed origins. :func:`authorize` asks who comes.

    Another site's page is refused, for the browser would send this site's cookies along. Programs send no origin,
    browsers always do.
    """

    def __init__(self, router: URLRouter) -> None:
        self._router = router

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        origin = headers.get(b"origin")
        welcome = origin is None or origin_allowed(origin, headers.get(b"host", ""))
        if welcome and self._is_path(scope["path"]):
            await self._router(scope, receive, send)
            return
        # Channels' own application for this would need its channel layer
        await receive()
        await send({"type": "websocket.close", "code": 1000})

    def _is_path(self, path: str) -> bool:
        """Channels' router takes an address that is not there for a fault."""
        return any(route.pattern.match(path.removeprefix("/")) for route in self._router.routes)


def origin_allowed(origin: str, host: str) -> bool:
    """Whether a page of ``origin`` may connect to this site, reached as ``host`` (with its port)."""
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"}:
        return False
    domain, _ = split_domain_port(host)
    if parts.netloc == host.lower() and domain and validate_host(domain, settings.ALLOWED_HOSTS):
        return True
    # not those of CORS: their pages may come with a key alone, and a websocket of a page comes with cookies alone
    return any(_matches(parts.scheme, parts.netloc, pattern.lower()) for pattern in settings.CSRF_TRUSTED_ORIGINS)


def _matches(scheme: str, netloc: str, pattern: str) -> bool:
    """As the CSRF check does it: ``https://*.example.com`` is every subdomain."""
    wanted_scheme, _, wanted = pattern.partition("://")
    return scheme == wanted_scheme and is_same_domain(netloc, wanted.removeprefix("*"))
