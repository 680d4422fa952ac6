"""Known brands on text tracks: by a reading, by several weak ones together, by pieces that stand side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from detect.context import placement_of
from detect.joining import adjacent_pairs, joined_edges, union
from detect.matching import NameIndex, TextMatch, fold, normalize
from detect.text_pieces import names_with_covered_middle, pieces_of_matched
from detect.types import BrandDetection, KnownBrands, Observation, Reading, TextTrack
from detect.weak_readings import WeakNames
from detect.whole_texts import WholeTexts

if TYPE_CHECKING:
    from detect.stages.match_brands import MatchBrandsOptions

# A brand that the same source surely shows needs less evidence elsewhere in it, nats.
_SUPPORT_EVIDENCE = 3.0
# What resembles a name so much, or is so much of one, is read again.
_LOOK_EVIDENCE, _LOOK_SHARE = 4.0, 0.5
# A name of so few letters is soon the beginning or the end of another word.
_SHORT_NAME = 4
# By these a source surely shows a brand; two ends of a name are as good a match as the least part of one.
_SURE_RULES = frozenset({"exact", "inside", "fuzzy"})
_LEAST_OF_ENDS = 0.55
# A piece of a text that names a brand has so many letters of the name, and this share of them.
_PIECE_LETTERS, _PIECE_SHARE = 4, 0.5


class TrackMatcher:
    """Matches the readings of tracks to the known brands of one run; ``whole`` knows the texts of the same source."""

    def __init__(self, known: KnownBrands, options: MatchBrandsOptions, whole: WholeTexts) -> None:
        self._options = options
        self._whole = whole
        self.names = NameIndex(known.brands)
        self._weak = WeakNames(self.names.spellings)
        self._confirmed = {brand.name: brand.confirmed for brand in known.brands}
        self._rejected = frozenset([*known.rejected, *map(fold, known.rejected)])
        self._cached = dict(known.cached)

    def is_rejected(self, track: TextTrack) -> bool:
        """Whether people said that what is read here is no brand, however recognition confuses its letters."""
        text = track.readings[0].text
        return normalize(text) in self._rejected or fold(text) in self._rejected

    def match(self, track: TextTrack) -> BrandDetection | None:
        """A detection, or None where no reading is a known name."""
        options = self._options
        found = self._best(track, allow_partial=False, short_name_confidence=options.short_name_confidence)
        found = found or self._likely(track, options.likely_evidence)
        if found is None and options.partial_names:
            found = self._cut(track)
        return None if found is None or self._may_be_cut(track, found) else found

    def match_supported(self, track: TextTrack, sure: set[str]) -> BrandDetection | None:
        """A detection of a brand that this source surely shows: by a piece of its name, or by a weaker reading."""
        options = self._options
        found = self._best(track, allow_partial=True, short_name_confidence=options.min_confidence)
        found = found or self._likely(track, options.likely_evidence - _SUPPORT_EVIDENCE)
        found = found or self._piece_of_whole(track)
        return found if found is not None and found.brand in sure else None

    def is_worth_a_look(self, track: TextTrack) -> bool:
        """Whether what was read resembles a name, or is a good part of one."""
        text = fold(track.readings[0].text)
        part = len(text) >= 2 and any(
            text in name and len(text) >= _LOOK_SHARE * len(name) for name in self.names.spellings
        )
        return part or self._weak.resemblance(track) >= _LOOK_EVIDENCE

    def match_joined(self, tracks: list[TextTrack]) -> Iterator[BrandDetection]:
        """Detections on pairs of unmatched tracks that spell a name together."""
        for first, second, sequences in adjacent_pairs(tracks):
            one, two = first.readings[0], second.readings[0]
            match = self.names.match(
                f"{one.text} {two.text}", min_similarity=self._options.min_similarity, allow_partial=False
            )
            confidence = min(one.confidence, two.confidence)
            if (
                match is None
                or confidence < self._options.min_confidence
                or not _needs_both(match, one, two, self.names)
            ):
                continue
            boxes = {seen.sequence: seen for seen in second.observations}
            observations = [
                Observation(seen.sequence, union(seen.box, boxes[seen.sequence].box), seen.confidence)
                for seen in first.observations
                if seen.sequence in sequences and seen.sequence in boxes
            ]
            found = self._detection(first, match, f"{one.text} {two.text}", confidence, observations)
            appears, vanishes = joined_edges(first, second, sequences)
            yield replace(found, appears=appears, vanishes=vanishes)

    def match_pieces(
        self, tracks: list[TextTrack], matched: list[BrandDetection]
    ) -> Iterator[tuple[BrandDetection, tuple[TextTrack, ...]]]:
        """Detections on unmatched tracks with pieces of names, and the tracks that each is of.

        A piece is a part of a text ``matched`` before, or two are the ends of a name that this source surely shows.
        """
        least = self._options.min_confidence
        for track, reading, brand in pieces_of_matched(tracks, matched, self.names.spellings):
            share = round(len(fold(reading.text)) / max(map(len, self._spellings_of(brand))), 3)
            if reading.confidence >= least:
                yield self._of_track(track, TextMatch(brand, min(share, 1.0), "partial"), reading), (track,)
        sure = {found.brand for found in matched if found.rule in _SURE_RULES}
        for ends in names_with_covered_middle(tracks, self.names.spellings, least):
            if ends.brand not in sure:
                continue
            one, two = ends.readings
            match = TextMatch(ends.brand, _LEAST_OF_ENDS, "partial")
            confidence = min(one.confidence, two.confidence)
            found = self._detection(ends.first, match, f"{one.text} … {two.text}", confidence, ends.observations)
            appears, vanishes = joined_edges(ends.first, ends.second, [seen.sequence for seen in ends.observations])
            yield replace(found, appears=appears, vanishes=vanishes), (ends.first, ends.second)

    def _spellings_of(self, brand: str) -> list[str]:
        return [name for name, known in self.names.spellings.items() if known == brand]

    def _likely(self, track: TextTrack, least: float) -> BrandDetection | None:
        found = self._weak.likely(track, least)
        if found is None or found[1].confidence < self._options.min_confidence:
            return None
        return None if self._is_piece(track, found[1], found[0].brand) else self._of_track(track, *found)

    def _best(self, track: TextTrack, *, allow_partial: bool, short_name_confidence: float) -> BrandDetection | None:
        weights = [reading.votes * reading.confidence for reading in track.readings]
        share: dict[str, float] = {}
        best: tuple[float, TextMatch, Reading] | None = None
        for reading, weight in zip(track.readings, weights, strict=True):
            match = self._match_reading(
                reading, allow_partial=allow_partial, short_name_confidence=short_name_confidence
            )
            if match is None or self._is_piece(track, reading, match.brand):
                continue
            share[match.brand] = share.get(match.brand, 0.0) + weight / sum(weights)
            strength = match.similarity * reading.confidence
            if best is None or strength > best[0]:
                best = (strength, match, reading)
        if best is None or share[best[1].brand] < self._options.min_vote_share:
            return None
        return self._of_track(track, best[1], best[2])

    def _cut(self, track: TextTrack) -> BrandDetection | None:
        """A detection where a reading is a name of which a part of one word is missing."""
        for reading in track.readings:
            match = self.names.match_cut(reading.text)
            sure = reading.confidence >= self._options.min_confidence
            if match is not None and sure and not self._is_piece(track, reading, match.brand):
                return self._of_track(track, match, reading)
        return None

    def _is_piece(self, track: TextTrack, reading: Reading, brand: str) -> bool:
        """Whether the reading is a piece of texts of which none, read whole, names the brand."""
        least = self._options.min_similarity
        whole = [
            self.names.match(fuller, min_similarity=least, allow_partial=False)
            for fuller in self._whole.fuller(track, reading)
        ]
        return bool(whole) and all(match is None or match.brand != brand for match in whole)

    def _piece_of_whole(self, track: TextTrack) -> BrandDetection | None:
        """A detection where a reading is a piece of texts that, read whole, name one brand and no other.

        What is a piece of a name alone says no more by the texts around it: ``TATA`` may be of several names.
        """
        options = self._options
        for reading in track.readings:
            text = fold(reading.text)
            if reading.confidence < options.min_confidence or self.names.piece_of(reading.text) is not None:
                continue
            whole = self._whole.with_piece(reading)
            matches = [
                self.names.match(one, min_similarity=options.min_similarity, allow_partial=False) for one in whole
            ]
            brands = {None if match is None else match.brand for match in matches}
            if len(brands) == 1 and (brand := brands.pop()) is not None:
                share = max(self._share_of_name(text, fold(one), brand) for one in whole)
                if share >= _PIECE_SHARE:
                    return self._of_track(track, TextMatch(brand, round(share, 3), "partial"), reading)
        return None

    def _share_of_name(self, text: str, whole: str, brand: str) -> float:
        """How much of the brand's name is in ``text``, the beginning or the end of ``whole``; 0 for a few letters."""
        best = 0.0
        for name in self._spellings_of(brand):
            place = whole.find(name)
            if place < 0:
                continue
            at_start = whole.startswith(text)
            letters = len(text) - place if at_start else place + len(name) - (len(whole) - len(text))
            if _PIECE_LETTERS <= letters <= len(name):
                best = max(best, letters / len(name))
        return best

    def _may_be_cut(self, track: TextTrack, found: BrandDetection) -> bool:
        """Whether a short name was read where the picture cuts the text off."""
        return any(
            brand == found.brand and len(name) <= _SHORT_NAME and self._whole.at_cut(reading, name)
            for reading in track.readings
            if reading.text == found.text
            for name, brand in self.names.spellings.items()
        )

    def _match_reading(
        self, reading: Reading, *, allow_partial: bool, short_name_confidence: float
    ) -> TextMatch | None:
        cached = self._cached.get(normalize(reading.text))
        if cached is not None:
            return TextMatch(cached, 1.0, "exact")
        match = self.names.match(reading.text, min_similarity=self._options.min_similarity, allow_partial=allow_partial)
        if match is None:
            return None
        short = len(fold(reading.text)) <= 4
        needed = short_name_confidence if short else self._options.min_confidence
        return match if reading.confidence >= needed else None

    def _of_track(self, track: TextTrack, match: TextMatch, reading: Reading) -> BrandDetection:
        found = self._detection(track, match, reading.text, reading.confidence, track.observations)
        return replace(found, appears=track.appears, vanishes=track.vanishes)

    def _detection(
        self, track: TextTrack, match: TextMatch, text: str, confidence: float, observations: list[Observation]
    ) -> BrandDetection:
        return BrandDetection(
            brand=match.brand,
            source="ocr",
            confidence=round(confidence * match.similarity, 4),
            text=text,
            placement=placement_of(track.context),
            observations=observations,
            rule=match.rule,
            confirmed=self._confirmed.get(match.brand, False),
        )


def _needs_both(match: TextMatch, one: Reading, two: Reading, names: NameIndex) -> bool:
    """Whether the pair says more than either half: a match that one half makes alone is that half's."""
    alone = (names.match(half.text, min_similarity=1.0, allow_partial=False) for half in (one, two))
    return match.rule != "inside" and all(found is None for found in alone)
