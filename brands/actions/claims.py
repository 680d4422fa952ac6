"""Review groups as somebody saw them, and making what they hold mean a brand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from brands.actions.journal import DecidedSince, Journal
from brands.models import (
    BrandAlias,
    Decision,
    ItemState,
    KnownBrand,
    RejectedText,
    ResolvedText,
    ReviewGroup,
    ReviewItem,
    Source,
)
from brands.models.known import LONGEST_NAME, name_key
from brands.selectors import brand_roots, brands_by_text
from brands.services import brand_new_id
from detect.errors import ConfigError, ConflictError, NotFoundError


@dataclass(frozen=True)
class GroupRef:
    """A review group as it was shown: a decision on another ``revision`` is refused."""

    id: int
    revision: int


@dataclass(frozen=True)
class ClaimedGroup:
    """A group with its open items, longest first; nobody else changes it meanwhile."""

    group: ReviewGroup
    items: list[ReviewItem]


def groups_claim(refs: Sequence[GroupRef]) -> list[ClaimedGroup]:
    """The groups, unchanged since they were shown. Raises ``ConflictError`` saying who decided what meanwhile."""
    if not refs:
        raise ConfigError("no group was chosen")
    groups = ReviewGroup.objects.select_for_update().order_by("id").in_bulk([ref.id for ref in refs])
    items: dict[int, list[ReviewItem]] = {ref.id: [] for ref in refs}
    opened = ReviewItem.objects.filter(group_id__in=items, state=ItemState.OPEN).order_by("-seconds", "id")
    for item in opened.select_related("brand"):
        items[item.group_id].append(item)
    for ref in refs:
        group = groups.get(ref.id)
        if group is None or group.revision != ref.revision or not items[ref.id]:
            raise _decided_meanwhile(ref, group)
    return [ClaimedGroup(groups[ref.id], items[ref.id]) for ref in refs]


def brand_get(brand_id: UUID) -> KnownBrand:
    """A brand, or the one it was merged into. Raises ``NotFoundError``."""
    wanted = brand_roots().get(brand_id, brand_id)
    brand = KnownBrand.objects.select_for_update().filter(id=wanted).first()
    if brand is None:
        raise NotFoundError(f"There is no brand {brand_id}.")
    return brand


def brand_named(name: str) -> KnownBrand | None:
    """The brand that this name or alias means."""
    found = brands_by_text([name_key(name)])
    return brand_get(next(iter(found.values()))) if found else None


def brand_make(journal: Journal, name: str) -> KnownBrand:
    """A confirmed brand of that name: a new one, or one that waited for a person. Raises ``ConfigError``."""
    found = brand_named(checked_name(name))
    if found is not None:
        journal.change(found, confirmed=True)
        return found
    key = name_key(name)
    return journal.create(
        KnownBrand(
            id=brand_new_id(key),
            canonical_name=name.strip(),
            normalized_name=key,
            first_source=Source.MANUAL,
            confirmed=True,
        )
    )


def checked_name(name: str) -> str:
    """A name without the spaces around it. Raises ``ConfigError`` for what cannot be one."""
    name = name.strip()
    if not name_key(name):
        raise ConfigError(f"'{name}' has no letter or digit: a name needs one")
    if len(name) > LONGEST_NAME:
        raise ConfigError(f"a name has at most {LONGEST_NAME} letters, this one has {len(name)}")
    return name


def text_claim(journal: Journal, brand: KnownBrand, text: str) -> None:
    """Make a text mean ``brand`` wherever it is read. Raises ``ConflictError`` where it means another."""
    key = name_key(text)
    _unreject(journal, [key])
    other = brand_named(text)
    if other is None:
        journal.create(BrandAlias(brand=brand, text=text[:LONGEST_NAME], normalized=key))
    elif other.id != brand.id:
        if other.confirmed:
            raise ConflictError(f"'{text}' is {other.canonical_name} already: merge the two brands if they are one")
        journal.change(other, merged_into=brand)


def items_claim(journal: Journal, brand: KnownBrand, items: Iterable[ReviewItem]) -> None:
    """Make items mean ``brand`` in their own sources, where its names do not say so already."""
    items = list(items)
    for proposed in {item.brand_id: item.brand for item in items if item.brand is not None}.values():
        root = brand_get(proposed.id)
        if root.id != brand.id:
            journal.change(root, merged_into=brand)
    _unreject(journal, [item.normalized for item in items])
    meant = brands_by_text(item.normalized for item in items)
    wanted = {(item.source_asset_id, item.normalized) for item in items if meant.get(item.normalized) != brand.id}
    known = {
        (row.source_asset_id, row.text): row
        for row in ResolvedText.objects.filter(text__in={text for _, text in wanted}).order_by("id")
    }
    for asset, text in sorted(wanted, key=str):
        row = known.get((asset, text))
        if row is None:
            journal.create(ResolvedText(source_asset_id=asset, text=text, brand=brand))
        else:
            journal.change(row, brand=brand)


def _unreject(journal: Journal, keys: Iterable[str]) -> None:
    for row in RejectedText.objects.filter(text__in=set(keys)).order_by("text"):
        journal.remove(row)


def _decided_meanwhile(ref: GroupRef, group: ReviewGroup | None) -> ConflictError:
    last = Decision.objects.filter(groups__contains=[ref.id]).first()
    if group is None or last is None:
        return ConflictError("this group has changed since it was shown: look at it again")
    who = last.by.removeprefix("user:")
    return DecidedSince(f"{who} decided on '{group.text}' meanwhile: {last.sentence}", last)
