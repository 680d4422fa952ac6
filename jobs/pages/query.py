"""Reading what a form or an address sent."""

from __future__ import annotations

from django.http import QueryDict


def text_of(data: QueryDict, name: str) -> str:
    """The last text sent under a name, without the spaces around it and without NUL, which Postgres does not take."""
    value = data.get(name)
    return value.replace("\0", "").strip() if isinstance(value, str) else ""
