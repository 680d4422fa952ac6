"""The search for lines of text in the pictures of a chunk: those that are searched in any case, ahead of time.

While the texts of one picture are followed and read, the next ones are searched on threads. Which ones these are is
known beforehand (:meth:`detect.text_following.Follow.always_searched`), so the result does not depend on it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from detect.board_lines import BoardSearch, Line, add_missed, find_board_lines
from detect.engines.ocr import OcrEngine
from detect.in_order import in_order
from detect.stages.base import FrameSource, Image
from detect.text_following import Follow
from detect.types import Region


@dataclass(frozen=True)
class LineSearch:
    """Pictures are searched with their long side scaled to ``side`` pixels. Low boards are searched enlarged on those
    pictures that are searched in any case and lie at least ``boards_every`` apart; on none where that is 0.
    """

    side: int
    threshold: float
    boards_every: int
    board: BoardSearch


@dataclass(frozen=True)
class Searched:
    """A ``(height, width, 3)`` BGR picture and its lines: quads in its pixels, with scores 0-1."""

    image: Image
    lines: list[Line]


class LineSearcher:
    """Lines in the pictures of ``shots``, asked for by sequence in their order; use it as a context manager.

    ``boards`` are the boards of each picture by sequence. ``count`` tells how many pictures were asked for.
    """

    def __init__(
        self,
        ocr: OcrEngine,
        frames: FrameSource,
        boards: Mapping[int, Sequence[Region]],
        shots: Sequence[Sequence[int]],
        follow: Follow,
        search: LineSearch,
        *,
        threads: int,
    ) -> None:
        self._ocr, self._frames, self._boards, self._search = ocr, frames, boards, search
        step = max(1, math.ceil(search.boards_every / follow.detect_every)) * follow.detect_every
        planned = [
            (sequence, bool(search.boards_every) and index % step == 0)
            for shot in shots
            for index, sequence in enumerate(shot)
            if follow.always_searched(index, len(shot))
        ]
        self._planned = deque(sequence for sequence, _ in planned)
        self._ahead = in_order(lambda item: self._find(item[0], boards=item[1]), planned, threads)
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ahead.close()

    def search(self, sequence: int) -> Searched:
        """The picture and its lines."""
        self.count += 1
        if self._planned and self._planned[0] == sequence:
            self._planned.popleft()
            return next(self._ahead)
        return self._find(sequence, boards=False)

    def _find(self, sequence: int, *, boards: bool) -> Searched:
        search, image = self._search, self._frames.load(sequence)
        lines = self._ocr.detect(image, long_side=search.side, box_threshold=search.threshold)
        if boards:
            low = find_board_lines(self._ocr, image, self._boards.get(sequence, ()), lines, search.board)
            lines = add_missed(lines, low)
        return Searched(image, lines)
