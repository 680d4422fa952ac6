"""The OpenAPI document: what it is, and that nothing in it opens to strangers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from jobs.api.schema import errors
from mediaproc.roles import Role

HEALTH = {"/api/health", "/api/v0/healthz", "/healthz"}
SAMPLES = {"uuid": "00000000-0000-4000-8000-000000000000", None: "none"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def address(path: str, operation: dict[str, Any]) -> str:
    """A path of the document with its parameters filled in."""
    schemas = {one["name"]: one["schema"] for one in operation.get("parameters", []) if one["in"] == "path"}

    def value(name: re.Match[str]) -> str:
        schema = schemas[name[1]]
        return "1" if schema["type"] == "integer" else SAMPLES[schema.get("format")]

    return re.sub(r"{(\w+)}", value, path)


def test_it_is_made_without_a_doubt(capsys: pytest.CaptureFixture[str]) -> None:
    """Guesses, and names that stand for two things, are told on standard error."""
    SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    assert capsys.readouterr().err == ""


def test_it_is_openapi_3_1_and_knows_all_ways_in(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    schemes = document["components"]["securitySchemes"]
    assert {name: (one["type"], one.get("scheme") or one["name"]) for name, one in schemes.items()} == {
        "bearer": ("http", "bearer"),
        "apiKey": ("apiKey", "X-API-Key"),
        "session": ("apiKey", "sessionid"),
    }


def test_every_operation_but_health_answers_strangers_with_401(
    client: Client, db: None, document: dict[str, Any]
) -> None:
    asked = 0
    for path, method, operation in operations(document):
        if path in HEALTH:
            continue
        answer = client.generic(method.upper(), address(path, operation), headers={"Accept": "application/json"})
        assert answer.status_code == 401, (method, path)
        assert set(answer.json()) == {"detail", "code"}
        asked += 1
    assert asked >= 2


def test_every_operation_but_health_declares_what_it_asks_for(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        if path in HEALTH:
            assert "security" not in operation, path
            continue
        assert operation["security"] == [{"bearer": []}, {"apiKey": []}, {"session": []}], (method, path)
        assert {"401", "403"} <= set(operation["responses"]), (method, path)
        if "requestBody" in operation:
            assert {"400", "413", "415"} <= set(operation["responses"]), (method, path)


def test_errors_have_one_shape(document: dict[str, Any]) -> None:
    error = document["components"]["schemas"]["Error"]
    assert set(error["required"]) == {"detail", "code"}
    for path, method, operation in operations(document):
        for status, answer in operation["responses"].items():
            content = answer.get("content", {}).get("application/json")
            if int(status) >= 400 and content is not None and path not in HEALTH:
                assert content["schema"] == {"$ref": "#/components/schemas/Error"}, (method, path, status)


def test_health_is_in_it(document: dict[str, Any]) -> None:
    assert set(document["paths"]) >= HEALTH
    assert set(document["paths"]["/healthz"]["get"]["responses"]) == {"200", "503"}


def test_a_view_can_say_what_an_error_means_there() -> None:
    declared = errors(404, status_409="The job has ended.")
    assert list(declared) == [401, 403, 404, 409]
    assert declared[409].description == "The job has ended."


def test_it_is_served_with_both_of_its_readers(client: Client, key_of: Callable[[Role], dict[str, str]]) -> None:
    key = key_of(Role.VIEWER)
    as_json = client.get("/api/schema", headers={**key, "Accept": "application/json"})
    assert (as_json.status_code, as_json.json()["openapi"][:3]) == (200, "3.1")
    assert b"openapi: 3.1" in client.get("/api/schema", headers=key).content
    for path, wanted in (("/docs", "/api/docs"), ("/redoc", "/api/redoc")):
        assert client.get(path, headers=key)["Location"] == wanted
        page = client.get(wanted, headers=key)
        assert page.status_code == 200
        assert b'src="/static/drf_spectacular_sidecar/' in page.content
        assert not re.search(rb"(src|href)=\"(https?:)?//", page.content)
    script = client.get("/api/docs?script=", headers=key)
    assert b"/api/schema" in script.content
