"""Where the head of every page leads: what its reader may open, and how many decisions wait."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from brands.models import ReviewGroup
from mediaproc.access import Decision, decide
from mediaproc.principal import BadKeyError, Principal, identify


@dataclass(frozen=True)
class Place:
    """A part of the site; a page belongs to it whose context has its ``name`` as ``here``."""

    name: str
    word: str
    route: str


PLACES = (
    Place("home", "Home", "home"),
    Place("jobs", "Jobs", "job-list"),
    Place("review", "Review", "review"),
    Place("brands", "Brands", "brand-list"),
    Place("pitstop", "Pit stops", "pitstop-list"),
    Place("batches", "Batches", "batch-list"),
    Place("scenarios", "Scenarios", "page-scenarios"),
    Place("profiles", "Profiles", "page-profiles"),
    Place("submit", "New analysis", "page-submit"),
)


@dataclass(frozen=True)
class Link:
    """``waiting`` is how many decisions wait there."""

    word: str
    address: str
    here: bool
    waiting: int = 0


def links_for(request: HttpRequest, *, here: str) -> list[Link]:
    """Links to the parts of the site that whoever sent ``request`` may open; none for somebody unknown."""
    reader = _reader(request)
    if reader is None:
        return []
    return [
        Link(
            place.word,
            reverse(place.route),
            here=place.name == here,
            waiting=ReviewGroup.objects.filter(open_items__gt=0).count() if place.name == "review" else 0,
        )
        for place in PLACES
        if decide(place.route, "GET", reader) is Decision.ALLOWED
    ]


def _reader(request: HttpRequest) -> Principal | None:
    """Whom the gate has let in; at an address where nothing is it was never asked."""
    known: Principal | None = getattr(request, "principal", None)
    if known is not None:
        return known
    try:
        return identify(request)
    except BadKeyError:
        return None
