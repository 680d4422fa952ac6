"""Every route against every role: made from the map of the site, so that nothing new stays outside."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import resolve

from brands.routing import websocket_urlpatterns as brands_sockets
from jobs.live.routing import websocket_urlpatterns as jobs_sockets
from mediaproc.access import OPEN, RULES, STAFF_NAMESPACES, Decision, allowed_methods, decide, is_for_staff
from mediaproc.principal import Principal
from mediaproc.roles import Role
from tests.access.routes import METHODS, PARTS, Route, site_routes

ROUTES = site_routes()
RULED = [route for route in ROUTES if not is_for_staff(route.name)]
STAFF = [route for route in ROUTES if is_for_staff(route.name)]
SOCKETS = [pattern.name for pattern in (*jobs_sockets, *brands_sockets)]

# what is open is said here a second time, so that opening something takes two decisions
OPEN_ROUTES = {
    ("health", "GET"),
    ("healthz", "GET"),
    ("annotation-healthz", "GET"),
    ("login", "GET"),
    ("login", "POST"),
}

# views of Django's that offer methods which only repeat another
REPEATING = {
    "docs": {"POST", "PUT", "PATCH", "DELETE"},
    "redoc": {"POST", "PUT", "PATCH", "DELETE"},
    "login": {"PUT"},
    "logout": {"GET"},
}


def named(route: Route) -> str:
    return route.name


def principal(role: Role) -> Principal:
    return Principal("user:x", role, User(username="x"))


def test_every_route_has_a_name_and_leads_somewhere() -> None:
    assert len(ROUTES) > 50
    for route in RULED:
        if PARTS["str"] not in route.path:
            assert resolve(route.path).view_name == route.name


@pytest.mark.parametrize("route", RULED, ids=named)
def test_every_route_has_a_rule_for_each_of_its_methods(route: Route) -> None:
    assert route.name in RULES, f"give {route.path} a name, and the name a rule in mediaproc/access.py"
    rule = set(RULES[route.name])
    assert rule
    assert rule <= set(METHODS)
    if route.methods is not None:
        assert rule == route.methods - REPEATING.get(route.name, set())


def test_every_websocket_has_a_rule_and_every_rule_a_route() -> None:
    assert all(set(RULES[name]) == {"GET"} for name in SOCKETS)
    assert set(RULES) == {route.name for route in RULED} | set(SOCKETS)
    assert {route.name.partition(":")[0] for route in STAFF} == STAFF_NAMESPACES


def test_nothing_else_is_open() -> None:
    found = {(name, method) for name, rule in RULES.items() for method, least in rule.items() if least is OPEN}
    assert found == OPEN_ROUTES


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("name", sorted(RULES))
def test_a_role_may_do_what_its_rank_allows(name: str, role: Role) -> None:
    for method in METHODS:
        least = RULES[name].get(method)
        decision = decide(name, method, principal(role))
        if least is None:
            assert decision is Decision.NO_SUCH_METHOD
        elif isinstance(least, Role) and role.rank < least.rank:
            assert decision is Decision.REFUSED
        else:
            assert decision is Decision.ALLOWED


@pytest.mark.parametrize("route", RULED, ids=named)
def test_strangers_are_kept_out(client: Client, db: None, route: Route) -> None:
    for method in METHODS:
        if (route.name, method) in OPEN_ROUTES:
            continue
        answer = client.generic(method, route.path, headers={"Accept": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated"), method
    if (route.name, "GET") not in OPEN_ROUTES:
        page = client.get(route.path, headers={"Accept": "text/html"})
        assert page.status_code == 302
        assert page["Location"].startswith("/login?next=/")


@pytest.mark.parametrize("route", RULED, ids=named)
def test_a_smaller_role_is_refused_before_anything_happens(
    client: Client, key_of: Callable[[Role], dict[str, str]], route: Route
) -> None:
    for method, least in RULES[route.name].items():
        for role in Role:
            if isinstance(least, Role) and role.rank < least.rank:
                answer = client.generic(method, route.path, headers=key_of(role))
                assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied"), (method, role)


@pytest.mark.parametrize("route", [route for route in RULED if "GET" in RULES.get(route.name, ())], ids=named)
def test_the_least_role_gets_to_the_view(
    client: Client, key_of: Callable[[Role], dict[str, str]], route: Route
) -> None:
    """Of what is read: what changes something is not tried on addresses where nothing is."""
    least = RULES[route.name]["GET"]
    headers = key_of(least) if isinstance(least, Role) else {}
    assert client.get(route.path, headers=headers).status_code in {200, 302, 400, 404, 406, 409}


@pytest.mark.parametrize("route", STAFF, ids=lambda route: f"{route.name} {route.path}")
def test_the_admin_is_for_staff_with_a_session(
    client: Client, db: None, key_of: Callable[[Role], dict[str, str]], route: Route
) -> None:
    assert client.get(route.path, headers={"Accept": "application/json"}).status_code == 401
    assert client.get(route.path, headers=key_of(Role.ADMINISTRATOR)).status_code == 403
    assert decide(route.name, "POST", principal(Role.OPERATOR)) is Decision.REFUSED
    staff = Principal("user:x", Role.VIEWER, User(username="x", is_staff=True))
    assert decide(route.name, "POST", staff) is Decision.ALLOWED


@pytest.mark.parametrize("role", Role)
def test_a_route_without_a_rule_is_closed_to_everyone(role: Role) -> None:
    assert decide("new-route", "GET", principal(role)) is Decision.REFUSED
    assert decide("new:route", "GET", principal(role)) is Decision.REFUSED
    assert decide("None", "GET", None) is Decision.UNKNOWN


def test_head_goes_with_get_and_options_with_the_least() -> None:
    assert decide("asset-list", "HEAD", principal(Role.VIEWER)) is Decision.ALLOWED
    assert decide("asset-list", "OPTIONS", principal(Role.VIEWER)) is Decision.ALLOWED
    assert decide("upload-list", "OPTIONS", principal(Role.VIEWER)) is Decision.REFUSED
    assert decide("upload-list", "HEAD", principal(Role.OPERATOR)) is Decision.NO_SUCH_METHOD
    assert decide("upload-list", "OPTIONS", None) is Decision.UNKNOWN
    assert allowed_methods("asset-list") == ["GET", "HEAD", "OPTIONS", "POST"]


def test_a_method_without_a_rule_is_not_possible(client: Client, key_of: Callable[[Role], dict[str, str]]) -> None:
    answer = client.delete("/detect/scenarios", headers=key_of(Role.ADMINISTRATOR))
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD, OPTIONS"
    assert answer.json() == {
        "detail": "DELETE is not possible here: use GET or HEAD or OPTIONS.",
        "code": "method_not_allowed",
    }
