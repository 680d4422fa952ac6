"""JSON bodies, up to the size that may lie in memory."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class JsonParser(JSONParser):
    """The framework's, which reads without end otherwise. Raises RequestDataTooBig, answered with 413.

    Text that cannot be written as UTF-8 is refused here: neither Postgres nor an answer that quotes it could take it.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise RequestDataTooBig(f"more than {limit} bytes")
        try:
            parsed = super().parse(io.BytesIO(body), media_type, parser_context)
            if b"\\u" in body:
                json.dumps(parsed, ensure_ascii=False).encode()
        except RecursionError:
            raise ParseError("JSON parse error - too deeply nested") from None
        except UnicodeEncodeError:
            raise ParseError("JSON parse error - half of a surrogate pair is no text") from None
        return parsed
