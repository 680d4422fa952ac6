"""One shape for every JSON error: `detail`, a sentence a person can act on, and `code`, a word a program can."""

from __future__ import annotations

from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error
from rest_framework.views import exception_handler as default_handler
from rest_framework.views import set_rollback

from detect.errors import MediaprocError

log = structlog.get_logger(__name__)

_TOO_LARGE = "The request's body is too large."


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """The REST framework's hook. Unknown exceptions become a 500 that tells nothing, and are logged in full."""
    if isinstance(error, Http404):
        error = exceptions.NotFound(*error.args)
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied(*error.args)
    elif isinstance(error, MediaprocError):
        set_rollback()
        return Response({"detail": error.message, "code": error.code}, status=error.status)
    elif isinstance(error, RequestDataTooBig) and not isinstance(error, exceptions.APIException):
        set_rollback()
        return Response({"detail": _TOO_LARGE, "code": "too_large"}, status=413)
    if isinstance(error, exceptions.ValidationError):
        set_rollback()
        fields = as_serializer_error(error)
        return Response({"detail": _sentence(fields), "code": "invalid", "fields": fields}, status=error.status_code)
    if isinstance(error, exceptions.APIException):
        response = default_handler(error, context)
        if response is not None:
            response.data = {"detail": str(error.detail), "code": _code(error)}
        return response
    if settings.DEBUG:
        return None
    set_rollback()
    log.error("unhandled error", path=getattr(context.get("request"), "path", None), exc_info=error)
    return Response({"detail": "Something went wrong here; it was logged.", "code": "error"}, status=500)


def _code(error: exceptions.APIException) -> str:
    codes = error.get_codes()
    return codes if isinstance(codes, str) else error.default_code


def _sentence(fields: Any, at: str = "") -> str:
    """The first complaint, led by the field it is about."""
    if isinstance(fields, dict):
        for name, value in fields.items():
            sentence = _sentence(value, "" if name == "non_field_errors" else str(name))
            if sentence:
                return sentence
        return ""
    if isinstance(fields, list):
        return next(filter(None, (_sentence(value, at) for value in fields)), "")
    return f"{at}: {fields}" if at else str(fields)


def error_response(request: HttpRequest, status: int, code: str, sentence: str) -> HttpResponse:
    """Outside the REST framework: JSON for programs, a plain line for browsers."""
    if "text/html" in request.headers.get("Accept", ""):
        from django.shortcuts import render

        return render(request, "error.html", {"sentence": sentence, "status": status}, status=status)
    return JsonResponse({"detail": sentence, "code": code}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return error_response(request, 413, "too_large", _TOO_LARGE)
    return error_response(request, 400, "bad_request", "The request could not be understood.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    return error_response(request, 403, "permission_denied", "You may not do this.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A session without its CSRF token: a form of another site, or a page that was open across a login."""
    sentence = f"{reason} Load the page again, or send the cookie's token as X-CSRFToken.".strip()
    return error_response(request, 403, "csrf_failed", sentence)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    return error_response(request, 404, "not_found", "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    return error_response(request, 500, "error", "Something went wrong here; it was logged.")
