"""Decisions made from the admin: made, told with a way back, or refused in words."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from brands.actions import Action, Effect, decide
from brands.models import Decision, DecisionKind
from brands.pages.cards import settles
from detect.errors import MediaprocError
from mediaproc.principal import principal_of
from mediaproc.words import plural


def decide_and_tell(request: HttpRequest, action: Action) -> Decision | None:
    """Make a decision and say what it settled, with a link that undoes it; None where it was refused, saying why."""
    try:
        decision = decide(action, by=principal_of(request))
    except (MediaprocError, PermissionDenied) as error:
        messages.error(request, sentence(str(error)))
        return None
    tell(request, decision)
    return decision


def tell(request: HttpRequest, decision: Decision) -> None:
    settled = f"Settles {settles(decision.seconds, decision.assets.count())}." if decision.items else ""
    undo = reverse("admin:brands_knownbrand_undo", args=[decision.id])
    word = "Make again" if decision.kind == DecisionKind.UNDO else "Undo"
    told = '<bdi>{}</bdi> {} <a class="cell-link" href="{}">{}</a>'
    messages.success(request, format_html(told, sentence(decision.sentence), settled, undo, word))


def effect_told(effect: Effect) -> str:
    """What a decision would do, before it is made."""
    parts = [sentence(effect.sentence)]
    if effect.items:
        parts.append(f"Settles {plural(effect.items, 'candidate')}: {settles(effect.seconds, effect.sources)}.")
    elif effect.sources:
        parts.append(f"Concerns the results of {plural(effect.sources, 'video')}, to be brought up to date.")
    return " ".join(parts)


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
