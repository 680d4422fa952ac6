"""What an answer is made of where the request's ``Accept`` does not decide."""

from __future__ import annotations

from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class AcceptAnything(BaseContentNegotiation):
    """The view gives what it has, a picture say, and errors as JSON, whatever the request says it accepts."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        return next(iter(parsers), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type
