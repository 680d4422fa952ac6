"""Sessions and keys as they are shown, and what guards them: CSRF, CORS, sizes, headers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import AsyncClient, Client
from django.urls import path
from django.utils import timezone
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api_keys import ApiKey
from mediaproc import access, urls
from mediaproc.principal import principal_of
from mediaproc.roles import Role, give_role
from mediaproc.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


class Asked(APIView):
    """Tells who asked, and what."""

    def get(self, request: Request) -> Response:
        who = principal_of(request)
        return Response({"name": who.name, "role": who.role, "user": str(request.user), "data": request.data})

    post = put = get


urlpatterns = [*urls.urlpatterns, path("test/asked", Asked.as_view(), name="test-asked")]

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

ASKED = "/test/asked"


@pytest.fixture(autouse=True)
def rule(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = {"GET": Role.VIEWER, "POST": Role.OPERATOR, "PUT": Role.OPERATOR}
    monkeypatch.setattr(access, "RULES", {**access.RULES, "test-asked": rule})


@pytest.fixture
def strict() -> Client:
    """A client that checks CSRF as a server does."""
    return Client(enforce_csrf_checks=True)


def make_key(role: Role = Role.OPERATOR, **fields: Any) -> str:
    key: str = ApiKey.objects.create_key(name="reports", role=role, **fields)[1]
    return key


class TestKeys:
    @pytest.mark.parametrize("header", ["Authorization: Bearer {}", "authorization: bearer  {}", "X-API-Key: {}"])
    def test_headers_that_are_read(self, client: Client, header: str) -> None:
        name, _, value = header.format(make_key()).partition(": ")
        answer = client.get(ASKED, headers={name: value})
        assert answer.json() == {"name": "key:reports", "role": "operator", "user": "key:reports", "data": {}}

    @pytest.mark.parametrize(
        "header",
        ["Authorization: {}", "Authorization: Token {}", "Authorization: Api-Key {}", "X-Api: {}", "Cookie: key={}"],
    )
    def test_other_headers_are_not(self, client: Client, header: str) -> None:
        name, _, value = header.format(make_key()).partition(": ")
        answer = client.get(ASKED, headers={name: value})
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        assert answer["WWW-Authenticate"] == "Bearer"

    def test_nor_is_the_address(self, client: Client) -> None:
        assert client.get(f"{ASKED}?api_key={make_key()}").status_code == 401

    @pytest.mark.parametrize("fault", ["revoked", "expired", "user locked", "altered", "empty"])
    def test_that_are_not_good_any_more(self, client: Client, fault: str) -> None:
        user = User.objects.create_user("ana")
        key = make_key(user=user)
        if fault == "revoked":
            ApiKey.objects.update(revoked=True)
        elif fault == "expired":
            ApiKey.objects.update(expiry_date=timezone.now() - timedelta(seconds=1))
        elif fault == "user locked":
            User.objects.update(is_active=False)
        else:
            key = f"{key}x" if fault == "altered" else ""
        for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}):
            answer = client.get(ASKED, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "authentication_failed")

    def test_a_bad_key_is_not_made_good_by_a_session(self, client: Client) -> None:
        client.force_login(User.objects.create_user("ana"))
        assert client.get(ASKED, headers={"X-API-Key": "nonsense"}).status_code == 401

    @pytest.mark.parametrize(
        ("of_user", "of_key", "least"),
        [
            (Role.VIEWER, Role.ADMINISTRATOR, Role.VIEWER),
            (Role.CURATOR, Role.OPERATOR, Role.CURATOR),
            (Role.ADMINISTRATOR, Role.REVIEWER, Role.REVIEWER),
            (None, Role.OPERATOR, Role.VIEWER),
        ],
    )
    def test_never_do_more_than_their_user(
        self, client: Client, of_user: Role | None, of_key: Role, least: Role
    ) -> None:
        user = User.objects.create_user("ana")
        if of_user is not None:
            give_role(user, of_user)
        answer = client.get(ASKED, headers={"X-API-Key": make_key(of_key, user=user)})
        assert answer.json() == {"name": "key:reports", "role": least.value, "user": "ana", "data": {}}

    def test_cost_one_query(self, client: Client, django_assert_num_queries: Callable[..., Any]) -> None:
        key = make_key(user=User.objects.create_user("ana"))
        with django_assert_num_queries(1):
            assert client.get(ASKED, headers={"X-API-Key": key}).status_code == 200


class TestSessions:
    def test_are_of_a_person_with_a_role(self, client: Client, django_assert_num_queries: Callable[..., Any]) -> None:
        user = User.objects.create_user("ana")
        give_role(user, Role.CURATOR)
        client.force_login(user)
        with django_assert_num_queries(2):
            answer = client.get(ASKED)
        assert answer.json() == {"name": "user:ana", "role": "curator", "user": "ana", "data": {}}

    def test_a_user_with_no_role_only_looks(self, client: Client) -> None:
        client.force_login(User.objects.create_user("ana"))
        assert client.get(ASKED).json()["role"] == "viewer"
        assert client.post(ASKED).status_code == 403

    def test_a_superuser_is_an_administrator(self, admin_client: Client) -> None:
        assert admin_client.post(ASKED, {}, "application/json").json()["role"] == "administrator"

    @pytest.mark.parametrize("fault", ["locked", "ended", "another password"])
    def test_that_are_over(self, client: Client, fault: str) -> None:
        user = User.objects.create_user("ana", password="a long enough phrase")
        client.force_login(user)
        assert client.get(ASKED).status_code == 200
        if fault == "locked":
            User.objects.update(is_active=False)
        elif fault == "ended":
            Session.objects.all().delete()
        else:
            user.set_password("another long phrase")
            user.save()
        assert client.get(ASKED).status_code == 401

    def test_a_change_of_role_is_seen_at_once(self, client: Client) -> None:
        user = User.objects.create_user("ana")
        client.force_login(user)
        for role in (Role.OPERATOR, Role.REVIEWER):
            give_role(user, role)
            assert client.get(ASKED).json()["role"] == role.value


class TestCsrf:
    @pytest.fixture
    def operator(self, strict: Client) -> Client:
        user = User.objects.create_user("ana", password="a long enough phrase")
        give_role(user, Role.OPERATOR)
        strict.force_login(user)
        return strict

    @pytest.mark.parametrize("method", ["post", "put"])
    def test_a_session_needs_the_token(self, operator: Client, method: str) -> None:
        send = getattr(operator, method)
        answer = send(ASKED, {"a": 1}, "application/json", headers={"Accept": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
        operator.get("/login")
        operator.cookies["csrftoken"] = "a" * 32
        wrong = send(ASKED, {"a": 1}, "application/json", headers={"X-CSRFToken": "b" * 32})
        assert (wrong.status_code, wrong.json()["code"]) == (403, "csrf_failed")
        right = send(ASKED, {"a": 1}, "application/json", headers={"X-CSRFToken": "a" * 32})
        assert (right.status_code, right.json()["data"]) == (200, {"a": 1})

    def test_another_origin_is_refused_even_with_it(self, operator: Client, settings: Settings) -> None:
        operator.cookies["csrftoken"] = "a" * 32
        headers = {"X-CSRFToken": "a" * 32, "Origin": "https://evil.example"}
        assert operator.post(ASKED, {}, "application/json", headers=headers).status_code == 403

    def test_pages_need_it_too(self, operator: Client) -> None:
        answer = operator.post("/logout", headers={"Accept": "text/html"})
        assert answer.status_code == 403
        assert b"Load the page again" in answer.content

    def test_a_key_does_not(self, strict: Client) -> None:
        headers = {"X-API-Key": make_key(), "Origin": "https://elsewhere.example"}
        assert strict.post(ASKED, {"a": 1}, "application/json", headers=headers).json()["data"] == {"a": 1}

    def test_it_is_the_same_under_asgi(self, operator: Client) -> None:
        server = AsyncClient(enforce_csrf_checks=True)
        server.cookies["sessionid"] = operator.cookies["sessionid"].value
        server.cookies["csrftoken"] = "a" * 32
        send = async_to_sync(server.post)
        assert send(ASKED, {"a": 1}, "application/json").status_code == 403
        answer = send(ASKED, {"a": 1}, "application/json", headers={"X-CSRFToken": "a" * 32})
        assert answer.json()["data"] == {"a": 1}

    def test_strangers_hear_of_401_first(self, strict: Client) -> None:
        assert strict.post(ASKED, {}, "application/json").status_code == 401
        assert strict.post("/logout", headers={"Accept": "application/json"}).status_code == 401


class TestCors:
    ORIGIN = "https://tools.example"

    def test_without_a_list_no_other_origin_is_let_in(self, client: Client) -> None:
        answer = client.get(ASKED, headers={"X-API-Key": make_key(), "Origin": self.ORIGIN})
        assert answer.status_code == 200
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
        preflight = client.options(ASKED, headers={"Origin": self.ORIGIN, "Access-Control-Request-Method": "POST"})
        assert "Access-Control-Allow-Origin" not in preflight

    def test_listed_origins_and_no_others(self, client: Client, settings: Settings) -> None:
        settings.CORS_ALLOWED_ORIGINS = [self.ORIGIN]
        for origin, expected in ((self.ORIGIN, self.ORIGIN), ("https://evil.example", None), ("null", None)):
            answer = client.get(ASKED, headers={"X-API-Key": make_key(), "Origin": origin})
            assert answer.headers.get("Access-Control-Allow-Origin") == expected
            assert "Access-Control-Allow-Credentials" not in answer  # never with a session

    def test_preflight_allows_keys(self, client: Client, settings: Settings) -> None:
        settings.CORS_ALLOWED_ORIGINS = [self.ORIGIN]
        answer = client.options(ASKED, headers={"Origin": self.ORIGIN, "Access-Control-Request-Method": "POST"})
        assert answer.status_code == 200
        allowed = answer["Access-Control-Allow-Headers"].split(", ")
        assert {"authorization", "x-api-key", "content-type", "last-event-id", "idempotency-key"} <= set(allowed)


class TestBodies:
    def test_a_body_over_the_limit_is_413(self, client: Client, settings: Settings) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
        headers = {"X-API-Key": make_key()}
        assert client.post(ASKED, {"a": "x" * 900}, "application/json", headers=headers).status_code == 200
        answer = client.post(ASKED, {"a": "x" * 1000}, "application/json", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    @pytest.mark.parametrize(
        ("body", "content_type", "status"),
        [
            ("{", "application/json", 400),
            ("[" * 100_000, "application/json", 400),
            ("a=1", "application/x-www-form-urlencoded", 415),
            ("x", "image/png", 415),
        ],
    )
    def test_bodies_that_cannot_be_read(self, client: Client, body: str, content_type: str, status: int) -> None:
        answer = client.post(ASKED, body, content_type, headers={"X-API-Key": make_key()})
        assert answer.status_code == status
        assert set(answer.json()) == {"detail", "code"}

    def test_a_forms_body_is_limited_too(self, client: Client, settings: Settings) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
        answer = client.post("/login", "username=" + "x" * 2000, "application/x-www-form-urlencoded")
        assert answer.status_code == 413


class TestAnswers:
    def test_unknown_addresses_are_not_told_apart(self, client: Client) -> None:
        answer = client.get("/nothing/here", headers={"Accept": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        page = client.get("/nothing/here", headers={"Accept": "text/html"})
        assert (page.status_code, page["Location"]) == (302, "/login?next=/nothing/here")
        known = client.get("/nothing/here", headers={"X-API-Key": make_key()})
        assert (known.status_code, known.json()["code"]) == (404, "not_found")

    def test_after_the_login_comes_what_was_asked_for(self, client: Client) -> None:
        User.objects.create_user("ana", password="a long enough phrase")
        page = client.get("/api/docs?a=b", headers={"Accept": "text/html,*/*;q=0.8"})
        answer = client.post(page["Location"], {"username": "ana", "password": "a long enough phrase"})
        assert answer["Location"] == "/api/docs?a=b"

    def test_health_looks_at_no_key_and_asks_no_database(
        self, client: Client, django_assert_num_queries: Callable[..., Any]
    ) -> None:
        client.force_login(User.objects.create_user("ana"))
        with django_assert_num_queries(0):
            assert client.get("/api/health", headers={"X-API-Key": "nonsense"}).status_code == 200

    def test_pages_run_their_own_scripts_alone(self, client: Client) -> None:
        policy = dict(part.split(" ", 1) for part in client.get("/login")["Content-Security-Policy"].split("; "))
        assert policy["script-src"] == policy["default-src"] == policy["form-action"] == "'self'"
        assert policy["object-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert client.get("/login")["X-Frame-Options"] == "DENY"
        assert client.get("/login")["X-Content-Type-Options"] == "nosniff"

    def test_only_the_admin_evaluates(self, admin_client: Client) -> None:
        assert "'unsafe-eval'" in admin_client.get("/admin/")["Content-Security-Policy"]
        assert "'unsafe-eval'" not in admin_client.get("/")["Content-Security-Policy"]
