"""``{% navigation %}``: the links in the head of a page."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from mediaproc.navigation import links_for

register = template.Library()


@register.inclusion_tag("_navigation.html", takes_context=True)
def navigation(context: Context) -> dict[str, Any]:
    """Marks the one that the page's ``here`` names."""
    return {"links": links_for(context["request"], here=context.get("here") or "")}
