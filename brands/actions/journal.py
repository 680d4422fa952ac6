"""Changing rows in a way that can be put back exactly, however much later.

A change is ``{"model", "pk", "before", "after"}``, its fields as JSON values before and after it; ``before``
is null for a row that was made and ``after`` for one that was removed, which hold all fields.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from django.apps import apps
from django.core import serializers
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from brands.models import Decision, DecisionKind, KnownBrand
from detect.errors import ConflictError

Row = TypeVar("Row", bound=models.Model)
Change = dict[str, Any]


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
        """Reverse all changes of a decision, last one first.

        Raises ``ConflictError`` naming what came after it and stands in the way.
        """
        for change in reversed(decision.changes):
            self._reverse(change, decision)

    def _reverse(self, change: Change, decision: Decision) -> None:
        model = apps.get_model("brands", change["model"])
        row = model._default_manager.select_for_update().filter(pk=change["pk"]).first()
        before, after = change["before"], change["after"]
        if after is None:
            self._make_again(model, change, row)
        elif row is None:
            raise ConflictError(f"'{decision.sentence}' cannot be undone: what it changed is gone since")
        elif before is None:
            self._unmake(row, decision)
        else:
            now = fields_of(row)
            if any(now[name] != value for name, value in after.items()):
                raise _changed_since(decision, change)
            self.change(row, **_values(model, change["pk"], before))

    def _make_again(self, model: type[models.Model], change: Change, row: models.Model | None) -> None:
        if row is not None:
            raise ConflictError("it cannot be undone: what it removed is there again")
        record = {"model": model._meta.label_lower, "pk": change["pk"], "fields": change["before"]}
        made = next(iter(serializers.deserialize("python", [record])))
        made.save()  # as it was, times of making included
        self._note(made.object, before=None, after=fields_of(made.object))

    def _unmake(self, row: models.Model, decision: Decision) -> None:
        """Remove a row; a brand that runs have seen meanwhile stays, unconfirmed."""
        if isinstance(row, KnownBrand):
            later = _later_about(str(row.pk), decision)
            if later is not None:
                raise DecidedSince(f"'{later.sentence}' came after it and builds on it: undo that first", later)
            if row.sightings.exists() or row.appearances.exists() or row.aliases.exists() or row.merged.exists():
                self.change(row, confirmed=False)
                return
        self.remove(row)

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


def _changed_since(decision: Decision, change: Change) -> ConflictError:
    later = _later_about(str(change["pk"]), decision)
    reason = f"'{later.sentence}' changed the same since: undo that first" if later else "it was changed since"
    return DecidedSince(f"'{decision.sentence}' cannot be undone: {reason}", later)


def _later_about(primary: str, decision: Decision) -> Decision | None:
    """The newest decision after this one, in force, that touches a row or refers to it."""
    return next((later for later in _later(decision) if _mentions(later.changes, primary)), None)


def _later(decision: Decision) -> Iterable[Decision]:
    found = Decision.objects.filter(id__gt=decision.id).exclude(kind=DecisionKind.UNDO).order_by("-id")
    undone = undoings()
    return (later for later in found if is_in_force(later.id, undone))


def _mentions(changes: list[Change], primary: str) -> bool:
    return any(
        str(change["pk"]) == primary
        or primary in map(str, {**(change["before"] or {}), **(change["after"] or {})}.values())
        for change in changes
    )


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(fields, cls=DjangoJSONEncoder))
    return plain
