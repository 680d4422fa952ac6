"""Pipelines without models: one that is a function, and one of two stages of which the second can fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from detect.artifacts.base import Artifact, FinishedRun
from detect.errors import MediaprocError
from detect.stages.base import Needs, Options, StageContext, StageOutput, Video
from detect.stages.run_entry_point import Annotation

PIPELINES = Path(__file__).parent / "pipelines"


def annotate(work: Annotation) -> list[Artifact]:
    if work.source.duration > work.params["longest"]:
        raise MediaprocError(f"{work.source.duration:g} s is too long")
    work.progress(0.5)
    note = {"text": work.params["text"], "mood": work.params["mood"], "bytes": work.video.stat().st_size}
    (work.folder / "sub").mkdir()
    (work.folder / "sub" / "note.json").write_text(json.dumps(note))
    return [Artifact("json", "note", "sub/note.json", {"words": len(work.params["text"].split())})]


class FirstOptions(Options, frozen=True):
    chunk_seconds: Annotated[int, Meta(ge=1)] = 30
    letter: str = "a"


class FirstOutput(StageOutput, frozen=True):
    text: str


class FirstInput(msgspec.Struct, frozen=True):
    video: Video


class SecondOptions(Options, frozen=True):
    fail: bool = False


class SecondInput(msgspec.Struct, frozen=True):
    first: FirstOutput


class _Toy:
    version: ClassVar[int] = 1
    scope: ClassVar[Literal["chunk", "asset"]] = "asset"
    uses_known_brands: ClassVar[bool] = False
    needs: ClassVar[Needs] = "cpu"
    Output: ClassVar[type[FirstOutput]] = FirstOutput

    def model_digests(self, options: Any, resources: Any) -> tuple[str, ...]:
        return ()


class First(_Toy):
    name: ClassVar[str] = "first"
    Options: ClassVar[type[FirstOptions]] = FirstOptions
    Input: ClassVar[type[FirstInput]] = FirstInput

    def run(self, ctx: StageContext, data: FirstInput) -> FirstOutput:
        return FirstOutput(text=ctx.options.letter * Path(data.video.path).stat().st_size)


class Second(_Toy):
    name: ClassVar[str] = "second"
    Options: ClassVar[type[SecondOptions]] = SecondOptions
    Input: ClassVar[type[SecondInput]] = SecondInput

    def run(self, ctx: StageContext, data: SecondInput) -> FirstOutput:
        if ctx.options.fail:
            raise MediaprocError("the second step cannot be taken")
        return FirstOutput(text=data.first.text.upper())


def write_first(run: FinishedRun, folder: Path) -> list[Artifact]:
    return _write(run, folder, "first")


def write_second(run: FinishedRun, folder: Path) -> list[Artifact]:
    return _write(run, folder, "second")


def _write(run: FinishedRun, folder: Path, stage: str) -> list[Artifact]:
    (folder / f"{stage}.csv").write_text(f"{run.name},{len(run.output(stage).text)}\n")
    return [Artifact("csv", stage, f"{stage}.csv")]
