"""What is decided in the review, and what it would settle. Each form is one action of ``brands/actions``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from brands.actions import Action, AliasOf, Confirm, GroupRef, NewBrand, Reject, Split, Undo, decide, effect
from brands.actions.journal import DecidedSince
from brands.models import Decision, DecisionKind, ReviewGroup
from brands.models.known import name_key
from brands.pages.cards import settles
from brands.pages.filters import Filters
from brands.pages.review import totals
from brands.review.queue import waiting
from brands.selectors import brands_by_text
from detect.errors import ConfigError, MediaprocError, NotFoundError
from mediaproc.principal import principal_of

_MOST_GROUPS = 500
_MOST_ITEMS = 5000


@require_POST
def review_decide(request: HttpRequest) -> HttpResponse:
    """Make the decision of a form, once for each ``token``; JSON for scripts, else back to the page it came from."""
    try:
        decision = decide(_action(request.POST), by=principal_of(request), token=_token(request.POST))
    except (MediaprocError, PermissionDenied) as error:
        return _refused(request, error)
    if _wants_json(request):
        return JsonResponse(_told(decision, request.POST))
    messages.success(request, " · ".join(filter(None, (_capital(decision.sentence), _settled(decision)))))
    return redirect(_back(request.POST, decision.undoes_id))


@require_POST
def review_effect(request: HttpRequest) -> JsonResponse:
    """What the decision of a form would settle: ``{sentence, items, seconds, sources, settles}``, or ``{refused}``."""
    try:
        found = effect(_action(request.POST), by=principal_of(request))
    except (MediaprocError, PermissionDenied) as error:
        return JsonResponse({"refused": _capital(str(error))})
    told = {"sentence": found.sentence, "items": found.items, "seconds": found.seconds, "sources": found.sources}
    return JsonResponse({**told, "settles": settles(found.seconds, found.sources)})


def _action(form: QueryDict) -> Action:
    """``action`` is a name, with what it is about behind a colon where a button says it: ``alias:BRAND``."""
    name, _, about = form.get("action", "").partition(":")
    make = _ACTIONS.get(name)
    if make is None:
        raise ConfigError(f"there is no decision {name!r}")
    return make(form, about)


def _alias(form: QueryDict, about: str) -> Action:
    if about:
        return AliasOf(_groups(form), _uuid(about))
    name = form.get("brand", "").strip()
    found = brands_by_text([name_key(name)])
    if not found:
        raise NotFoundError(f"There is no brand '{name}'.")
    return AliasOf(_groups(form), next(iter(found.values())))


def _split(form: QueryDict, about: str) -> Action:  # noqa: ARG001 - as all of them
    groups = _groups(form)
    if len(groups) != 1:
        raise ConfigError("split one group at a time: take the ticks of the others away")
    items = form.getlist("items")[:_MOST_ITEMS]
    return Split(groups[0], tuple(_number(item) for item in items))


_ACTIONS: dict[str, Callable[[QueryDict, str], Action]] = {
    "confirm": lambda form, about: Confirm(_groups(form)),
    "new": lambda form, about: NewBrand(_groups(form), form.get("name", "").replace("\0", "")),
    "alias": _alias,
    "reject": lambda form, about: Reject(_groups(form)),
    "split": _split,
    "undo": lambda form, about: Undo(_number(about)),
}


def _groups(form: QueryDict) -> tuple[GroupRef, ...]:
    """``groups``: each an id and the revision that was seen, ``17:3``."""
    given = dict.fromkeys(form.getlist("groups"))
    if len(given) > _MOST_GROUPS:
        raise ConfigError(f"one decision is made on at most {_MOST_GROUPS} groups, not on {len(given)}")
    pairs = [text.partition(":") for text in given]
    return tuple(GroupRef(_number(group), _number(revision)) for group, _, revision in pairs)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ConfigError(f"{text!r} is no number")
    return int(text)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise ConfigError(f"{text!r} is no id") from error


def _token(form: QueryDict) -> UUID | None:
    text = form.get("token", "")
    return _uuid(text) if text else None


def _told(decision: Decision, form: QueryDict) -> dict[str, Any]:
    """What a script needs to go on: the groups as they are now, and what is left of those that it shows."""
    groups = ReviewGroup.objects.in_bulk(decision.groups)
    return {
        "decision": decision.id,
        "sentence": _capital(decision.sentence),
        "items": decision.items,
        "seconds": decision.seconds,
        "settled": _settled(decision),
        "groups": [_group(number, groups.get(number)) for number in decision.groups],
        "left": totals(waiting(Filters.of(QueryDict(form.get("query", ""))).groups())),
    }


def _group(number: int, group: ReviewGroup | None) -> dict[str, Any]:
    """A group that a split had made is gone once that is undone."""
    if group is None:
        return {"id": number, "revision": 0, "open": False}
    return {"id": number, "revision": group.revision, "open": group.open_items > 0}


def _settled(decision: Decision) -> str:
    """``settled 4 min 12 s in 9 reports``; what an undoing settled before waits again."""
    if not decision.items:
        return ""
    told = settles(decision.seconds, decision.assets.count())
    undone = decision.undoes
    return f"{told} wait again" if undone and undone.kind != DecisionKind.UNDO else f"settled {told}"


def _refused(request: HttpRequest, error: MediaprocError | PermissionDenied) -> HttpResponse:
    if _wants_json(request):
        return _refusal(error)
    later = error.decision_id if isinstance(error, DecidedSince) else None
    if later is None:
        messages.error(request, f"{_capital(str(error))}.")
    else:
        where = f"{reverse('review-history')}?decision={later}"
        messages.error(request, format_html('{}. <a href="{}">See that decision</a>', _capital(str(error)), where))
    return redirect(_back(request.POST))


def _refusal(error: MediaprocError | PermissionDenied) -> JsonResponse:
    status, code = (error.status, error.code) if isinstance(error, MediaprocError) else (403, "permission_denied")
    later = error.decision_id if isinstance(error, DecidedSince) else None
    return JsonResponse({"detail": _capital(str(error)), "code": code, "decision": later}, status=status)


def _back(form: QueryDict, decision: int | None = None) -> str:
    """The page that the form is on, with the filters it had."""
    query = QueryDict(form.get("query", "")).urlencode()
    page = reverse("review-history" if form.get("page") == "history" else "review")
    at = f"#d-{decision}" if decision and form.get("page") == "history" else ""
    return f"{page}?{query}{at}" if query else f"{page}{at}"


def _wants_json(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
