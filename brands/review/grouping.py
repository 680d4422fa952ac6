"""Which group an item belongs to, so that one decision settles all that people would decide alike.

The same text (folded: case, accents, spacing and confused letters aside) is one group. So are spellings a few edits
apart, as misreadings are, and pictures that look the same though they were read differently. Short texts need to be
the same: one edit makes another word of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from brands.models import ReviewGroup, ReviewItem

_SHORTEST_ALIKE = 5
_ALIKE_SPELLING = 0.8
#: Different bits of two 64-bit perceptual hashes: pictures so near are the same one, read however they were,
_SAME_PICTURE = 4
#: and so near where the texts are somewhat alike too.
_ALIKE_PICTURE = 10
_SOMEWHAT_ALIKE = 0.5


@dataclass
class _Place:
    """A group as later items are compared with it: the texts and pictures of its items."""

    group: ReviewGroup
    folded: str
    crop_hash: int | None


class Groups:
    """All groups, to put the items of one source into; new ones are made in the database as they are needed."""

    def __init__(self) -> None:
        rows = ReviewItem.objects.select_related("group").order_by("group_id", "-seconds")
        rows = rows.distinct("group_id", "folded").order_by("group_id", "folded", "-seconds")
        self._places = [_Place(item.group, item.folded, _number(item.crop_hash)) for item in rows]
        self._exact = {place.folded: place.group for place in reversed(self._places)}

    def place(self, item: ReviewItem) -> ReviewGroup:
        """The group of an item, found or made; it is part of what later items are compared with."""
        found = self._exact.get(item.folded) or self._alike(item)
        if found is None:
            found = ReviewGroup.objects.create(text=item.text, folded=item.folded)
        self._exact.setdefault(item.folded, found)
        self._places.append(_Place(found, item.folded, _number(item.crop_hash)))
        return found

    def _alike(self, item: ReviewItem) -> ReviewGroup | None:
        if not self._places:
            return None
        similarity = process.cdist(
            [item.folded], [place.folded for place in self._places], scorer=Levenshtein.normalized_similarity
        )[0]
        alike = [_alike(item, place, value) for place, value in zip(self._places, similarity, strict=True)]
        best = int(np.argmax(alike))
        return self._places[best].group if alike[best] > 0 else None


def _alike(item: ReviewItem, place: _Place, similarity: float) -> float:
    """How much an item is like what a group holds, above 1 for a spelling; 0 where they are two things."""
    if similarity >= _ALIKE_SPELLING and min(len(item.folded), len(place.folded)) >= _SHORTEST_ALIKE:
        return 1 + similarity
    own = _number(item.crop_hash)
    if own is None or place.crop_hash is None:
        return 0.0
    apart = (own ^ place.crop_hash).bit_count()
    near = apart <= _SAME_PICTURE or (apart <= _ALIKE_PICTURE and similarity >= _SOMEWHAT_ALIKE)
    return 1 - apart / 64 if near else 0.0


def _number(crop_hash: str) -> int | None:
    return int(crop_hash, 16) if crop_hash else None


def groups_forget_empty(groups: Sequence[int]) -> None:
    """Remove groups that hold nothing any more."""
    ReviewGroup.objects.filter(id__in=groups, items=None).delete()
