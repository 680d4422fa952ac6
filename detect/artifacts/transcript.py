"""The transcript of a run: captions in WebVTT for players, and every word with its times in JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from detect.artifacts.base import Artifact, FinishedRun
from detect.captions import SpokenWord, captions
from detect.formats.webvtt import write_webvtt
from detect.stages.gather_speech import GatherSpeechOutput
from detect.stages.tell_speakers import TellSpeakersOutput

SCHEMA = "mediaproc.words/1"


def write(run: FinishedRun, folder: Path) -> list[Artifact]:
    """``transcript.vtt`` and ``words.json``, also where nobody speaks: then they say so."""
    speech: GatherSpeechOutput = run.output("gather_speech")
    speakers: TellSpeakersOutput = run.output("tell_speakers")
    segments = list(_segments(run, speakers.said_by))
    words = [word for segment in segments for word in segment]
    cues = captions(words)
    language = {"language": speech.language, "language_probability": speech.language_probability}
    notes = [f"Language: {speech.language} ({speech.language_probability:.2f})" if speech.language else "No speech"]
    notes += [speech.skipped] if speech.skipped else []
    (folder / "transcript.vtt").write_text(write_webvtt(cues, notes=notes), encoding="utf-8", newline="\n")
    document = {
        "schema": SCHEMA,
        **language,
        "speakers": speakers.speakers,
        "skipped": speech.skipped,
        "problems": speech.problems,
        "segments": [_described(segment) for segment in segments],
    }
    (folder / "words.json").write_bytes(msgspec.json.format(msgspec.json.encode(document, order="sorted")) + b"\n")
    counts = {**language, "words": len(words)}
    return [
        Artifact("vtt", "transcript", "transcript.vtt", {**counts, "cues": len(cues)}),
        Artifact("json", "words", "words.json", {**counts, "schema": SCHEMA}),
    ]


def _segments(run: FinishedRun, said_by: list[int]) -> Iterator[list[SpokenWord]]:
    """Segments as lists of words with their speakers."""
    speakers = iter(said_by)
    for part in run.parts("transcribe"):
        for segment in part.segments:
            yield [
                SpokenWord(word.text, word.start, word.end, word.probability, next(speakers, 0))
                for word in segment.words
            ]


def _described(segment: list[SpokenWord]) -> dict[str, Any]:
    words = [
        {**msgspec.to_builtins(word), "text": word.text.strip(), "speaker": word.speaker or None} for word in segment
    ]
    text = "".join(word.text for word in segment).strip()
    return {"start": segment[0].start, "end": segment[-1].end, "text": text, "words": words}
