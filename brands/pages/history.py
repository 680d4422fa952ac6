"""What was decided: who, when, what, and whether it still holds; to undo and to make again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from brands.models import Decision, DecisionKind
from brands.pages.cards import settles
from brands.review.history import Told, deciders, decisions_found, decisions_tell
from mediaproc.principal import Principal, principal_of
from mediaproc.roles import Role

_PER_PAGE = 50


@dataclass(frozen=True)
class Row:
    """One decision; ``act`` is what the reader may do to it: Undo, Make again, or nothing."""

    told: Told
    who: str
    sentence: str
    settled: str
    became: str
    act: str

    @property
    def decision(self) -> Decision:
        return self.told.decision


@require_safe
def history_page(request: HttpRequest) -> HttpResponse:
    """Decisions, newest first, in pages; filters in the address."""
    asked = _asked(request.GET)
    found = decisions_found(by=asked["by"], kind=asked["kind"], brand=asked["brand"], only=asked["decision"])
    if asked["before"] is not None:
        found = found.filter(id__lt=asked["before"])
    told = decisions_tell(found[: _PER_PAGE + 1])
    reader = principal_of(request)
    context = {
        "here": "review",
        "rows": [row_of(one, reader) for one in told[:_PER_PAGE]],
        "older": _address(request.GET, told[_PER_PAGE - 1].decision.id) if len(told) > _PER_PAGE else "",
        "newest": asked["before"] is None,
        "asked": asked,
        "filtered": any(asked[name] for name in ("by", "kind", "brand", "decision")),
        "people": [(name, _name(name)) for name in deciders()],
        "kinds": DecisionKind.choices,
        "query": request.GET.urlencode(),
    }
    return render(request, "review/history.html", context)


def _asked(query: QueryDict) -> dict[str, Any]:
    kind = query.get("kind", "")
    return {
        "by": query.get("by", "").replace("\0", ""),
        "kind": DecisionKind(kind) if kind in DecisionKind.values else None,
        "brand": query.get("brand", "").replace("\0", "").strip(),
        "decision": _number(query.get("decision", "")),
        "before": _number(query.get("before", "")),
    }


def row_of(told: Told, reader: Principal) -> Row:
    decision, last = told.decision, told.undoings[-1] if told.undoings else None
    became = ""
    if last is not None:
        became = f"{'made again' if told.in_force else 'undone'} by {_name(last.by)}, {last.at:%d %b %Y, %H:%M} UTC"
    may = reader.may(Role.CURATOR) or (reader.may(Role.REVIEWER) and told.last_by == reader.name)
    act = ("Undo" if told.in_force else "Make again") if may and decision.kind != DecisionKind.UNDO else ""
    return Row(
        told=told,
        who=_name(decision.by),
        sentence=decision.sentence[:1].upper() + decision.sentence[1:],
        settled=settles(decision.seconds, told.sources) if decision.items else "",
        became=became,
        act=act,
    )


def _name(by: str) -> str:
    return by.removeprefix("user:")


def _address(query: QueryDict, before: int) -> str:
    changed = query.copy()
    changed["before"] = str(before)
    return f"?{changed.urlencode()}"


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
