"""Who may do what: decided here alone, for REST, websockets, event streams, pages, files and the admin.

Every route has a name and every name a rule here: by method, the least role. A route without a rule is closed to
everyone, and a test fails for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from fnmatch import fnmatchcase
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from channels.db import database_sync_to_async
from django.conf import settings
from django.http import HttpRequest
from django.http.cookie import parse_cookie

from mediaproc.principal import BadKeyError, Principal, identify
from mediaproc.roles import Role

VIEWER, REVIEWER, CURATOR, OPERATOR, ADMINISTRATOR = Role


class Anyone(Enum):
    """Open to people and programs that nobody knows."""

    OPEN = "open"


OPEN: Final = Anyone.OPEN

Rule = Mapping[str, Role | Anyone]

_READ: Rule = MappingProxyType({"GET": VIEWER})

#: The table: name of a route, method, least role. HEAD goes with GET, OPTIONS with the least of the route.
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        # open: health, and what a login page needs (static files are served before any of this)
        "health": {"GET": OPEN},
        "healthz": {"GET": OPEN},
        "annotation-healthz": {"GET": OPEN},
        "login": {"GET": OPEN, "POST": OPEN},
        "logout": {"POST": VIEWER},
        # the document of the interfaces
        "api-schema": _READ,
        "api-docs": _READ,
        "api-redoc": _READ,
        "docs": _READ,
        "redoc": _READ,
        # pages
        "home": _READ,
        "home-sample": {"POST": OPERATOR},
        "job-list": _READ,
        "job-page": _READ,
        "job-report-json": _READ,
        "job-report-csv": _READ,
        "job-report-xlsx": _READ,
        "job-report-print": _READ,
        "job-exposures": _READ,
        "job-exposure": _READ,
        "job-undecided": _READ,
        "job-changes": _READ,
        "job-boxes": _READ,
        "job-frame": _READ,
        "job-frame-times": _READ,
        "job-crop": _READ,
        "job-thumb": _READ,
        "page-accept": {"POST": CURATOR},
        "page-act": {"POST": OPERATOR},
        "page-act-many": {"POST": OPERATOR},
        "page-bookmark": {"POST": CURATOR},
        "page-compare": _READ,
        "page-replay": {"POST": OPERATOR},
        "page-scenarios": _READ,
        "page-submit": {"GET": OPERATOR, "POST": OPERATOR},
        "page-tree": _READ,
        "page-tune": {"GET": OPERATOR},
        "updates": _READ,
        "updates-accept": {"POST": CURATOR},
        "updates-begin": {"POST": CURATOR},
        "page-tune-frames": {"GET": OPERATOR},
        "page-try": {"POST": OPERATOR},
        "page-profiles": _READ,
        "page-profile-file": _READ,
        "page-profile-save": {"POST": OPERATOR},
        "page-profile-delete": {"POST": OPERATOR},
        # pit stops
        "pitstop-list": {"GET": VIEWER, "POST": OPERATOR},
        "pitstop-page": _READ,
        "pitstop-zones": {"GET": OPERATOR, "POST": OPERATOR},
        "pitstop-values": {"POST": REVIEWER},
        "pitstop-delete": {"POST": OPERATOR},
        "pitstop-csv": _READ,
        # batches
        "batch-list": {"GET": VIEWER, "POST": OPERATOR},
        "batch-dataset": {"GET": VIEWER, "POST": OPERATOR},
        "batch-scan": {"POST": OPERATOR},
        "batch-page": _READ,
        "batch-act": {"POST": OPERATOR},
        "batch-video": _READ,
        # brands
        "brand-list": _READ,
        "brand-page": _READ,
        "brand-logo": _READ,
        "brand-decide": {"POST": REVIEWER},
        # review
        "review": _READ,
        "review-cards": _READ,
        "review-brands": _READ,
        "review-history": _READ,
        "review-decide": {"POST": REVIEWER},
        "review-effect": {"POST": REVIEWER},
        # detection
        "detect-checkpoints": _READ,
        "detect-bookmark": {"PATCH": CURATOR},
        "detect-compare": _READ,
        "detect-estimate": {"POST": VIEWER},
        "detect-scenarios": _READ,
        "detect-sightings": _READ,
        "job-tree": _READ,
        "detect-jobs": {"GET": VIEWER, "POST": OPERATOR},
        "detect-job": {"GET": VIEWER, "PATCH": OPERATOR, "DELETE": OPERATOR},
        "detect-job-report": _READ,
        "detect-job-pause": {"POST": OPERATOR},
        "detect-job-resume": {"POST": OPERATOR},
        "detect-job-cancel": {"POST": OPERATOR},
        "detect-replay": {"POST": OPERATOR},
        "detect-retry": {"POST": OPERATOR},
        "detect-stages": _READ,
        "detect-replay-stage": {"POST": OPERATOR},
        "detect-gpu-edges": {"POST": OPERATOR},
        "detect-gpu-edges-debug": {"POST": OPERATOR},
        "detect-job-frames": _READ,
        "detect-job-frame": _READ,
        # videos
        "asset-list": {"GET": VIEWER, "POST": OPERATOR},
        "asset-detail": {"GET": VIEWER, "DELETE": OPERATOR},
        "asset-thumbnail": _READ,
        "asset-video": _READ,
        "root-folders": {"GET": OPERATOR},
        "upload-list": {"POST": OPERATOR},
        # POST stands for another of them where a proxy lets nothing else through
        "upload-detail": {"GET": OPERATOR, "POST": OPERATOR, "PATCH": OPERATOR, "DELETE": OPERATOR},
        # pit stops over REST
        "pitstop-jobs": {"GET": VIEWER, "POST": OPERATOR},
        "pitstop-job": {"GET": VIEWER, "DELETE": OPERATOR},
        "pitstop-output": _READ,
        "pitstop-metrics": {"GET": VIEWER, "POST": REVIEWER},
        # batch annotation over REST
        "pipeline-list": _READ,
        "preset-list": {"GET": VIEWER, "POST": OPERATOR},
        "preset-detail": {"GET": VIEWER, "DELETE": OPERATOR},
        "dataset-list": {"GET": VIEWER, "POST": OPERATOR},
        "dataset-detail": _READ,
        "dataset-videos": _READ,
        "dataset-scan": {"POST": OPERATOR},
        "annotation-events": _READ,
        "annotation-jobs": {"GET": VIEWER, "POST": OPERATOR},
        "annotation-job": {"GET": VIEWER, "DELETE": OPERATOR},
        "annotation-job-again": {"POST": OPERATOR},
        "annotation-job-cancel": {"POST": OPERATOR},
        "annotation-artifacts": _READ,
        "annotation-artifact": _READ,
        "annotation-zip": _READ,
        # events
        "job-events": _READ,
        "job-log": _READ,
        "ws-job": _READ,
        "ws-jobs": _READ,
        "ws-review": _READ,
    }
)

#: Routes under these are for people whom Django counts as staff, with a session. What they may do there is up to
#: Django's permissions, which follow from their role (``ADMIN_PERMISSIONS``).
STAFF_NAMESPACES = frozenset({"admin"})

#: What each role, and so those above it, may do in the admin: patterns of Django's names of permissions.
ADMIN_PERMISSIONS: Mapping[Role, tuple[str, ...]] = MappingProxyType(
    {
        CURATOR: (
            "brands.*",
            "detect.view_*",
            "detect.change_checkpoint",  # its bookmark
            "jobs.view_detectjob",
            "jobs.view_acceptedresult",
        ),
        OPERATOR: ("detect.change_profile", "detect.delete_profile"),  # what it is called; one that no job goes by
        ADMINISTRATOR: ("*",),
    }
)


class Decision(Enum):
    ALLOWED = "allowed"
    UNKNOWN = "not_authenticated"
    REFUSED = "permission_denied"
    NO_SUCH_METHOD = "method_not_allowed"


def decide(route: str, method: str, principal: Principal | None) -> Decision:
    """Whether ``principal`` may use ``method`` on the route of that name (``namespace:name`` in the admin)."""
    if is_for_staff(route):
        return _decide_staff(principal)
    rule = RULES.get(route)
    if rule is None:
        return Decision.UNKNOWN if principal is None else Decision.REFUSED
    least = _least(rule, method)
    if least is OPEN:
        return Decision.ALLOWED
    if principal is None:
        return Decision.UNKNOWN
    if least is None:
        return Decision.NO_SUCH_METHOD
    return Decision.ALLOWED if principal.may(least) else Decision.REFUSED


def is_for_staff(route: str) -> bool:
    namespace, colon, _ = route.partition(":")
    return bool(colon) and namespace in STAFF_NAMESPACES


def allowed_methods(route: str) -> list[str]:
    """The methods that the rule of a route knows, HEAD and OPTIONS with them."""
    methods = set(RULES.get(route, ()))
    return sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set()))


def _least(rule: Rule, method: str) -> Role | Anyone | None:
    if method == "OPTIONS":
        roles = [role for role in rule.values() if isinstance(role, Role)]
        return OPEN if OPEN in rule.values() else min(roles, key=lambda role: role.rank)
    return rule.get("GET" if method == "HEAD" else method)


def _decide_staff(principal: Principal | None) -> Decision:
    if principal is None:
        return Decision.UNKNOWN
    return Decision.ALLOWED if principal.key is None and principal.user.is_staff else Decision.REFUSED


def admin_allows(role: Role, permission: str) -> bool:
    """Whether a role has one of Django's permissions, such as ``brands.change_knownbrand``."""
    return any(fnmatchcase(permission, pattern) for pattern in _admin_patterns(role))


def admin_shows(role: Role, label: str) -> bool:
    """Whether a role has any permission for the application of that label."""
    return any(fnmatchcase(label, pattern.partition(".")[0]) for pattern in _admin_patterns(role))


def _admin_patterns(role: Role) -> Iterator[str]:
    return (pattern for least, patterns in ADMIN_PERMISSIONS.items() if role.includes(least) for pattern in patterns)


async def authorize_scope(scope: Mapping[str, Any], route: str) -> Principal | None:
    """Who opens a connection (``scope`` of ASGI) to the route of that name, or None where they may not.

    The same table and the same sessions and keys as for requests; to tell 401 from 403, ``scope_principal`` and
    ``decide``.
    """
    principal = await scope_principal(scope)
    return principal if decide(route, "GET", principal) is Decision.ALLOWED else None


async def scope_principal(scope: Mapping[str, Any]) -> Principal | None:
    """Whose session cookie or key a connection's headers carry; None for nobody known, or a key that is not good."""
    request = HttpRequest()
    for name, value in scope["headers"]:
        request.META[f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}"] = value.decode("latin-1")
    cookies = parse_cookie(request.META.get("HTTP_COOKIE", ""))
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(cookies.get(settings.SESSION_COOKIE_NAME))
    try:
        return await database_sync_to_async(identify)(request)
    except BadKeyError:
        return None
