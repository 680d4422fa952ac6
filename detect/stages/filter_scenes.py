"""Stage 1: cuts, and which sampled frames are worth analysing."""

from __future__ import annotations

from detect.stages.base import StageOutput


class FilterScenesOutput(StageOutput, frozen=True):
    """``kept`` sequences are analysed; ``stands_for`` maps each dropped near-duplicate to the kept frame before it.

    ``cuts`` are the seconds of the first frame of each new shot inside the chunk. A frame that is neither kept nor in
    ``stands_for`` was useless (black, no detail).
    """

    kept: list[int]
    stands_for: dict[int, int]
    cuts: list[float]
