"""Who speaks when in a run, in RTTM; nothing where speakers were not told apart."""

from __future__ import annotations

from pathlib import Path

from detect.artifacts.base import Artifact, FinishedRun
from detect.formats.rttm import SpeakerTurn, write_rttm
from detect.stages.tell_speakers import TellSpeakersOutput


def write(run: FinishedRun, folder: Path) -> list[Artifact]:
    """``speakers.rttm``, whose file is the video's name without its suffix."""
    told: TellSpeakersOutput = run.output("tell_speakers")
    if told.skipped:
        return []
    turns = [SpeakerTurn(f"speaker_{turn.speaker}", turn.start, round(turn.end - turn.start, 3)) for turn in told.turns]
    (folder / "speakers.rttm").write_text(write_rttm(Path(run.name).stem, turns), encoding="utf-8", newline="\n")
    return [Artifact("rttm", "speakers", "speakers.rttm", {"speakers": told.speakers, "turns": len(turns)})]
