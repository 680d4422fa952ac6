"""Which group an item belongs to, so that one decision settles all that people would decide alike.

The same text (folded: case, accents, spacing and confused letters aside) is one group. So are spellings a few edits
apart, as misreadings are, and pictures that look the same though they were read differently. Short texts need to be
the same: one edit makes another word of them.
"""

from __future__ import annotations

from collections.abc import Sequence

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
_NO_PICTURE = 0


class Groups:
    """All groups, to put the items of one source into; new ones are made in the database as they are needed.

    A group is compared by every text its items have, each with the picture of its longest-seen item.
    """

    def __init__(self) -> None:
        rows = ReviewItem.objects.select_related("group").order_by("group_id", "folded", "-seconds")
        self._groups: list[ReviewGroup] = []
        self._texts: list[str] = []
        self._lengths: list[int] = []
        self._pictures: list[int] = []
        self._exact: dict[str, ReviewGroup] = {}
        for item in rows.distinct("group_id", "folded"):
            self._add(item, item.group)

    def place(self, item: ReviewItem) -> ReviewGroup:
        """The group of an item, found or made; it is part of what later items are compared with."""
        found = self._exact.get(item.folded) or self._alike(item)
        if found is None:
            found = ReviewGroup.objects.create(text=item.text, folded=item.folded)
        self._add(item, found)
        return found

    def _add(self, item: ReviewItem, group: ReviewGroup) -> None:
        self._exact.setdefault(item.folded, group)
        self._groups.append(group)
        self._texts.append(item.folded)
        self._lengths.append(len(item.folded))
        self._pictures.append(int(item.crop_hash, 16) if item.crop_hash else _NO_PICTURE)

    def _alike(self, item: ReviewItem) -> ReviewGroup | None:
        """The group that an item is most like, spelling before picture; None where all are something else."""
        if not self._groups:
            return None
        similarity = process.cdist([item.folded], self._texts, scorer=Levenshtein.normalized_similarity)[0]
        long_enough = np.minimum(self._lengths, len(item.folded)) >= _SHORTEST_ALIKE
        alike = np.where((similarity >= _ALIKE_SPELLING) & long_enough, 1 + similarity, 0.0)
        if item.crop_hash:
            pictures = np.array(self._pictures, dtype=np.uint64)
            apart = np.bitwise_count(pictures ^ np.uint64(int(item.crop_hash, 16)))
            near = (apart <= _SAME_PICTURE) | ((apart <= _ALIKE_PICTURE) & (similarity >= _SOMEWHAT_ALIKE))
            alike = np.maximum(alike, np.where(near & (pictures != _NO_PICTURE), 1 - apart / 64, 0.0))
        best = int(np.argmax(alike))
        return self._groups[best] if alike[best] > 0 else None


def groups_forget_empty(groups: Sequence[int]) -> None:
    """Remove groups that hold nothing any more."""
    ReviewGroup.objects.filter(id__in=groups, items=None).delete()
