"""A pipeline whose stages compute nothing: what is left is what sharing the work costs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from detect.report import ReportBody, ReportCosts, ReportScoring
from detect.stages.base import Needs, Options, StageContext, StageOutput
from detect.types import Sample

CHUNK_SECONDS = 5


class BeginOptions(Options, frozen=True, kw_only=True):
    chunk_seconds: Annotated[int, Meta(ge=1, le=600, description="length of a chunk")] = CHUNK_SECONDS
    fps: Annotated[float, Meta(ge=0.05, le=30, description="as every first stage has")] = 1.0
    run: Annotated[str, Meta(max_length=40, description="which run this is: nothing is reused from another")] = ""


class BeginInput(msgspec.Struct, frozen=True):
    """Nothing."""


class BeginOutput(StageOutput, frozen=True, kw_only=True):
    run: str
    number: int
    samples: list[Sample] = msgspec.field(default_factory=list)


class WaitOptions(Options, frozen=True, kw_only=True):
    seconds: Annotated[float, Meta(ge=0, le=60, description="how long a chunk takes")] = 0.0


class WaitInput(msgspec.Struct, frozen=True):
    begin: BeginOutput


class WaitOutput(StageOutput, frozen=True, kw_only=True):
    number: int


class EndOptions(Options, frozen=True, kw_only=True):
    """None."""


class EndInput(msgspec.Struct, frozen=True):
    wait: Sequence[WaitOutput]


class _Stage:
    version = 1
    uses_known_brands = False
    needs: Needs = "cpu"

    def model_digests(self, options: Any, resources: Any) -> tuple[str, ...]:
        return ()


class Begin(_Stage):
    """Number the chunks."""

    name = "begin"
    scope: Literal["chunk"] = "chunk"
    Options, Input, Output = BeginOptions, BeginInput, BeginOutput

    def run(self, ctx: StageContext, data: BeginInput) -> BeginOutput:
        assert ctx.chunk is not None
        return BeginOutput(run=ctx.options.run, number=ctx.chunk.index)


class Wait(_Stage):
    """Wait, as for a model elsewhere."""

    name = "wait"
    scope: Literal["chunk"] = "chunk"
    Options, Input, Output = WaitOptions, WaitInput, WaitOutput

    def run(self, ctx: StageContext, data: WaitInput) -> WaitOutput:
        time.sleep(ctx.options.seconds)
        return WaitOutput(number=data.begin.number)


class End(_Stage):
    """An empty report."""

    name = "end"
    scope: Literal["asset"] = "asset"
    Options, Input, Output = EndOptions, EndInput, ReportBody

    def run(self, ctx: StageContext, data: EndInput) -> ReportBody:
        return ReportBody(
            brands=[],
            unresolved=[],
            costs=ReportCosts(),
            scoring=ReportScoring(quality_score="", weights={}, media_value="", currency="USD"),
            analyzed_seconds=0.0,
            problems=[],
            notes=[],
            stats={"chunks": len(data.wait)},
        )
