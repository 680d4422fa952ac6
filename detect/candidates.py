"""Grouping texts that matched no known brand into candidates, one for each spelling that people would call the same."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass, field

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from detect.matching import NameIndex, fold, normalize
from detect.text_rules import is_brand_like, is_figure
from detect.types import Box, Candidate, Observation, Placement, Reading, Suggestion, TextTrack

_SAME_SPELLING = 0.75
_SAME_PIECE = 83.0
_LEAST_PIECE, _LEAST_MISREAD = 4, 5
_FAIR_SHARE = 0.25
# Lettering read less surely than this may be a candidate, but is not proposed as a brand by itself.
_SURELY_READ = 0.86
# A shirt's number is taller than the name above it, and no further below than a height of it.
_NUMBER_TALLER = 1.3
_SHIRT_NUMBER = re.compile(r"\d{1,2}")


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
    """Tracks of one text; ``names`` counts those that are a player's name over his number."""

    tracks: list[tuple[TextTrack, Placement]] = field(default_factory=list)
    names: int = 0

    def take(self, other: _Group) -> None:
        """Add another group's tracks."""
        self.tracks += other.tracks
        self.names += other.names

    def frames(self) -> set[int]:
        return {seen.sequence for track, _ in self.tracks for seen in track.observations}

    def spelling(self) -> Reading:
        """What most speaks for among the readings that have a fair share and are no piece of another that has."""
        readings = [reading for track, _ in self.tracks for reading in track.readings[:1]]
        weight: dict[str, float] = defaultdict(float)
        for reading in readings:
            weight[reading.text] += reading.votes * reading.confidence
        enough = _FAIR_SHARE * max(weight.values())
        heard = {text: normalize(text) for text, total in weight.items() if total >= enough}
        whole = {
            text
            for text, letters in heard.items()
            if not any(letters in other and letters != other for other in heard.values())
        }
        return max(
            (reading for reading in readings if reading.text in whole),
            key=lambda reading: (weight[reading.text], reading.confidence, len(reading.text), reading.text),
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

    With ``grow``, lettering that is no fixed graphic and no player's name and stays long enough is marked as
    brand-like.
    """
    groups: dict[str, _Group] = {}
    worn = _names_over_numbers([track for track, _ in tracks])
    for number, (track, placement) in enumerate(tracks):
        text = track.readings[0].text
        usable = track.readings[0].confidence >= rules.min_confidence and not is_figure(text)
        if usable and sum(char.isalpha() for char in text) >= rules.min_letters:
            groups.setdefault(normalize(text), _Group()).take(_Group([(track, placement)], int(number in worn)))
    whole = _join_alike(groups)
    kept = [group for group in whole if len(group.frames()) * rules.sample_seconds >= rules.min_seconds]
    kept.sort(key=lambda group: (-len(group.frames()), group.spelling().text))
    return [_candidate(group, names, rules, grow=grow) for group in kept[: rules.limit]]


def _join_alike(groups: dict[str, _Group]) -> list[_Group]:
    """Groups in which misreadings of a text, and pieces of it as edges of the picture leave them, are put to it.

    What was on screen long and is long is what others are misreadings or pieces of. A piece joins by any spelling of
    the whole; nothing joins by a piece, for a word may be part of two names.
    """
    whole: list[tuple[list[str], _Group]] = []
    for text in sorted(groups, key=lambda text: (-len(groups[text].frames()) * len(text), -len(text), text)):
        misread = next((found for found in whole if any(_is_misread(text, other) for other in found[0])), None)
        same = misread or next((found for found in whole if any(_is_piece(text, other) for other in found[0])), None)
        if same is None:
            whole.append(([text], groups[text]))
            continue
        same[1].take(groups[text])
        if misread is not None or len(text) > len(same[0][0]):
            same[0].append(text)
    return [group for _, group in whole]


def _is_misread(text: str, other: str) -> bool:
    short = min(len(text), len(other))
    return short >= _LEAST_MISREAD and Levenshtein.normalized_similarity(text, other) >= _SAME_SPELLING


def _is_piece(text: str, other: str) -> bool:
    """Whether one is a piece of the other, read right, or long enough to tell in spite of a wrong letter."""
    short, long = sorted((text, other), key=len)
    if len(short) < _LEAST_PIECE:
        return False
    return short in long or (len(short) > _LEAST_MISREAD and fuzz.partial_ratio(short, long) >= _SAME_PIECE)


def _names_over_numbers(tracks: list[TextTrack]) -> set[int]:
    """Indices of texts that have a shirt's number right below them: players' names."""
    numbers: defaultdict[int, list[Box]] = defaultdict(list)
    for track in tracks:
        if _SHIRT_NUMBER.fullmatch(track.readings[0].text.strip()):
            for seen in track.observations:
                numbers[seen.sequence].append(seen.box)
    return {
        index
        for index, track in enumerate(tracks)
        if any(_is_number_of(box, seen.box) for seen in track.observations for box in numbers.get(seen.sequence, ()))
    }


def _is_number_of(number: Box, name: Box) -> bool:
    middle = (number.x1 + number.x2) / 2
    below = name.y1 < number.y1 and number.y1 - name.y2 <= name.height
    return below and name.x1 <= middle <= name.x2 and number.height >= _NUMBER_TALLER * name.height


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
        and best.confidence >= _SURELY_READ
        and 2 * group.names <= len(group.tracks)
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
