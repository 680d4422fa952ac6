"""What becomes of candidates once a model has answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from detect.matching import normalize
from detect.providers.answers import Answer
from detect.providers.catalog import Provider
from detect.providers.grouping import Group
from detect.providers.interview import Verdict
from detect.types import BrandDetection, Candidate, DetectionSource, KnownBrandRecord, KnownBrands

_SOURCES: dict[str, DetectionSource] = {"local": "local_vlm", "cloud": "cloud_llm"}


class Sorter:
    """Turns verdicts into detections and what is left, candidate by candidate.

    ``detections`` and ``left`` are by candidate id; a candidate that is no brand comes to be in neither.
    """

    def __init__(self, provider: Provider, known: KnownBrands, min_confidence: float) -> None:
        self._provider = provider
        self._min_confidence = min_confidence
        self._known = known
        self._names = _by_spelling(known)
        self._rejected = frozenset(known.rejected)
        self.detections: dict[str, BrandDetection] = {}
        self.left: dict[str, Candidate] = {}
        self.not_brands = 0
        self.unsure = 0

    def add(self, found: Group, verdict: Verdict) -> None:
        """Settle all candidates of a group by what the model said, or failed to say."""
        if verdict.answer is None:
            self.leave(found.members, verdict.reason)
            return
        answer = verdict.answer.answer
        if answer.confidence < self._min_confidence:
            self.unsure += 1
            said = f"'{answer.brand}'" if answer.is_brand else "no brand"
            self.leave(found.members, f"{self._provider.model} says {said}, not surely ({answer.confidence:.2f})")
        elif not answer.is_brand or normalize(answer.brand) in self._rejected:
            self.not_brands += len(found.members)
        else:
            self._recognise(found.members, answer)

    def leave(self, candidates: Sequence[Candidate], reason: str) -> None:
        """Leave candidates unresolved; the reason is added to those they had."""
        for candidate in candidates:
            reasons = [text for text in (candidate.reason, reason) if text]
            self.left[candidate.candidate_id] = replace(candidate, reason="; ".join(reasons))

    def _recognise(self, candidates: Sequence[Candidate], answer: Answer) -> None:
        record = self._names.get(normalize(answer.brand))
        if record is None and self._known.given:
            # The names to look for were listed: others are shown to people, not counted.
            self.leave(candidates, f"{self._provider.model} says '{answer.brand}', which is not among the given brands")
            return
        for candidate in candidates:
            self.detections[candidate.candidate_id] = BrandDetection(
                brand=answer.brand if record is None else record.name,
                source=_SOURCES[self._provider.kind],
                confidence=answer.confidence,
                text=candidate.text,
                placement=candidate.placement,
                observations=candidate.observations,
                rule="model" if record is None else "model, known brand",
                model=self._provider.model,
                confirmed=record is not None and record.confirmed,
            )


def _by_spelling(known: KnownBrands) -> dict[str, KnownBrandRecord]:
    """Known brands by normalised name and alias; a name counts more than another brand's alias."""
    spellings: list[Callable[[KnownBrandRecord], Sequence[str]]] = [lambda one: (one.name,), lambda one: one.aliases]
    found: dict[str, KnownBrandRecord] = {}
    for spelling in spellings:
        for record in known.brands:
            for text in spelling(record):
                found.setdefault(normalize(text), record)
    found.pop("", None)
    return found
