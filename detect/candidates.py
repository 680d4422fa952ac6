"""Grouping texts that matched no known brand into candidates, one for each spelling that people would call the same."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field

from rapidfuzz.distance import Levenshtein

from detect.matching import NameIndex, fold, normalize
from detect.text_rules import is_brand_like, is_figure
from detect.types import Candidate, Observation, Placement, Reading, Suggestion, TextTrack

_SAME_SPELLING = 0.8
_FAIR_SHARE = 0.25


@dataclass(frozen=True)
class CandidateRules:
    """Which groups are kept, and which of them look like brands."""

    min_letters: int
    min_confidence: float
    min_seconds: float
    brand_like_seconds: float
    sample_seconds: float
    limit: int


@dataclass
class _Group:
    tracks: list[tuple[TextTrack, Placement]] = field(default_factory=list)

    def frames(self) -> set[int]:
        return {seen.sequence for track, _ in self.tracks for seen in track.observations}

    def spelling(self) -> Reading:
        """The longest spelling among those that a fair share of the readings speak for."""
        readings = [reading for track, _ in self.tracks for reading in track.readings[:1]]
        weight: dict[str, float] = defaultdict(float)
        for reading in readings:
            weight[reading.text] += reading.votes * reading.confidence
        enough = _FAIR_SHARE * max(weight.values())
        heard = [reading for reading in readings if weight[reading.text] >= enough]
        return max(
            heard, key=lambda reading: (len(reading.text), weight[reading.text], reading.confidence, reading.text)
        )

    def placement(self) -> Placement:
        seconds: dict[Placement, int] = defaultdict(int)
        for track, placement in self.tracks:
            seconds[placement] += len(track.observations)
        return max(sorted(seconds), key=lambda placement: seconds[placement])


def group_candidates(
    tracks: list[tuple[TextTrack, Placement]], names: NameIndex, rules: CandidateRules, *, grow: bool
) -> list[Candidate]:
    """Candidates from tracks that matched nothing, longest on screen first.

    With ``grow``, lettering that is not a fixed graphic and stays long enough is marked as brand-like.
    """
    groups: dict[str, _Group] = {}
    for track, placement in tracks:
        text = track.readings[0].text
        usable = track.readings[0].confidence >= rules.min_confidence and not is_figure(text)
        if usable and sum(char.isalpha() for char in text) >= rules.min_letters:
            groups.setdefault(normalize(text), _Group()).tracks.append((track, placement))
    whole = _join_alike(groups)
    kept = [group for group in whole if len(group.frames()) * rules.sample_seconds >= rules.min_seconds]
    kept.sort(key=lambda group: (-len(group.frames()), group.spelling().text))
    return [_candidate(group, names, rules, grow=grow) for group in kept[: rules.limit]]


def _join_alike(groups: dict[str, _Group]) -> list[_Group]:
    """Groups in which misreadings of a text, and pieces of it as edges of the picture leave them, are put to it."""
    whole: dict[str, _Group] = {}
    for text in sorted(groups, key=lambda text: (-len(text), text)):
        longer = next((other for other in whole if text in other or _is_misread(text, other)), None)
        if longer is None:
            whole[text] = groups[text]
        else:
            whole[longer].tracks.extend(groups[text].tracks)
    return list(whole.values())


def _is_misread(text: str, other: str) -> bool:
    return len(text) >= 5 and Levenshtein.normalized_similarity(text, other) >= _SAME_SPELLING


def _candidate(group: _Group, names: NameIndex, rules: CandidateRules, *, grow: bool) -> Candidate:
    best = group.spelling()
    suggestions = [Suggestion(name, similarity) for name, similarity in names.suggest(best.text)]
    observations = merge_observations([track.observations for track, _ in group.tracks])
    placement = group.placement()
    seconds = len(group.frames()) * rules.sample_seconds
    piece_of = names.piece_of(best.text)
    repeated = seconds >= rules.brand_like_seconds and placement != "overlay"
    return Candidate(
        candidate_id=_identity(best, observations),
        text=best.text,
        confidence=best.confidence,
        placement=placement,
        observations=observations,
        crop_sequence=best.sequence,
        crop_box=best.box,
        members=len(group.tracks),
        reason=_reason(piece_of, suggestions),
        brand_like=grow
        and repeated
        and piece_of is None
        and is_brand_like(best.text, min_letters=max(3, rules.min_letters)),
        suggestions=suggestions,
    )


def _reason(piece_of: str | None, suggestions: list[Suggestion]) -> str:
    if piece_of is not None:
        return f"a piece of {piece_of}, too short to tell"
    return "resembles a known brand too little" if suggestions else "no known brand is spelled like it"


def merge_observations(parts: list[list[Observation]]) -> list[Observation]:
    """Observations of several tracks in order of time."""
    return sorted((seen for part in parts for seen in part), key=lambda seen: (seen.sequence, seen.box.x1, seen.box.y1))


def _identity(best: Reading, observations: list[Observation]) -> str:
    first = observations[0]
    return hashlib.sha256(f"{fold(best.text)}|{first.sequence}|{first.box.to_xywh()}".encode()).hexdigest()[:16]
