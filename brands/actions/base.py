"""What an action is, and the one way to make a decision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Protocol
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction

from brands.actions.journal import Journal
from brands.live import announce
from brands.models import BrandAppearance, Decision, DecisionKind, KnownBrand
from brands.review.settling import groups_about, groups_settle
from detect.errors import ConflictError
from detect.models import SourceAsset
from mediaproc.roles import Role

_ONE_AFTER_ANOTHER = 0x6272616E6473  # a number of our own among Postgres' advisory locks


class Decider(Protocol):
    """Somebody who decides: ``mediaproc.principal.Principal`` is one."""

    @property
    def name(self) -> str: ...

    def may(self, least: Role) -> bool: ...


@dataclass(frozen=True)
class Outcome:
    """What an action did: ``sentence`` for people, and whom else it concerns.

    ``groups`` are the review groups it was made on. ``brands`` are those whose showing in finished reports is another
    now: the videos that show them are concerned, beside those whose items were settled and ``assets``.
    """

    sentence: str
    brand: KnownBrand | None = None
    groups: tuple[int, ...] = ()
    brands: tuple[UUID, ...] = ()
    assets: tuple[UUID, ...] = ()
    undoes: Decision | None = None


class Action(Protocol):
    """One kind of decision. ``needs`` is the least role that may make it."""

    kind: ClassVar[DecisionKind]
    needs: ClassVar[Role]

    def apply(self, journal: Journal, by: Decider) -> Outcome:
        """Check that it can be done and do it, all changes through ``journal``.

        Raises ``ConflictError`` where it does not fit what is there now, ``ConfigError`` for what can never be done and
        ``PermissionDenied`` where ``by`` may not do it to these.
        """
        ...


@dataclass(frozen=True)
class Effect:
    """What a decision would do: settle ``items`` that stand for ``seconds`` of ``sources`` videos."""

    sentence: str
    items: int
    seconds: float
    sources: int


@dataclass(frozen=True)
class _Made:
    decision: Decision
    assets: set[UUID]


def decide(action: Action, *, by: Decider, token: UUID | None = None) -> Decision:
    """Make a decision: all of it or nothing, and after every earlier one.

    One that the same person asked for with the same ``token`` before was made then: it is returned, not made again.
    Raises ``PermissionDenied``, ``ConflictError`` and ``ConfigError`` as ``Action.apply`` does, and ``ConflictError``
    where there is nothing to change.
    """
    with transaction.atomic():
        if token is not None:
            decisions_hold()
            before = Decision.objects.filter(by=by.name, token=token).first()
            if before is not None:
                return before
        made = _make(action, by, token)
        transaction.on_commit(partial(announce, made.decision.id))
    return made.decision


def effect(action: Action, *, by: Decider) -> Effect:
    """What :func:`decide` would do with the same: found by doing it and taking it back. Raises as it does."""
    with transaction.atomic():
        made = _make(action, by)
        transaction.set_rollback(True)
    return Effect(made.decision.sentence, made.decision.items, made.decision.seconds, len(made.assets))


def _make(action: Action, by: Decider, token: UUID | None = None) -> _Made:
    if not by.may(action.needs):
        raise PermissionDenied(f"this needs the role {action.needs.value}")
    decisions_hold()
    journal = Journal()
    outcome = action.apply(journal, by)
    if not journal.changes:
        raise ConflictError("that is so already: there is nothing to change")
    settled = groups_settle(groups_about(journal.changes) | set(outcome.groups))
    assets = settled.assets | _showing(outcome.brands) | set(outcome.assets)
    decision = Decision.objects.create(
        kind=action.kind,
        by=by.name,
        sentence=outcome.sentence,
        brand=outcome.brand,
        groups=sorted(set(outcome.groups) | settled.groups),
        items=settled.items,
        seconds=settled.seconds,
        changes=journal.changes,
        undoes=outcome.undoes,
        token=token,
    )
    decision.assets.set(SourceAsset.objects.filter(id__in=assets))
    return _Made(decision, assets)


def decisions_hold() -> None:
    """Hold everybody else's decisions until this transaction ends: what is decided, or read, in it comes in order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_AFTER_ANOTHER])


def _showing(brands: Iterable[UUID]) -> set[UUID]:
    shown = BrandAppearance.objects.filter(brand_id__in=list(brands)).order_by()
    return set(shown.values_list("source_asset_id", flat=True))
