"""Into which pieces a run falls: the chunks of an asset and the inputs of a stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import get_origin, get_type_hints

from detect.stages.base import Chunk, Stage, Video

_VIDEO = "video"


def chunk_windows(duration: float, chunk_seconds: int) -> Iterator[Chunk]:
    """Windows of ``chunk_seconds`` that cover ``duration`` seconds; the last one is open, whatever the file says.

    A rest shorter than half a window joins the window before it, so that no chunk is a sliver.
    """
    count = max(1, int(Fraction(str(duration)) / chunk_seconds + Fraction(1, 2)))
    for index in range(count):
        end = None if index == count - 1 else str(chunk_seconds * (index + 1))
        yield Chunk(index=index, start=str(chunk_seconds * index), end=end)


def stage_chunks(stage: Stage, *, pieces: int | None, duration: float, chunk_seconds: int) -> list[Chunk]:
    """The chunks of a chunk stage that reads ``pieces`` outputs of earlier ones; None where it reads none.

    ``chunk_seconds`` is the first stage's option: all stages of a run share its windows.
    """
    if pieces is None or reads_video(stage):
        return list(chunk_windows(duration, chunk_seconds))
    return [Chunk(number) for number in range(pieces)]


def input_fields(stage: Stage) -> dict[str, bool]:
    """Names of the stages that ``stage`` reads; True where it reads all chunks as a sequence."""
    hints = get_type_hints(stage.Input)
    return {name: get_origin(kind) is Sequence for name, kind in hints.items() if name != _VIDEO}


def reads_video(stage: Stage) -> bool:
    """Whether ``stage`` gets the video itself, as a local file."""
    return _VIDEO in get_type_hints(stage.Input)


def needs_video(stage: Stage) -> bool:
    """Whether ``stage`` can do nothing without the video: one whose input may lack it does what it can."""
    return get_type_hints(stage.Input).get(_VIDEO) is Video
