"""Pages as people read them."""

from __future__ import annotations

import html
import re
from typing import Any


def body(response: Any) -> str:
    """The page's HTML with its entities as characters."""
    return html.unescape(response.content.decode())


def words(response: Any) -> str:
    """What can be read in the page, without tags, on one line."""
    return " ".join(re.sub(r"<[^>]*>", " ", body(response)).split())


def inline_parts(response: Any) -> list[str]:
    """Styles, handlers and scripts in the page itself, which a strict policy forbids; data for scripts is none."""
    page = re.sub(r'<script id="[a-z-]+" type="application/json">', "", response.content.decode())
    return re.findall(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", page)
