"""Replay: what it costs to try other settings from ``match_brands`` on, and what it stores."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from bench.footage import Clip
from bench.installation import Analysis, Stored, StoredOutputs, installation
from bench.results import Headline

STAGE = "match_brands"
OTHER_SETTING = f"{STAGE}.min_similarity=0.85"
"""An option of the stage at another value than its default, so that the replay has work to do."""


class ReplayRun(msgspec.Struct, frozen=True):
    """One replay. ``work`` is from its first stage to the end of the process; ``closing`` is what of it comes after the
    last stage: writing report and pictures, shutting down.
    """

    settings: str
    wall: float
    work: float
    closing: float
    ran: dict[str, float]


class ReplayFigures(msgspec.Struct, frozen=True):
    """Replays of one clip with the stage outputs kept before and after them, manifests included.

    ``rows_added`` and ``bytes_added`` are of the stages before the one replayed from, frames and their files too.
    """

    clip: str
    stage: str
    first_work: float
    replays: list[ReplayRun]
    before: dict[str, StoredOutputs]
    after: dict[str, StoredOutputs]
    rows_added: int
    bytes_added: int

    def headlines(self) -> dict[str, Headline]:
        """What to compare from one measurement to the next."""
        return {
            "work of a replay": Headline(max(run.work for run in self.replays), "s", "lower"),
            "rows added to earlier stages": Headline(self.rows_added, "", "lower"),
            "bytes added to earlier stages": Headline(self.bytes_added, "", "lower"),
        }


def measure_replay(clip: Clip, *, progress: Callable[[str], None]) -> ReplayFigures:
    """Analyse the clip, then replay it unchanged and with another setting. Raises ``BenchError``."""
    progress(f"replay: {clip.name}, first run")
    with installation() as here, here.database_up():
        first = here.analyze(clip.video, clip.brands, logos=clip.logos)
        before = here.stored()
        runs = []
        for settings in ([], [OTHER_SETTING]):
            progress(f"replay: from {STAGE} {' '.join(settings)}")
            runs.append(_run(here.replay(first.report.job_id, stage=STAGE, settings=settings), settings))
        after = here.stored()
    earlier = earlier_stages([stage.stage for stage in first.report.stages])
    rows, size = added(before, after, earlier)
    return ReplayFigures(
        clip=clip.name,
        stage=STAGE,
        first_work=round(first.work, 3),
        replays=runs,
        before=before.outputs,
        after=after.outputs,
        rows_added=rows,
        bytes_added=size,
    )


def earlier_stages(stages: list[str]) -> list[str]:
    """The stages before the one that is replayed from."""
    return stages[: stages.index(STAGE)]


def added(before: Stored, after: Stored, earlier: list[str]) -> tuple[int, int]:
    """Rows and bytes that ``after`` has more than ``before`` of the ``earlier`` stages, parts of theirs, and frames."""
    rows, size = after.frames - before.frames, after.frame_bytes - before.frame_bytes
    nothing = StoredOutputs(0, 0)
    for stage, kept in after.outputs.items():
        if stage.partition(".")[0] in earlier:
            known = before.outputs.get(stage, nothing)
            rows, size = rows + kept.rows - known.rows, size + kept.bytes - known.bytes
    return rows, size


def _run(analysis: Analysis, settings: list[str]) -> ReplayRun:
    return ReplayRun(
        settings=" ".join(settings),
        wall=round(analysis.measured.wall, 3),
        work=round(analysis.work, 3),
        closing=round(analysis.closing, 3),
        ran={stage.stage: stage.seconds for stage in analysis.ran},
    )
