"""A pipeline of three tiny stages that notes what is computed and does what a test tells it to.

TOY_FOLDER=FOLDER   ``journal`` gets a line ``stage chunk pid`` for each unit that is begun. A file ``stage.chunk``
                    there says what the unit does (:class:`Does`); ``stage.chunk.held`` appears while it holds.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from detect.errors import ConfigError, StorageError
from detect.report import ReportBody, ReportCosts, ReportScoring
from detect.stages.base import Needs, Options, StageContext, StageOutput
from detect.types import Sample

PIPELINES = Path(__file__).parent / "pipelines"


class Does(StrEnum):
    """What a unit does instead of its work, as long as the file says so."""

    FAIL = "fail"  # raises an error that nobody expected
    REFUSE = "refuse"  # raises one that a person can act on
    DIE = "die"  # kills its process
    OUTAGE = "outage"  # finds something outside to be down
    HOLD = "hold"  # goes on when the file is gone, and can be stopped meanwhile
    SLEEP = "sleep"  # the same, deaf to being stopped


class CutOptions(Options, frozen=True, kw_only=True):
    chunk_seconds: Annotated[int, Meta(ge=1, le=600, description="length of a chunk")] = 5
    fps: Annotated[float, Meta(ge=0.05, le=30, description="as every first stage has")] = 1.0
    letter: Annotated[str, Meta(max_length=40, description="what it writes")] = "x"


class NoInput(msgspec.Struct, frozen=True):
    pass


class CutOutput(StageOutput, frozen=True, kw_only=True):
    text: str
    samples: list[Sample] = msgspec.field(default_factory=list)


class NapOptions(Options, frozen=True, kw_only=True):
    seconds: Annotated[float, Meta(ge=0, le=60, description="how long a chunk takes")] = 0.0
    steps: Annotated[int, Meta(ge=1, le=1000, description="in how many steps")] = 1


class NapInput(msgspec.Struct, frozen=True):
    cut: CutOutput


class NapOutput(StageOutput, frozen=True, kw_only=True):
    text: str


class CloseOptions(Options, frozen=True, kw_only=True):
    factor: Annotated[int, Meta(ge=1, le=9, description="multiplies")] = 1


class CloseInput(msgspec.Struct, frozen=True):
    nap: Sequence[NapOutput]


def folder() -> Path:
    return Path(os.environ["TOY_FOLDER"])


class Base:
    version = 1
    uses_known_brands = False
    needs: Needs = "cpu"

    def model_digests(self, options: Any, resources: Any) -> tuple[str, ...]:
        return ()


class Cut(Base):
    """Write letters."""

    name = "cut"
    scope: Literal["chunk"] = "chunk"
    Options, Input, Output = CutOptions, NoInput, CutOutput

    def run(self, ctx: StageContext, data: NoInput) -> CutOutput:
        begin(self.name, ctx)
        return CutOutput(text=ctx.options.letter * (_number(ctx) + 1), stats={"cuts": 1})


class Nap(Base):
    """Sleep."""

    name = "nap"
    scope: Literal["chunk"] = "chunk"
    Options, Input, Output = NapOptions, NapInput, NapOutput

    def run(self, ctx: StageContext, data: NapInput) -> NapOutput:
        begin(self.name, ctx)
        for _ in ctx.each(range(ctx.options.steps)):
            time.sleep(ctx.options.seconds / ctx.options.steps)
        return NapOutput(text=data.cut.text.upper(), stats={"naps": 1})


class Close(Base):
    """Make an empty report with a note of what came before."""

    name = "close"
    scope: Literal["asset"] = "asset"
    Options, Input, Output = CloseOptions, CloseInput, ReportBody

    def run(self, ctx: StageContext, data: CloseInput) -> ReportBody:
        begin(self.name, ctx)
        letters = sum(len(part.text) for part in data.nap) * ctx.options.factor
        return ReportBody(
            brands=[],
            unresolved=[],
            costs=ReportCosts(),
            scoring=ReportScoring(quality_score="", weights={}, media_value="", currency="USD"),
            analyzed_seconds=0.0,
            problems=[],
            notes=[],
            stats={"letters": letters},
        )


def begin(stage: str, ctx: StageContext) -> None:
    """Note that a unit is begun, and do what its file says."""
    number = _number(ctx)
    if "TOY_FOLDER" not in os.environ:
        return
    with (folder() / "journal").open("a") as journal:
        journal.write(f"{stage} {number} {os.getpid()}\n")
    behave(folder() / f"{stage}.{number}", ctx)


def behave(told: Path, ctx: StageContext) -> None:
    does = _read(told)
    if does == Does.FAIL:
        raise ValueError(f"{told.name} is a bad one")
    if does == Does.REFUSE:
        raise ConfigError(f"{told.name} will not do")
    if does == Does.OUTAGE:
        raise StorageError("the storage is away")
    if does == Does.DIE:
        os.kill(os.getpid(), signal.SIGKILL)
    held = told.with_name(f"{told.name}.held")
    while _read(told) in (Does.HOLD, Does.SLEEP):
        held.touch()
        time.sleep(0.02)
        if does == Does.HOLD:
            ctx.checkpoint()
            ctx.progress(1, 2)


def _read(told: Path) -> str:
    try:
        return told.read_text()
    except FileNotFoundError:
        return ""


def _number(ctx: StageContext) -> int:
    return 0 if ctx.chunk is None else ctx.chunk.index
