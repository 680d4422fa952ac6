"""Whether a text that was read is the name of a brand.

Texts and names are compared in a *folded* form: accents, case, spacing and punctuation removed, and characters that
OCR confuses (0/O, 1/l/I/|) folded together. Five rules, strongest first:

``exact``    the folded text, or a run of whole words of it, equals the folded name;
``inside``   a long name begins or ends a word (lettering set tight: ``EmiratesFLYBETTER``); never a short one;
``fuzzy``    few edits away, fewer the shorter the name (normalised Levenshtein similarity);
``likely``   recognition was unsure, and what else it may have seen spells the name (``detect/weak_readings.py``);
``partial``  a long piece of the name from its beginning or its end, as boards cut by the picture's edge show, or a
             longer one without either, where a person covers the other end; one letter of most of it may be misread.

A piece that cuts a word of the name in two and has another word whole (``brook Dairy`` of Fennbrook Dairy) is hardly of
another text: :meth:`NameIndex.match_cut` tells it by itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Literal

import msgspec
from rapidfuzz.distance import Levenshtein

from detect.types import KnownBrandRecord

Rule = Literal["exact", "inside", "fuzzy", "likely", "partial"]

_CONFUSED = str.maketrans({"0": "o", "1": "i", "l": "i", "|": "i", "!": "i"})
#: Folded letters that stand for several.
CONFUSED_LETTERS = "io"
_MIN_INSIDE_LETTERS = 6
_MIN_PARTIAL_LETTERS = 4
_MIN_PARTIAL_SHARE = 0.5
_MIN_INNER_LETTERS, _MIN_INNER_SHARE = 5, 0.6
_MIN_MISREAD_SHARE = 0.7
_MIN_CUT_LETTERS, _MIN_CUT_SHARE = 8, 0.6
_STRENGTH: dict[str, int] = {"exact": 4, "inside": 3, "fuzzy": 2, "likely": 1, "partial": 0}


class TextMatch(msgspec.Struct, frozen=True):
    """A proposed brand for a text: its canonical name, similarity 0-1 and the rule that found it."""

    brand: str
    similarity: float
    rule: Rule


@lru_cache(maxsize=65536)
def normalize(text: str) -> str:
    """Letters and digits of a text without case or accents: what makes two spellings the same name."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed.casefold() if char.isalnum())


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """:func:`normalize` with characters that OCR confuses made equal."""
    # Letters are folded before lower-casing hides which of them look alike: I, l and 1 do, i does too once folded.
    return normalize(text.replace("|", "l").replace("!", "l")).translate(_CONFUSED)


@lru_cache(maxsize=65536)
def words(text: str) -> tuple[str, ...]:
    """Folded words of a text, in order."""
    return tuple(folded for part in re.split(r"[\W_]+", text.replace("|", "l")) if (folded := fold(part)))


class NameIndex:
    """Names and aliases of known brands, prepared for matching."""

    def __init__(self, brands: Iterable[KnownBrandRecord]) -> None:
        self._names: dict[str, str] = {}
        self._several_words: dict[tuple[str, ...], str] = {}
        for brand in brands:
            for spelling in (brand.name, *brand.aliases):
                if folded := fold(spelling):
                    self._names.setdefault(folded, brand.name)
                if len(words(spelling)) > 1:
                    self._several_words.setdefault(words(spelling), brand.name)

    def __len__(self) -> int:
        return len(self._names)

    @property
    def spellings(self) -> Mapping[str, str]:
        """Brands by their folded names and aliases."""
        return self._names

    def match(self, text: str, *, min_similarity: float, allow_partial: bool = True) -> TextMatch | None:
        """The best known brand for ``text``, or None.

        ``min_similarity`` is the lowest similarity of a fuzzy match; short names ask for more by themselves.
        """
        parts = words(text)
        if not parts:
            return None
        runs = _runs(parts)
        found = self._exact(runs)
        if found is not None:
            return found
        whole = "".join(parts)
        candidates = [
            *self._inside(parts),
            *self._fuzzy(runs, min_similarity),
            *(self._partial(whole) if allow_partial else ()),
        ]
        return max(candidates, key=lambda match: (_STRENGTH[match.rule], match.similarity, match.brand), default=None)

    def match_cut(self, text: str) -> TextMatch | None:
        """The brand of whose name, of several words, ``text`` lacks only a part of the first word or of the last."""
        whole, found = fold(text), []
        for parts, brand in self._several_words.items():
            name = "".join(parts)
            missing = len(name) - len(whole)
            first_cut = name.endswith(whole) and 0 < missing < len(parts[0])
            last_cut = name.startswith(whole) and 0 < missing < len(parts[-1])
            if (first_cut or last_cut) and len(whole) >= max(_MIN_CUT_LETTERS, _MIN_CUT_SHARE * len(name)):
                found.append(TextMatch(brand, round(len(whole) / len(name), 3), "partial"))
        return found[0] if len({match.brand for match in found}) == 1 else None

    def piece_of(self, text: str) -> str | None:
        """The brand whose name contains ``text``, or None."""
        folded = fold(text)
        return next((brand for name, brand in self._names.items() if folded and folded in name), None)

    def suggest(self, text: str, *, limit: int = 3, min_similarity: float = 0.5) -> list[tuple[str, float]]:
        """Known brands that ``text`` resembles most, ``(name, similarity)``, best first, each brand once."""
        folded = fold(text)
        best: dict[str, float] = {}
        for name, brand in self._names.items():
            similarity = Levenshtein.normalized_similarity(folded, name)
            if similarity >= min_similarity:
                best[brand] = max(similarity, best.get(brand, 0.0))
        ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
        return [(name, round(similarity, 3)) for name, similarity in ranked[:limit]]

    def _exact(self, runs: list[str]) -> TextMatch | None:
        hits = [run for run in runs if run in self._names]
        return TextMatch(self._names[max(hits, key=len)], 1.0, "exact") if hits else None

    def _inside(self, parts: tuple[str, ...]) -> list[TextMatch]:
        return [
            TextMatch(brand, round(len(name) / len(part), 3), "inside")
            for part in parts
            for name, brand in self._names.items()
            if len(name) >= _MIN_INSIDE_LETTERS and (part.startswith(name) or part.endswith(name))
        ]

    def _fuzzy(self, runs: list[str], min_similarity: float) -> list[TextMatch]:
        found = []
        for name, brand in self._names.items():
            needed = max(min_similarity, _needed_similarity(len(name)))
            for run in runs:
                if abs(len(run) - len(name)) <= 2:
                    similarity = round(Levenshtein.normalized_similarity(run, name), 3)
                    if similarity >= needed:
                        found.append(TextMatch(brand, similarity, "fuzzy"))
        return found

    def _partial(self, whole: str) -> list[TextMatch]:
        """Brands of which ``whole`` is a piece, unless the piece could be of two brands."""
        found = []
        for name, brand in self._names.items():
            share = len(whole) / len(name)
            enough = len(whole) >= _MIN_PARTIAL_LETTERS and _MIN_PARTIAL_SHARE <= share < 1
            at_end = enough and (name.startswith(whole) or name.endswith(whole))
            long = len(whole) >= _MIN_INNER_LETTERS and _MIN_INNER_SHARE <= share < 1
            if at_end or (long and whole in name):
                found.append(TextMatch(brand, round(share, 3), "partial"))
            elif long and share >= _MIN_MISREAD_SHARE and _misread(whole, name) == 1:
                found.append(TextMatch(brand, round(share - 1 / len(name), 3), "partial"))
        return found if len({match.brand for match in found}) == 1 else []


def _misread(piece: str, name: str) -> int:
    """How many letters of the beginning or the end of a name a piece as long as that has otherwise."""
    ends = name[: len(piece)], name[-len(piece) :]
    return min(sum(one != other for one, other in zip(piece, end, strict=True)) for end in ends)


def _needed_similarity(letters: int) -> float:
    """Lowest similarity that a name of so many letters may match with: none below 5 letters, one edit from 5 on."""
    if letters < 5:
        return 1.0
    return 0.8 if letters < 9 else 0.75


def _runs(parts: tuple[str, ...]) -> list[str]:
    """All runs of up to five consecutive words, and the whole text, set tight."""
    short = ["".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, min(len(parts), i + 5) + 1)]
    return short if len(parts) <= 5 else [*short, "".join(parts)]
