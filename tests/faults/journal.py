"""The stages of the brand pipeline, noting each unit that is begun, and how it ended if it did.

Lines of the file that ``FAULTS_JOURNAL`` names: ``begun stage unit pid``, then ``done …`` or ``left …`` where the unit
raised something. Names, versions and keys are those of the stages themselves.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from detect.stages import (
    compile_report,
    detect_edges,
    detect_objects,
    escalate_cloud,
    escalate_vlm,
    extract_frames,
    filter_scenes,
    match_brands,
    run_ocr,
)
from detect.stages.base import StageContext


def _noted(kind: Any) -> Any:
    class Noted(kind):
        def run(self, ctx: StageContext, data: Any) -> Any:
            unit = f"{self.name} {0 if ctx.chunk is None else ctx.chunk.index}"
            _note(f"begun {unit}")
            try:
                output = super().run(ctx, data)
            except BaseException:
                _note(f"left {unit}")
                raise
            _note(f"done {unit}")
            return output

    Noted.__doc__ = kind.__doc__
    return Noted


def _note(line: str) -> None:
    with Path(os.environ["FAULTS_JOURNAL"]).open("a") as file:
        file.write(f"{line} {os.getpid()}\n")


ExtractFrames = _noted(extract_frames.ExtractFrames)
FilterScenes = _noted(filter_scenes.FilterScenes)
DetectEdges = _noted(detect_edges.DetectEdges)
DetectObjects = _noted(detect_objects.DetectObjects)
RunOcr = _noted(run_ocr.RunOcr)
MatchBrands = _noted(match_brands.MatchBrands)
EscalateVlm = _noted(escalate_vlm.EscalateVlm)
EscalateCloud = _noted(escalate_cloud.EscalateCloud)
CompileReport = _noted(compile_report.CompileReport)
