"""Stage 2: advertising boards and LED strips, found by their edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec

from detect.engines.boards import BoardFindings, BoardOptions, find_boards
from detect.in_order import in_order
from detect.stages.base import Needs, StageContext, StageOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.types import Region

if TYPE_CHECKING:
    from detect.resources import Resources

__all__ = ["BoardFindings", "DetectEdges", "DetectEdgesInput", "DetectEdgesOptions", "DetectEdgesOutput", "find_boards"]

DetectEdgesOptions = BoardOptions


class DetectEdgesInput(msgspec.Struct, frozen=True):
    filter_scenes: FilterScenesOutput


class DetectEdgesOutput(StageOutput, frozen=True):
    """``regions`` by sequence, surest first, labelled ``board``. Every kept frame has an entry."""

    regions: dict[int, list[Region]]


class DetectEdges:
    """Find boards and LED strips by pairs of near-horizontal edges."""

    name: ClassVar[str] = "detect_edges"
    version: ClassVar[int] = 1
    scope: ClassVar[Literal["chunk", "asset"]] = "chunk"
    uses_known_brands: ClassVar[bool] = False
    needs: ClassVar[Needs] = "cpu"
    Options: ClassVar[type[BoardOptions]] = BoardOptions
    Input: ClassVar[type[DetectEdgesInput]] = DetectEdgesInput
    Output: ClassVar[type[DetectEdgesOutput]] = DetectEdgesOutput

    def model_digests(self, options: BoardOptions, resources: Resources) -> tuple[str, ...]:
        return ()

    def run(self, ctx: StageContext, data: DetectEdgesInput) -> DetectEdgesOutput:
        regions: dict[int, list[Region]] = {}
        lines = pairs = 0
        kept = data.filter_scenes.kept

        def look(sequence: int) -> BoardFindings:
            return find_boards(ctx.frames.load(sequence), ctx.options)

        for sequence, findings in zip(kept, in_order(look, ctx.each(kept), ctx.resources.threads), strict=True):
            regions[sequence] = findings.regions
            lines += len(findings.lines)
            pairs += findings.pairs
        return DetectEdgesOutput(
            regions=regions,
            stats={
                "frames": len(regions),
                "frames_with_boards": sum(bool(found) for found in regions.values()),
                "boards": sum(len(found) for found in regions.values()),
                "horizontal_lines": lines,
                "line_pairs": pairs,
            },
        )
