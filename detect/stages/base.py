"""The one shape of a stage.

A stage is pure: ``(inputs, options, models, known brands) -> output``. It never looks at the database, the clock or a
setting; what it may use comes through :class:`StageContext`. The runner stores its output under a key made from all
of these, so an unchanged stage is never run twice.

**How a stage names its inputs.** The fields of its ``Input`` struct are the names of the stages it reads, and their
annotations are those stages' outputs. A field typed ``SomeOutput`` gives a ``chunk`` stage the output of the same
chunk; ``Sequence[SomeOutput]`` gives an ``asset`` stage all chunks in order, each loaded when it is looked at and not
kept: memory does not grow with the video. An asset stage's output is given as it is. A field ``video`` of the type
:class:`Video` gives the file itself, and which part of it is meant; one of ``Video | None`` says that the stage has
something to give without it too: the file may be missing then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import msgspec
import numpy.typing as npt

from detect.types import KnownBrands, SourceInfo, StoredFile

if TYPE_CHECKING:
    from detect.providers.limits import ModelLimits
    from detect.resources import Resources

T = TypeVar("T")
# (height, width, 3) BGR or (height, width) grey levels, uint8. OpenCV's stubs do not tell what its arrays hold.
Image = npt.NDArray[Any]
Stats = dict[str, int | float | str]
#: What a stage's work wants most: a processor, a graphics card, or the patience to wait for a model elsewhere.
Needs = Literal["cpu", "gpu", "cloud"]


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every stage's options.

    Each field is ``Annotated[type, Meta(ge=…, le=…, description=…)]`` with a default that is good on broadcast
    footage; ``detect/config.py`` checks values against it, and forms are made from it.
    """


class StageOutput(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every stage's output.

    ``stats`` are figures for people and reports. ``skipped`` says why the stage did nothing, empty if it ran.
    ``incomplete`` is set when something outside failed (a provider was down): the result is kept, but a later run
    tries again instead of reusing it.
    """

    stats: Stats = msgspec.field(default_factory=dict)
    skipped: str = ""
    incomplete: bool = False


class Video(msgspec.Struct, frozen=True):
    """The video, for stages that look at more of it than sampled frames.

    ``path`` is a file on this machine. ``[start, end)`` is the unit's window in seconds, exact fractions written as
    text; ``end`` is None where it reaches to the end. To an asset stage the window is the whole video.
    """

    path: str
    start: str = "0"
    end: str | None = None


class FrameSource(Protocol):
    """Reads the frames of one timeline from storage."""

    def load(self, sequence: int) -> Image:
        """The frame as a ``(height, width, 3)`` BGR array. Raises ``StorageError`` when it is missing."""

    def load_jpeg(self, sequence: int) -> bytes:
        """The stored JPEG, not decoded."""

    def save_jpeg(self, sequence: int, jpeg: bytes) -> None:
        """Store a frame; writing the same sequence again replaces it."""


class FileStore(Protocol):
    """Where stages leave files that they make, such as videos; their outputs name them in a field ``files``."""

    def draft(self, suffix: str) -> AbstractContextManager[Path]:
        """A path to write a file at, on this machine; what is left there at the end of the block is removed."""

    def folder(self) -> AbstractContextManager[Path]:
        """An empty folder for drafts, on this machine; what is left there at the end of the block is removed."""

    def keep(self, draft: Path) -> StoredFile:
        """Put a draft into storage under its content's name, for good. Raises ``StorageError``."""

    def local(self, file: StoredFile) -> AbstractContextManager[Path]:
        """The file on this machine while the block runs. Raises ``StorageError`` where it is missing."""


@dataclass(frozen=True)
class Chunk:
    """A piece of the asset that is worked on by itself.

    A stage that reads the video gets its window too, ``[start, end)`` seconds as exact fractions written as text;
    ``end`` is None for the last. Other stages get what was made of that piece, and need no window.
    """

    index: int
    start: str = ""
    end: str | None = None


class Remember(Protocol):
    """Computes a costly part of a stage's work, or finds it stored from an earlier run, a killed one included."""

    def __call__(self, part: str, depends_on: Any, kind: type[T], compute: Callable[[], T]) -> T:
        """The part named ``part``; ``depends_on`` is everything it is made from and ``kind`` its type."""


def compute_now(part: str, depends_on: Any, kind: type[T], compute: Callable[[], T]) -> T:  # noqa: ARG001 - Remember's
    """A :class:`Remember` that remembers nothing."""
    return compute()


@dataclass(frozen=True)
class StageContext:
    """What a stage may use while it runs."""

    source: SourceInfo
    options: Any
    frames: FrameSource
    known_brands: KnownBrands
    resources: Resources
    chunk: Chunk | None = None
    progress: Callable[[int, int], None] = lambda done, total: None
    checkpoint: Callable[[], None] = lambda: None
    remember: Remember = compute_now
    limits: ModelLimits | None = None
    files: FileStore | None = None

    def each(self, items: Sequence[T]) -> Iterator[T]:
        """Iterate with progress; raises ``CancelledError`` between items when the run was asked to stop."""
        total = len(items)
        for done, item in enumerate(items):
            self.checkpoint()
            yield item
            self.progress(done + 1, total)


class Stage(Protocol):
    """What ``detect/stages/<name>.py`` holds. Docstring of the class: one line for people.

    ``Options``, ``Input`` and ``Output`` are the structs that its ``run`` takes and gives.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def scope(self) -> Literal["chunk", "asset"]: ...
    @property
    def uses_known_brands(self) -> bool: ...
    @property
    def needs(self) -> Needs: ...
    @property
    def Options(self) -> type[Any]: ...  # noqa: N802 - it holds a class
    @property
    def Input(self) -> type[Any]: ...  # noqa: N802
    @property
    def Output(self) -> type[Any]: ...  # noqa: N802

    def model_digests(self, options: Any, resources: Resources) -> tuple[str, ...]:
        """Digests of the models (and provider settings) it would use: part of the key of its output."""

    def run(self, ctx: StageContext, data: Any) -> Any:
        """Compute the output of one chunk or of the whole asset."""
