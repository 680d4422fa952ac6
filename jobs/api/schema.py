"""What operations of the OpenAPI document share: the shape of errors, and how one shows who one is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from jobs.api.examples import with_examples

_MEANINGS = {
    400: "The request cannot be understood, or a value in it cannot be used.",
    401: "No session and no key, or a key that is unknown, revoked or expired.",
    403: "Not for this role; or a session without its CSRF token.",
    404: "There is no such thing.",
    405: "Not possible at this address.",
    406: "None of the types that are accepted can be given.",
    409: "It does not go with the state things are in.",
    410: "It was there and is gone.",
    412: "The client speaks another version of the protocol.",
    413: "The body is too large.",
    415: "The body is of a type that is not taken.",
    416: "The range lies outside of the file.",
    423: "Another request is at work on it.",
    429: "Too many requests.",
    500: "It failed; the reason is given.",
    502: "A server behind this one cannot be reached.",
    503: "Not just now: try again later.",
    507: "There is no room for it.",
}


class ErrorSerializer(serializers.Serializer[Any]):
    """Every error: a sentence to act on, a word for programs, and of fields that cannot be used all complaints."""

    detail = serializers.CharField()
    code = serializers.CharField()
    fields = serializers.DictField(required=False)  # type: ignore[assignment]  # the name is the interface's


_REFERENCE = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
# what the serializer above comes to, for a document in which no operation names it
_ERROR = {
    "type": "object",
    "properties": {
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "fields": {"type": "object", "additionalProperties": {}},
    },
    "required": ["code", "detail"],
}


def errors(*statuses: int, **meanings: str) -> dict[int, OpenApiResponse]:
    """For ``extend_schema(responses={200: …, **errors(404, 409)})``: these statuses, with 401 and 403, which all have.

    What is particular to an operation can be said: ``errors(404, status_409="The job has ended.")``.
    """
    said = {int(name.removeprefix("status_")): meaning for name, meaning in meanings.items()}
    numbers = sorted({401, 403, *statuses, *said})
    return {number: OpenApiResponse(ErrorSerializer, said.get(number, _MEANINGS[number])) for number in numbers}


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of the document: what no single view can say of its operation. What a view declares stays."""
    for path in result["paths"].values():
        for operation in path.values():
            _declare_shared_errors(operation)
            _declare_empty_words(operation)
            with_examples(operation)
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas.setdefault("Error", _ERROR)
    return result


def _declare_shared_errors(operation: dict[str, Any]) -> None:
    """Answers from before the views: of the access table, the CSRF check, the negotiation and the parsers."""
    shared = [401, 403] if operation.get("security") else []
    shared += [400, 413, 415] if "requestBody" in operation else []
    responses = operation["responses"]
    successes = [answer.get("content", {}) for status, answer in responses.items() if status.startswith("2")]
    if operation.get("security") and any(not content or "application/json" in content for content in successes):
        shared.append(406)
    for status in shared:
        responses.setdefault(str(status), _REFERENCE | {"description": _MEANINGS[status]})
    operation["responses"] = dict(sorted(responses.items()))


def _declare_empty_words(operation: dict[str, Any]) -> None:
    """In a query, a parameter without a value is as good as none: forms send them."""
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query" and not parameter.get("required"):
            parameter["schema"].pop("minLength", None)


class PrincipalScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # it registers itself
    """Three ways in, each enough by itself."""

    target_class = "mediaproc.authentication.PrincipalAuthentication"
    name = ["bearer", "apiKey", "session"]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "An API key."},
            {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key in its own header."},
            {
                "type": "apiKey",
                "in": "cookie",
                "name": settings.SESSION_COOKIE_NAME,
                "description": "A login in the browser; what changes something needs the CSRF cookie's token as "
                "X-CSRFToken too.",
            },
        ]
