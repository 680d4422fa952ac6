"""Brands that may be one: spelled alike, in another order of words, or one within the other.

Names are compared as texts read from pictures are (``detect/matching.py``): case, accents, spacing and confused letters
aside. What is said of two names is kept until a name changes; which brands they are now, and which pairs people said
are not the same, is looked up each time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

import numpy as np
from django.db.models import Count, Max, Q
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from brands.catalog import brands_listed, in_state
from brands.models import BrandAlias, DistinctBrands, KnownBrand, RejectedText
from brands.selectors import brand_roots
from brands.totals import seconds_by_brand
from detect.matching import fold, words

#: Shorter names need to be the same: one edit makes another word of them.
_SHORTEST_ALIKE = 5
_ALIKE = 0.8
#: A shorter name is seldom the same brand because it stands in the other, as words or as letters set tight,
_SHORTEST_WITHIN, _SHORTEST_TIGHT = 4, 6
#: and a word that stands in more names than these is of no brand's own (Bank, Sport).
_MOST_WITHIN = 8
_ROWS_AT_ONCE = 400

Pair = tuple[UUID, UUID]


@dataclass(frozen=True)
class Cluster:
    """Brands that may be one, the one with most seconds first.

    ``why`` says of each other one how it is like the first; ``seconds`` are those of the others.
    """

    brands: tuple[UUID, ...]
    why: Mapping[UUID, str]
    seconds: float


def clusters() -> list[Cluster]:
    """All clusters, those first that move most seconds when they are merged. Rejected brands are in none."""
    seconds: defaultdict[UUID, float] = defaultdict(float)
    roots = brand_roots()
    for brand, own in seconds_by_brand().items():
        seconds[roots.get(brand, brand)] += own
    likeness: defaultdict[UUID, dict[UUID, str]] = defaultdict(dict)
    apart = _apart(roots)
    for (one, other), why in _alike().items():
        first, second = roots.get(one, one), roots.get(other, other)
        if first != second and frozenset((first, second)) not in apart:
            likeness[first].setdefault(second, why)
            likeness[second].setdefault(first, why)
    return sorted(_around(likeness, seconds), key=lambda cluster: (-cluster.seconds, str(cluster.brands[0])))


def alike_to(brand: UUID) -> dict[UUID, str]:
    """Brands that may be the same as one, with how they are alike."""
    roots = brand_roots()
    apart = _apart(roots)
    found: dict[UUID, str] = {}
    for pair, why in _alike().items():
        first, second = (roots.get(one, one) for one in pair)
        if brand in (first, second) and first != second and frozenset((first, second)) not in apart:
            found.setdefault(second if first == brand else first, why)
    return found


def _around(likeness: Mapping[UUID, Mapping[UUID, str]], seconds: Mapping[UUID, float]) -> Iterator[Cluster]:
    """Each brand with those like it, the weightiest first: what is like what is like it may be something else."""
    left = set(likeness)
    for first in sorted(likeness, key=lambda brand: (-seconds.get(brand, 0.0), str(brand))):
        others = [brand for brand in likeness[first] if brand in left and brand != first]
        if first not in left or not others:
            continue
        others.sort(key=lambda brand: (-seconds.get(brand, 0.0), str(brand)))
        left -= {first, *others}
        moved = sum(seconds.get(brand, 0.0) for brand in others)
        yield Cluster((first, *others), {brand: likeness[first][brand] for brand in others}, moved)


def _apart(roots: Mapping[UUID, UUID]) -> set[frozenset[UUID]]:
    """Pairs that people said are not the same, as the brands they are now."""
    pairs = DistinctBrands.objects.values_list("first_id", "second_id")
    return {frozenset((roots.get(first, first), roots.get(second, second))) for first, second in pairs}


def _alike() -> Mapping[Pair, str]:
    """Pairs of brands alike by name, with how they are; worked out once and kept until a name changes."""
    version = (
        *KnownBrand.objects.aggregate(count=Count("id"), changed=Max("updated_at")).values(),
        *BrandAlias.objects.aggregate(count=Count("id"), newest=Max("id")).values(),
        *RejectedText.objects.aggregate(count=Count("id"), newest=Max("id")).values(),
    )
    return _pairs(version)


@lru_cache(maxsize=1)
def _pairs(version: tuple[object, ...]) -> Mapping[Pair, str]:  # noqa: ARG001 - what it was made from
    brands = in_state(brands_listed(), None).filter(Q(is_rejected=False)).order_by("id")
    names = dict(brands.values_list("id", "canonical_name"))
    aliases = BrandAlias.objects.filter(brand_id__in=names).order_by("id").values_list("brand_id", "text")
    return pairs_alike(names, aliases)


def pairs_alike(names: Mapping[UUID, str], aliases: Iterable[tuple[UUID, str]] = ()) -> dict[Pair, str]:
    """Pairs of ids whose names are alike, with how, for people. Other spellings count where they are the same."""
    found: dict[Pair, str] = {}
    spelled = [(brand, text) for brand, text in (*names.items(), *aliases) if fold(text)]
    _add(found, _same((brand, fold(text)) for brand, text in spelled), "the same but for case, accents or spacing")
    _add(found, _same((brand, " ".join(sorted(words(text)))) for brand, text in spelled), "the same words")
    _add(found, _within(names), "one name is in the other")
    _add(found, _close(names), "spelled alike")
    return found


def _add(found: dict[Pair, str], pairs: Iterable[Pair], why: str) -> None:
    for one, other in pairs:
        found.setdefault((one, other) if one < other else (other, one), why)


def _same(keyed: Iterable[tuple[UUID, str]]) -> Iterator[Pair]:
    by_key: defaultdict[str, dict[UUID, None]] = defaultdict(dict)
    for brand, key in keyed:
        by_key[key][brand] = None
    for brands in by_key.values():
        first, *others = brands
        yield from ((first, other) for other in others)


def _within(names: Mapping[UUID, str]) -> Iterator[Pair]:
    """Names that another one begins or ends with."""
    by_fold: defaultdict[str, list[UUID]] = defaultdict(list)
    for brand, name in names.items():
        by_fold[fold(name)].append(brand)
    longer: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for brand, name in names.items():
        for piece in _pieces(name):
            for shorter in by_fold.get(piece, ()):
                longer[shorter].append(brand)
    for shorter, brands in longer.items():
        if len(brands) <= _MOST_WITHIN:
            yield from ((shorter, brand) for brand in brands)


def _pieces(name: str) -> set[str]:
    """Beginnings and ends of a name that could be a name: whole words, and long runs of letters."""
    parts, whole = words(name), fold(name)
    cuts = {len("".join(parts[:end])) for end in range(1, len(parts))}
    tight = range(_SHORTEST_TIGHT, len(whole))
    beginnings = {whole[:cut] for cut in cuts if cut >= _SHORTEST_WITHIN} | {whole[:cut] for cut in tight}
    ends = {whole[cut:] for cut in cuts if len(whole) - cut >= _SHORTEST_WITHIN} | {whole[-cut:] for cut in tight}
    return beginnings | ends


def _close(names: Mapping[UUID, str]) -> Iterator[Pair]:
    """Names a few edits apart. Names are compared by length, for much longer ones cannot be so near."""
    long_enough = [(fold(name), brand) for brand, name in names.items() if len(fold(name)) >= _SHORTEST_ALIKE]
    long_enough.sort(key=lambda entry: (len(entry[0]), entry))
    texts = [text for text, _ in long_enough]
    lengths = np.array([len(text) for text in texts])
    for start in range(0, len(texts), _ROWS_AT_ONCE):
        stop = min(start + _ROWS_AT_ONCE, len(texts))
        reach = int(np.searchsorted(lengths, lengths[stop - 1] / _ALIKE, side="right"))
        similarity = process.cdist(
            texts[start:stop],
            texts[start:reach],
            scorer=Levenshtein.normalized_similarity,
            score_cutoff=_ALIKE,
            dtype=np.float32,
        )
        for row, column in zip(*np.nonzero(np.triu(similarity, k=1)), strict=True):
            yield long_enough[start + row][1], long_enough[start + column][1]
