"""Candidates that show the same thing are asked about once, those with most at stake first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from detect.matching import normalize
from detect.types import Candidate, Suggestion


@dataclass(frozen=True)
class Group:
    """Candidates that look and read alike; ``best`` is the one that is shown to the model."""

    members: tuple[Candidate, ...]

    @property
    def best(self) -> Candidate:
        return min(self.members, key=lambda one: (-_frames(one), -one.crop_box.area, one.candidate_id))

    @property
    def frames(self) -> int:
        """Sampled frames on which any member was seen: what is at stake."""
        return len({seen.sequence for member in self.members for seen in member.observations})

    def suggestions(self, limit: int) -> list[str]:
        """Known brands that the members resemble most, best first."""
        nearest: dict[str, float] = {}
        for suggestion in _suggestions(self.members):
            nearest[suggestion.name] = max(suggestion.similarity, nearest.get(suggestion.name, 0.0))
        return [name for name, _ in sorted(nearest.items(), key=lambda item: (-item[1], item[0]))][:limit]


def group(candidates: list[Candidate], look: Callable[[Candidate], int], same_bits: int) -> list[Group]:
    """Groups of ``candidates``, most sampled frames first.

    Two are the same when their normalised texts are equal and their ``look`` (a 64-bit perceptual hash) differs from
    the group's first in at most ``same_bits`` bits. A picture is only looked at where there is something to compare.
    """
    by_text: dict[str, list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda one: one.candidate_id):
        by_text.setdefault(normalize(candidate.text), []).append(candidate)
    groups = [found for alike in by_text.values() for found in _alike(alike, look, same_bits)]
    return sorted(groups, key=lambda found: (-found.frames, found.best.candidate_id))


def _alike(candidates: list[Candidate], look: Callable[[Candidate], int], same_bits: int) -> list[Group]:
    if len(candidates) == 1:
        return [Group(tuple(candidates))]
    found: list[tuple[int, list[Candidate]]] = []
    for candidate in candidates:
        seen = look(candidate)
        members = next((members for first, members in found if (first ^ seen).bit_count() <= same_bits), None)
        if members is None:
            found.append((seen, [candidate]))
        else:
            members.append(candidate)
    return [Group(tuple(members)) for _, members in found]


def _frames(candidate: Candidate) -> int:
    return len({seen.sequence for seen in candidate.observations})


def _suggestions(candidates: tuple[Candidate, ...]) -> list[Suggestion]:
    return [suggestion for candidate in candidates for suggestion in candidate.suggestions]
