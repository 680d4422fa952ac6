"""What a reader wants to see of the queue, as an address says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, QueryDict

from brands.models import ReviewGroup
from brands.review.queue import Kind, Place, queue

_LONGEST_TEXT = 300


@dataclass(frozen=True)
class Filters:
    """``?text=…&kind=proposed|undecided&asset=ID&job=ID``"""

    text: str = ""
    kind: Kind | None = None
    asset: UUID | None = None
    job: UUID | None = None

    @classmethod
    def of(cls, query: QueryDict) -> Filters:
        """Raises ``Http404`` for an id that cannot be one."""
        kind = next((kind for kind in get_args(Kind) if kind == query.get("kind")), None)
        text = query.get("text", "").replace("\0", "").strip()[:_LONGEST_TEXT]
        return cls(text=text, kind=kind, asset=_id(query, "asset"), job=_id(query, "job"))

    def groups(self, *, after: Place | None = None) -> QuerySet[ReviewGroup]:
        """The groups to see, in their order."""
        return queue(text=self.text, asset=self.asset, job=self.job, kind=self.kind, after=after)

    @property
    def query(self) -> str:
        """As an address says it, without a question mark."""
        given = {"text": self.text, "kind": self.kind, "asset": self.asset, "job": self.job}
        return urlencode({name: value for name, value in given.items() if value})


def place_of(text: str) -> Place | None:
    """A place in the queue as :func:`place_text` writes it; None for anything else."""
    seconds, colon, group = text.partition(":")
    if not colon or not group.isascii() or not group.isdigit() or len(group) > 18:
        return None
    try:
        return Place(float(seconds), int(group))
    except ValueError:
        return None


def place_text(group: ReviewGroup) -> str:
    """The place right behind a group; a float's own digits bring the same number back."""
    return f"{group.open_seconds!r}:{group.id}"


def _id(query: QueryDict, name: str) -> UUID | None:
    text = query.get(name, "")
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise Http404(f"{text!r} is no id") from error
