"""Addresses for the tests of keys and errors: views that show who asked, and that fail in every way."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import path
from rest_framework import serializers
from rest_framework.exceptions import NotFound, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from detect.errors import ConfigError, ConflictError, NotFoundError
from mediaproc.roles import Role
from mediaproc.roots import RootError
from mediaproc.urls import handler400, handler403, handler404, handler500, urlpatterns

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


class WhoAmI(APIView):
    def get(self, request: Request) -> Response:
        return Response({"user": request.user.get_username()})

    post = get


class _Body(serializers.Serializer[None]):
    fps = serializers.FloatField(min_value=0.1, max_value=60)


class Fail(APIView):
    def get(self, request: Request, how: str) -> Response:
        if how == "serializer":
            _Body(data={"fps": 900}).is_valid(raise_exception=True)
        raise {
            "config": ConfigError("unknown stage 'x': the stages are a, b"),
            "gone": NotFoundError("There is no brand 7."),
            "conflict": ConflictError("The job has ended."),
            "outside": RootError("'/etc' is not in an allowed folder."),
            "missing": NotFound("There is no job 7."),
            "http404": Http404("No DetectJob matches the given query."),
            "denied": PermissionDenied(),
            "throttled": Throttled(wait=3),
            "crash": ZeroDivisionError("a secret is 42"),
        }[how]


urlpatterns = [
    *urlpatterns,
    path("test/whoami", WhoAmI.as_view(), name="test-whoami"),
    path("test/fail/<str:how>", Fail.as_view(), name="test-fail"),
]

#: Their rules, which the tests lay over the table.
RULES = {"test-whoami": {"GET": Role.VIEWER, "POST": Role.OPERATOR}, "test-fail": {"GET": Role.VIEWER}}
