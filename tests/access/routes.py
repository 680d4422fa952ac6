"""The map of the site, walked: every route with its name, an address that leads to it, and its methods."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

#: A value for each kind of part that an address can have; nothing in the database goes by any of them.
PARTS: dict[str, Any] = {
    "uuid": UUID("00000000-0000-4000-8000-000000000000"),
    "int": 1,
    "str": "none",
    "slug": "none",
    "path": "none",
}


@dataclass(frozen=True)
class Route:
    """``methods`` is None where the view is a function, which does not say."""

    name: str
    path: str
    methods: frozenset[str] | None


def site_routes() -> list[Route]:
    return list(_walk(get_resolver(), "", ""))


def _walk(resolver: URLResolver, namespace: str, path: str) -> Iterator[Route]:
    for part in resolver.url_patterns:
        here = path + _sample(part)
        if isinstance(part, URLResolver):
            yield from _walk(part, f"{namespace}{part.namespace}:" if part.namespace else namespace, here)
        else:
            assert isinstance(part, URLPattern)
            yield Route(f"{namespace}{part.name}", f"/{here}", _methods(part.callback))


def _sample(part: URLPattern | URLResolver) -> str:
    converters = part.pattern.converters
    text = str(part.pattern)
    if not hasattr(part.pattern, "_route"):  # a regular expression: the admin has some
        text = re.sub(r"\(\?P<\w+>[^)]*\)", "none", text.lstrip("^").rstrip("$"))
    for name, converter in converters.items():
        value = converter.to_url(PARTS[_kind(converter)])
        text = re.sub(rf"<(?:\w+:)?{name}>", value, text)
    return text


def _kind(converter: Any) -> str:
    return type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")


def _methods(callback: Any) -> frozenset[str] | None:
    view = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
    if view is None:
        return None
    offered = [name.upper() for name in getattr(view, "http_method_names", ()) if hasattr(view, name)]
    return frozenset(offered) & set(METHODS)
