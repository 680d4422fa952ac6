"""The one shape of a writer of artifacts.

A writer is a function ``write(run, folder) -> list[Artifact]`` that a pipeline's declaration names. It writes into
``folder``, which is empty and its own, and lists what it wrote. The same run gives the same bytes every time: no clock,
nothing of the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from detect.report import Report
from detect.types import SourceInfo, StoredFile, Value

ArtifactType = Literal["video", "vtt", "rttm", "json", "csv", "png", "wav"]


class Artifact(Value, frozen=True):
    """One file of a run's results.

    ``role`` says what it is to a viewer, such as ``transcript`` or ``tracks``; ``path`` is relative to the writer's
    folder, with ``/``. ``stored`` names a file that a stage made: nothing is written for it then.
    """

    type: ArtifactType
    role: str
    path: str
    meta: dict[str, Any] = msgspec.field(default_factory=dict)
    stored: StoredFile | None = None


class FinishedRun(Protocol):
    """What a writer may look at. ``name`` is the video's file name, ``options`` the options structs by stage."""

    @property
    def source(self) -> SourceInfo: ...
    @property
    def name(self) -> str: ...
    @property
    def pipeline(self) -> str: ...
    @property
    def options(self) -> dict[str, Any]: ...

    def output(self, stage: str) -> Any:
        """The output of a stage that takes the whole asset."""

    def parts(self, stage: str) -> Sequence[Any]:
        """The outputs of a chunk stage in order, each loaded when it is looked at."""

    def video(self) -> AbstractContextManager[Path]:
        """The video as a file on this machine while the block runs."""

    def report(self) -> Report | None:
        """The report of brands, None where the pipeline gives none."""


Writer = Callable[[FinishedRun, Path], list[Artifact]]
