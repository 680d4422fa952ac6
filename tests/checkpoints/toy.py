"""A pipeline of three tiny stages that counts how often each runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from detect.registry import Pipeline
from detect.stages.base import Needs, Options, StageContext, StageOutput


class CutOptions(Options, frozen=True, kw_only=True):
    chunk_seconds: Annotated[int, Meta(ge=5, le=600, description="length of a chunk")] = 10
    letter: Annotated[str, Meta(max_length=1, description="what it writes")] = "x"


class CutOutput(StageOutput, frozen=True, kw_only=True):
    text: str


class SizeOptions(Options, frozen=True, kw_only=True):
    factor: Annotated[int, Meta(ge=1, le=9, description="multiplies")] = 1
    noise: Annotated[int, Meta(ge=0, le=9, description="changes nothing")] = 0


class SizeOutput(StageOutput, frozen=True, kw_only=True):
    size: int


class NoInput(msgspec.Struct, frozen=True):
    pass


class SizeInput(msgspec.Struct, frozen=True):
    cut: CutOutput


class SumInput(msgspec.Struct, frozen=True):
    size: Sequence[SizeOutput]


class SumOptions(Options, frozen=True, kw_only=True):
    plus: int = 0


class SumOutput(StageOutput, frozen=True, kw_only=True):
    total: int


RUNS: Counter[str] = Counter()
FAIL_AT: set[tuple[str, int]] = set()
INCOMPLETE: set[str] = set()


class Crash(BaseException):
    """Stands for a process that dies: nothing in the runner may catch it."""


def count(name: str, ctx: StageContext) -> None:
    RUNS[name] += 1
    if (name, -1 if ctx.chunk is None else ctx.chunk.index) in FAIL_AT:
        raise Crash


class Base:
    version = 1
    uses_known_brands = False
    needs: Needs = "cpu"

    def model_digests(self, options, resources):
        return ()


class Cut(Base):
    """Write letters."""

    name = "cut"
    scope: Literal["chunk"] = "chunk"
    Options, Input, Output = CutOptions, NoInput, CutOutput

    def run(self, ctx, data):
        count(self.name, ctx)
        return CutOutput(text=ctx.options.letter * (ctx.chunk.index + 1), stats={"letters": ctx.chunk.index + 1})


class Size(Base):
    """Count letters."""

    name = "size"
    scope: Literal["chunk"] = "chunk"
    Options, Input, Output = SizeOptions, SizeInput, SizeOutput

    def run(self, ctx, data):
        count(self.name, ctx)
        return SizeOutput(size=len(data.cut.text) * ctx.options.factor)


class Sum(Base):
    """Add up."""

    name = "sum"
    scope: Literal["asset"] = "asset"
    uses_known_brands = True
    Options, Input, Output = SumOptions, SumInput, SumOutput

    def run(self, ctx, data):
        count(self.name, ctx)
        total = sum(part.size for part in data.size) + ctx.options.plus + len(ctx.known_brands.brands)
        return SumOutput(total=total, incomplete=self.name in INCOMPLETE)


PIPELINE = Pipeline("toy", "Toy", 1, (Cut(), Size(), Sum()))
