"""Stage 5: known brands on text tracks and regions."""

from __future__ import annotations

from detect.stages.base import StageOutput
from detect.types import BrandDetection, Candidate


class MatchBrandsOutput(StageOutput, frozen=True):
    """What was recognised, and what may be a brand and was not."""

    detections: list[BrandDetection]
    unresolved: list[Candidate]
