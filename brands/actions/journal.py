"""Changing rows in a way that can be put back exactly, however much later.

A change is ``{"model", "pk", "before", "after"}``, its fields as JSON values before and after it; ``before``
is null for a row that was made and ``after`` for one that was removed, which hold all fields.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import Any, TypeVar

from django.apps import apps
from django.core import serializers
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from brands.models import (
    BrandAlias,
    BrandAppearance,
    Decision,
    DecisionKind,
    KnownBrand,
    SourceBrandSighting,
)
from detect.errors import ConflictError

Row = TypeVar("Row", bound=models.Model)
Change = dict[str, Any]

_MADE, _CHANGED, _REMOVED = "made", "changed", "removed"


class DecidedSince(ConflictError):  # noqa: N818 - what stands in the way, not a fault
    """A later decision stands in the way: ``decision_id``, where it is known."""

    def __init__(self, message: str, later: Decision | None) -> None:
        super().__init__(message)
        self.decision_id = later.id if later else None


class Journal:
    """Rows that an action makes, changes and removes, written down as it does."""

    def __init__(self) -> None:
        self.changes: list[Change] = []

    def create(self, row: Row) -> Row:
        row.save(force_insert=True)
        self._note(row, before=None, after=fields_of(row))
        return row

    def create_all(self, rows: Sequence[models.Model]) -> None:
        """Make many rows of one model; what they refer to has to be there."""
        if rows:
            type(rows[0])._default_manager.bulk_create(rows, batch_size=1000)
        for row in rows:
            self._note(row, before=None, after=fields_of(row))

    def change(self, row: models.Model, **values: Any) -> None:
        """Give fields of a row other values; those that have them already are left alone."""
        before = fields_of(row)
        for name, value in values.items():
            setattr(row, name, value)
        after = fields_of(row)
        names = [name for name in values if before[name] != after[name]]
        if names:
            row.save(update_fields=[*names, "updated_at"] if isinstance(row, KnownBrand) else names)
            self._note(row, {name: before[name] for name in names}, {name: after[name] for name in names})

    def remove(self, row: models.Model) -> None:
        before = fields_of(row)
        self._note(row, before, None)
        row.delete()

    def put_back(self, decision: Decision) -> None:
        """Reverse all changes of a decision, last one first; rows of one model that were made together go together.

        Raises ``ConflictError`` naming what came after it and stands in the way.
        """
        for (name, what), changes in itertools.groupby(reversed(decision.changes), key=_sort):
            model = apps.get_model("brands", name)
            if what is _MADE:
                self._unmake(model, [change["pk"] for change in changes], decision)
            elif what is _REMOVED:
                self._make_again(model, list(changes))
            else:
                for change in changes:
                    self._change_back(model, change, decision)

    def _change_back(self, model: type[models.Model], change: Change, decision: Decision) -> None:
        row = model._default_manager.select_for_update().filter(pk=change["pk"]).first()
        if row is None:
            raise _gone_since(decision)
        now = fields_of(row)
        if any(now[name] != value for name, value in change["after"].items()):
            raise _changed_since(decision, change)
        self.change(row, **_values(model, change["pk"], change["before"]))

    def _make_again(self, model: type[models.Model], changes: Sequence[Change]) -> None:
        if model._default_manager.filter(pk__in=[change["pk"] for change in changes]).exists():
            raise ConflictError("it cannot be undone: what it removed is there again")
        label = model._meta.label_lower
        records = [{"model": label, "pk": change["pk"], "fields": change["before"]} for change in changes]
        for made in serializers.deserialize("python", records):
            made.save(force_insert=True)  # as it was, times of making included
            self._note(made.object, before=None, after=fields_of(made.object))

    def _unmake(self, model: type[models.Model], keys: Sequence[Any], decision: Decision) -> None:
        """Remove rows; brands that runs have seen meanwhile stay, unconfirmed."""
        found = model._default_manager.select_for_update().order_by("pk").in_bulk(keys)
        rows = {_plain({"pk": key})["pk"]: row for key, row in found.items()}
        if len(rows) < len(keys):
            raise _gone_since(decision)
        kept: set[Any] = set()
        if model is KnownBrand:
            later = _later_about(set(map(str, keys)), decision)
            if later is not None:
                raise DecidedSince(f"'{later.sentence}' came after it and builds on it: undo that first", later)
            kept = _needed(keys)
        for key in keys:
            if key in kept:
                self.change(rows[key], confirmed=False)
            else:
                self._note(rows[key], fields_of(rows[key]), None)
        model._default_manager.filter(pk__in=[key for key in keys if key not in kept]).delete()

    def _note(self, row: models.Model, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
        primary = _plain({"pk": row.pk})["pk"]
        self.changes.append({"model": row._meta.model_name, "pk": primary, "before": before, "after": after})


def fields_of(row: models.Model) -> dict[str, Any]:
    """Every field of a row as JSON holds it."""
    return _plain(serializers.serialize("python", [row])[0]["fields"])


def undoings() -> dict[int, int]:
    """Decisions that were undone by their ids, with the id of the undoing (which may have been undone itself)."""
    return dict(Decision.objects.exclude(undoes=None).order_by().values_list("undoes_id", "id"))


def is_in_force(decision_id: int, undone: Mapping[int, int]) -> bool:
    """Whether what was decided holds: nobody undid it, or the undoing was undone. ``undone`` is :func:`undoings`."""
    later = undone.get(decision_id)
    return later is None or not is_in_force(later, undone)


def _values(model: type[models.Model], primary: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """Values as a model's attributes hold them, of fields as JSON holds them."""
    record = {"model": model._meta.label_lower, "pk": primary, "fields": fields}
    row = next(iter(serializers.deserialize("python", [record]))).object
    return {name: getattr(row, name) for name in fields}


def _sort(change: Change) -> tuple[str, str]:
    """The model of a change, and what kind of change it is."""
    what = _MADE if change["before"] is None else _REMOVED if change["after"] is None else _CHANGED
    return change["model"], what


def _needed(brands: Sequence[str]) -> set[str]:
    """Those of some brands to which something refers that no undoing takes away."""
    parts = (SourceBrandSighting, BrandAppearance, BrandAlias)
    found = {brand for part in parts for brand in part.objects.filter(brand_id__in=brands).values_list("brand_id")}
    found |= set(KnownBrand.objects.filter(merged_into_id__in=brands).values_list("merged_into_id"))
    return {str(brand) for (brand,) in found}


def _gone_since(decision: Decision) -> ConflictError:
    return ConflictError(f"'{decision.sentence}' cannot be undone: what it changed is gone since")


def _changed_since(decision: Decision, change: Change) -> ConflictError:
    later = _later_about({str(change["pk"])}, decision)
    reason = f"'{later.sentence}' changed the same since: undo that first" if later else "it was changed since"
    return DecidedSince(f"'{decision.sentence}' cannot be undone: {reason}", later)


def _later_about(primaries: Set[str], decision: Decision) -> Decision | None:
    """The newest decision after this one, in force, that touches one of some rows or refers to it."""
    return next((later for later in _later(decision) if _mentions(later.changes, primaries)), None)


def _later(decision: Decision) -> Iterable[Decision]:
    found = Decision.objects.filter(id__gt=decision.id).exclude(kind=DecisionKind.UNDO).order_by("-id")
    undone = undoings()
    return (later for later in found if is_in_force(later.id, undone))


def _mentions(changes: list[Change], primaries: Set[str]) -> bool:
    return any(
        str(change["pk"]) in primaries
        or any(str(value) in primaries for value in {**(change["before"] or {}), **(change["after"] or {})}.values())
        for change in changes
    )


class _Exact(DjangoJSONEncoder):
    """Django's cuts times to milliseconds: put back, they would be others."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(fields, cls=_Exact))
    return plain
