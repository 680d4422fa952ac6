"""Reading and filling in the pages in which brands are curated."""

from __future__ import annotations

import html
import re
from typing import Any

from django.test import Client

from brands.models import KnownBrand

LIST = "/admin/brands/knownbrand/"


def page(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, (address, answer.status_code, answer.get("Location"))
    return answer.content.decode()


def text_of(content: str) -> str:
    """What can be read, on one line."""
    content = re.sub(r"<(script|style)\b.*?</\1>", " ", content, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", content)).split())


def sent(answer: Any) -> str:
    """What the page that an answer led to says."""
    assert answer.status_code == 200, (answer.status_code, answer.get("Location"))
    return text_of(answer.content.decode())


def names_in(content: str) -> list[str]:
    """Names of the brands in the list, in order."""
    found = re.findall(r'<bdi class="brand-name brand-short" title="[^"]*">([^<]*)</bdi>', content)
    return [html.unescape(name) for name in found]


def change(brand: KnownBrand) -> str:
    return f"{LIST}{brand.pk}/change/"


def form(brand: KnownBrand | None, *, name: str, confirmed: bool = True, aliases: dict[Any, str] | None = None) -> Any:
    """What the form of a brand sends. ``aliases`` are texts by their row's id, None or anything else for new ones.

    Rows that are there and are not named are taken away.
    """
    wanted = aliases if aliases is not None else {row.pk: row.text for row in brand.aliases.all()} if brand else {}
    rows = list(brand.aliases.all()) if brand else []
    data: dict[str, Any] = {"canonical_name": name, "aliases-INITIAL_FORMS": len(rows)}
    if confirmed:
        data["confirmed"] = "on"
    new = [text for key, text in wanted.items() if key not in {row.pk for row in rows}]
    data["aliases-TOTAL_FORMS"] = len(rows) + len(new)
    for place, row in enumerate(rows):
        data[f"aliases-{place}-id"] = row.pk
        data[f"aliases-{place}-brand"] = str(brand.pk) if brand else ""
        data[f"aliases-{place}-text"] = wanted.get(row.pk, row.text)
        if row.pk not in wanted:
            data[f"aliases-{place}-DELETE"] = "on"
    for place, text in enumerate(new, start=len(rows)):
        data[f"aliases-{place}-text"] = text
    return data
