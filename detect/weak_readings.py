"""How well a name explains a reading that recognition was not sure of.

A weak reading keeps what else each step of recognition may have seen (``Reading.lattice``). A name is weighed against
it by the probability that connectionist temporal classification gives the name's letters, over the whole line or a
run of it, relative to the free reading's: its *cost* in nats, 0 where the name is the free reading. A letter that was
read surely and that the name does not have costs much, one that was a near second costs little.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detect.matching import CONFUSED_LETTERS, TextMatch, fold
from detect.types import LatticeStep, Reading, TextTrack

Floats = npt.NDArray[np.float64]

#: What one letter that is where a name has it speaks for the name, in nats: one of about sixteen as common.
LETTER_EVIDENCE = 2.8

# What is left of a step's probability beside its likely characters is spread over about so many letters.
_OTHERS = 40
# Least share of any letter: recognition is sometimes sure of what is wrong.
_FLOOR = 0.002
# How likely a name begins or ends inside a word of the line (lettering set tight).
_INSIDE = 0.02
# Letters that fold together stand beside one another in names (ILI) without being one letter read twice.
_TWIN = 0.3
# A name costs at most so much a letter: below seven letters not one may surely be another.
_MOST_COST = 0.7
# How much likelier a brand must be than the next, nats.
_CLEAR = 2.0
# What a further reading of the same track adds of its own evidence.
_AGREEING = 0.25
# Names of which fewer letters than this share occur anywhere in the reading are not weighed.
_LEAST_SHARED = 0.6


class NameLattice:
    """Folded spellings, prepared to be weighed against weak readings."""

    def __init__(self, spellings: Sequence[str]) -> None:
        self.spellings = list(spellings)
        letters = sorted(set("".join(spellings)))
        self._codes = {letter: code for code, letter in enumerate(letters)}
        longest = max(map(len, spellings), default=0)
        self._lengths = np.array([len(spelling) for spelling in spellings], np.intp)
        # Beyond a name's end stands a code of its own, which no step emits.
        self._padded = np.full((len(spellings), longest), len(letters), np.intp)
        for row, spelling in enumerate(spellings):
            self._padded[row, : len(spelling)] = [self._codes[letter] for letter in spelling]
        same = self._padded[:, 1:] == self._padded[:, :-1]
        twins = np.isin(
            self._padded[:, 1:], [self._codes[letter] for letter in CONFUSED_LETTERS if letter in self._codes]
        )
        self._changes = np.ones(self._padded.shape)
        self._changes[:, 1:] = np.where(same, np.where(twins, _TWIN, 0.0), 1.0)

    def costs(self, lattice: Sequence[LatticeStep]) -> dict[str, float]:
        """Cost in nats of each spelling that shares enough letters with the reading."""
        letters, gaps, blanks, spaces = self._emissions(lattice)
        occurs: npt.NDArray[np.bool_] = np.any(letters > 0.02, axis=0)
        shared = occurs[self._padded]
        inside = np.arange(self._padded.shape[1]) < self._lengths[:, None]
        chosen = np.flatnonzero((shared & inside).sum(axis=1) >= _LEAST_SHARED * self._lengths)
        if not len(chosen):
            return {}
        begins, ends = _edges(blanks, spaces), _edges(blanks[::-1], spaces[::-1])[::-1]
        likelihood = self._forward(chosen, letters, gaps, begins, ends)
        return {
            self.spellings[row]: -math.log(value) if value > 0 else math.inf
            for row, value in zip(chosen.tolist(), likelihood.tolist(), strict=True)
        }

    def _emissions(self, lattice: Sequence[LatticeStep]) -> tuple[Floats, Floats, Floats, Floats]:
        """Shares by step relative to its best: ``(steps, letters + 1)``, and gaps, blanks and spaces ``(steps,)``."""
        steps = len(lattice)
        letters = np.zeros((steps, len(self._codes) + 1))
        blanks, spaces = np.zeros(steps), np.zeros(steps)
        for row, step in enumerate(lattice):
            rest = max(0, 1000 - step.blank - sum(step.shares)) / 1000
            floor = max(_FLOOR, rest / _OTHERS)
            letters[row, :-1] = floor
            blanks[row] = max(floor, step.blank / 1000)
            spaces[row] = 0.0
            for char, share in zip(step.chars, step.shares, strict=True):
                folded = fold(char)
                if not folded:
                    spaces[row] += share / 1000
                elif folded in self._codes:
                    letters[row, self._codes[folded]] += share / 1000
            best = max(step.blank, *step.shares, 1) / 1000
            letters[row] /= best
            blanks[row] /= best
            spaces[row] /= best
        return letters, np.minimum(1.0, blanks + spaces), blanks, spaces

    def _forward(
        self, chosen: npt.NDArray[np.intp], letters: Floats, gaps: Floats, begins: Floats, ends: Floats
    ) -> Floats:
        """Highest likelihood of each chosen spelling over all runs of steps, the free reading's being 1."""
        codes, changes = self._padded[chosen], self._changes[chosen]
        rows, last = np.arange(len(chosen)), self._lengths[chosen] - 1
        in_letter = np.zeros(codes.shape)
        in_gap = np.zeros(codes.shape)
        best = np.zeros(len(chosen))
        for step in range(len(letters)):
            arriving = in_letter.copy()
            arriving[:, 0] += begins[step]
            arriving[:, 1:] += in_gap[:, :-1] + in_letter[:, :-1] * changes[:, 1:]
            in_gap = (in_gap + in_letter) * gaps[step]
            in_letter = arriving * letters[step][codes]
            best = np.maximum(best, in_letter[rows, last] * ends[step])
        return best


def _edges(blanks: Floats, spaces: Floats) -> Floats:
    """How likely a word begins at each step: at the line's start or behind a space, never surely not."""
    edges = np.empty(len(blanks))
    edge = 1.0
    for step in range(len(blanks)):
        edges[step] = max(_INSIDE, edge)
        edge = min(1.0, edge * blanks[step] + spaces[step])
    return edges


def certain_steps(text: str) -> tuple[LatticeStep, ...]:
    """The lattice of a text of which every character is sure."""
    gap = LatticeStep(1000, "", ())
    return (gap, *(step for char in text for step in (LatticeStep(0, char, (1000,)), gap)))


class Weighed(NamedTuple):
    """A brand, what a reading says for its name in nats, and what each letter of the name costs on average."""

    brand: str
    evidence: float
    cost: float


class WeakNames:
    """Known names weighed against readings. ``spellings`` are brands by folded name."""

    def __init__(self, spellings: Mapping[str, str]) -> None:
        self._brands = spellings
        self._lattice = NameLattice(list(spellings))
        self._weigh = lru_cache(maxsize=8192)(self._weigh_anew)

    def weigh(self, reading: Reading) -> tuple[Weighed, ...]:
        """Brands that the reading may show, best first, each once."""
        return self._weigh(reading.text, reading.lattice)

    def likely(self, track: TextTrack, least: float) -> tuple[TextMatch, Reading] | None:
        """The brand for which the track's weak readings together speak with ``least`` nats or more, and by which.

        Readings that agree add to one another, though less than independent ones would: the same blur made them all.
        None where a letter that is another's was read surely, or where two brands are about as likely.
        """
        found: dict[str, list[tuple[Weighed, Reading]]] = {}
        for reading in track.readings:
            for weighed in self.weigh(reading):
                found.setdefault(weighed.brand, []).append((weighed, reading))
        ranked = sorted(((_together(of_brand), brand) for brand, of_brand in found.items()), reverse=True)
        if not ranked or ranked[0][0] < least or (len(ranked) > 1 and ranked[0][0] - ranked[1][0] < _CLEAR):
            return None
        best, reading = max(found[ranked[0][1]], key=lambda item: (item[0].evidence, item[1].text))
        if best.cost > _MOST_COST or not reading.lattice:
            return None
        return TextMatch(best.brand, round(math.exp(-max(0.0, best.cost)), 3), "likely"), reading

    def resemblance(self, track: TextTrack) -> float:
        """The most that any one reading of the track says for any name, in nats."""
        return max((weighed[0].evidence for weighed in map(self.weigh, track.readings) if weighed), default=-math.inf)

    def _weigh_anew(self, text: str, lattice: tuple[LatticeStep, ...]) -> tuple[Weighed, ...]:
        best: dict[str, Weighed] = {}
        for spelling, cost in self._lattice.costs(lattice or certain_steps(text)).items():
            brand, letters = self._brands[spelling], len(spelling)
            # A name that explains the reading better than the reading itself says no more than its letters do.
            weighed = Weighed(brand, letters * LETTER_EVIDENCE - max(0.0, cost), cost / letters)
            if weighed.evidence > 0 and (brand not in best or weighed.evidence > best[brand].evidence):
                best[brand] = weighed
        return tuple(sorted(best.values(), key=lambda weighed: (-weighed.evidence, weighed.brand)))


def _together(found: list[tuple[Weighed, Reading]]) -> float:
    """Evidence of several readings of one track: the best one's, and a part of each other's."""
    each = sorted((weighed.evidence for weighed, _ in found), reverse=True)
    return each[0] + _AGREEING * sum(each[1:])
