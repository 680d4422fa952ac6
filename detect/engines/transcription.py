"""What is said and when: a Whisper model in CTranslate2's form, run by faster-whisper.

Nothing is drawn at random: decoding is a beam search at temperature 0. Where that gets into a loop and says the same
over and over, it is done once more with repetitions of a few words forbidden.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from msgspec import Meta
from msgspec.structs import replace

from detect.engines.objects import WeightsError
from detect.media.listening import Samples
from detect.types import Value

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

#: The language codes of Whisper; empty stands for "whichever is heard".
Language = Literal[
    "", "af", "am", "ar", "as", "az", "ba", "be", "bg", "bn", "bo", "br", "bs", "ca", "cs", "cy", "da", "de", "el",
    "en", "es", "et", "eu", "fa", "fi", "fo", "fr", "gl", "gu", "ha", "haw", "he", "hi", "hr", "ht", "hu", "hy", "id",
    "is", "it", "ja", "jw", "ka", "kk", "km", "kn", "ko", "la", "lb", "ln", "lo", "lt", "lv", "mg", "mi", "mk", "ml",
    "mn", "mr", "ms", "mt", "my", "ne", "nl", "nn", "no", "oc", "pa", "pl", "ps", "pt", "ro", "ru", "sa", "sd", "si",
    "sk", "sl", "sn", "so", "sq", "sr", "su", "sv", "sw", "ta", "te", "tg", "th", "tk", "tl", "tr", "tt", "uk", "ur",
    "uz", "vi", "yi", "yo", "zh", "yue",
]  # fmt: skip
#: How numbers are kept while the model runs; ``default`` is int8 on a processor and float16 on a graphics card.
Precision = Literal["default", "int8", "float32", "float16"]

# Files without which faster-whisper would look for them on the network.
_NEEDED = ("model.bin", "config.json", "tokenizer.json")
# Text that zlib makes this much smaller says the same over and over.
_LOOPING = 2.4
_NO_REPEATS_OF = 4
# Silence between two words is a pause from here on, seconds; speech may begin and end this much outside what was heard.
_PAUSE = 0.25
_MARGIN = 0.04
# The alignment's step: no word is shorter, seconds.
_SHORTEST = 0.02
# The alignment gives a mark behind a word at most so much time; more is a pause.
_MARK = 0.5


class Word(Value, frozen=True):
    """A word as it is said: seconds, and how sure the model is, 0-1.

    ``text`` begins with a space where the language writes one: words joined are the sentence.
    """

    text: str
    start: float
    end: float
    probability: Annotated[float, Meta(ge=0, le=1)]


class Segment(Value, frozen=True):
    """A stretch of speech that the model took as one, mostly a sentence. Its words are in order and do not overlap."""

    start: float
    end: float
    words: list[Word]

    @property
    def text(self) -> str:
        return "".join(word.text for word in self.words).strip()


class SpeechModel:
    """A Whisper model. ``device`` is ``cuda`` or ``cpu``, ``english_only`` whether it knows no other language.

    Raises ``WeightsError`` for a folder that holds no model that can be used.
    """

    def __init__(self, path: Path, *, threads: int, precision: Precision = "default") -> None:
        for name in _NEEDED:
            if not (path / name).is_file():
                raise WeightsError(f"{path}: is no CTranslate2 Whisper model: it has no {name}")
        logging.getLogger("faster_whisper").setLevel(logging.WARNING)
        self._name = path.name
        self.device, self._model = _load(path, threads, precision)
        self.english_only = not self._model.model.is_multilingual

    def detect_language(self, passages: list[Samples]) -> tuple[Language, float]:
        """The language that is the likeliest over all passages, of at most 30 s each, and its mean probability."""
        if self.english_only or not passages:
            return "en", 1.0
        sums: dict[Any, float] = {}
        for samples in passages:
            _, _, likely = self._model.detect_language(samples)
            for language, probability in likely:
                sums[language] = sums.get(language, 0.0) + probability / len(passages)
        best = max(sorted(sums), key=lambda language: sums[language])
        return best, min(1.0, sums[best])

    def transcribe(self, samples: Samples, *, language: Language, beam_size: int) -> list[Segment]:
        """What is said in a passage of at most 30 s; seconds count from its first sample and lie within it.

        Raises ``WeightsError`` for a language that the model does not know.
        """
        if language not in self._model.supported_languages:
            known = "English only" if self.english_only else "other languages"
            raise WeightsError(f"the speech model {self._name} knows {known}, not '{language}': choose another model")
        found = self._decode(samples, language, beam_size, no_repeats_of=0)
        if any(segment.compression_ratio > _LOOPING for segment in found):
            found = self._decode(samples, language, beam_size, no_repeats_of=_NO_REPEATS_OF)
        return spoken_in_order(found, samples.size / self._model.feature_extractor.sampling_rate)

    def _decode(self, samples: Samples, language: Language, beam_size: int, *, no_repeats_of: int) -> list[Any]:
        segments, _ = self._model.transcribe(
            np.ascontiguousarray(samples),
            language=language,
            beam_size=beam_size,
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
            vad_filter=False,
            no_repeat_ngram_size=no_repeats_of,
        )
        return list(segments)


@cache
def speech_loader(threads: int, precision: Precision) -> Callable[[Path], SpeechModel]:
    """The same function for the same settings, so that a process loads a model once for each."""
    return lambda path: SpeechModel(path, threads=threads, precision=precision)


def _load(path: Path, threads: int, precision: Precision) -> tuple[str, WhisperModel]:
    """The model on a graphics card where CTranslate2 can use one, else on the processor."""
    import ctranslate2
    from faster_whisper import WhisperModel

    kept: str
    try:
        if ctranslate2.get_cuda_device_count():
            with suppress(RuntimeError, ValueError):
                kept = "float16" if precision == "default" else precision
                model = WhisperModel(str(path), device="cuda", compute_type=kept, local_files_only=True)
                # A card without its libraries is only noticed once it has to work.
                model.detect_language(np.zeros(16_000, np.float32))
                return "cuda", model
        # Processors have no float16.
        kept = {"default": "int8", "float16": "float32"}.get(precision, precision)
        return "cpu", WhisperModel(
            str(path), device="cpu", compute_type=kept, cpu_threads=threads, local_files_only=True
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise WeightsError(f"{path}: the speech model cannot be loaded: {error}") from error


def spoken_in_order(found: list[Any], seconds: float) -> list[Segment]:
    """Segments whose words lie within the passage and follow one another, however the alignment put them.

    A mark behind a word has time of its own in the alignment, which is no word's: it goes to the word that follows.
    """
    segments, latest = [], 0.0
    for segment in found:
        words: list[Word] = []
        for word in segment.words or ():
            if not word.word.strip():
                continue
            start = round(min(max(float(word.start), latest), seconds), 3)
            if words and _ends_with_mark(words[-1]) and start - latest <= _MARK:
                start = latest
            latest = round(min(max(float(word.end), start + _SHORTEST), seconds), 3)
            words.append(Word(word.word, start, latest, round(min(1.0, max(0.0, float(word.probability))), 4)))
        if words:
            segments.append(Segment(words[0].start, words[-1].end, words))
    return segments


def trim_to_speech(segments: Sequence[Segment], spans: Sequence[tuple[float, float]]) -> list[Segment]:
    """The segments with words that begin and end where somebody speaks, in the seconds of ``spans``.

    The alignment gives pauses to the words beside them. Of a word that lies over a pause, the part in the stretch of
    speech that it shares the most with stays; a word in no such stretch stays as it is. A mark before a pause may be
    given all of the pause and some of what is spoken next: that is of the word that follows.
    """
    stretches = _stretches(spans)
    trimmed: list[Segment] = []
    before: Word | None = None
    for segment in segments:
        words: list[Word] = []
        for word in segment.words:
            before = _trimmed(word, before, stretches)
            words.append(before)
        trimmed.append(Segment(words[0].start, words[-1].end, words))
    return trimmed


def _trimmed(word: Word, before: Word | None, stretches: Sequence[tuple[float, float]]) -> Word:
    """A word where somebody speaks; ``before`` is the one before it, trimmed."""
    shared = [(max(word.start, start), min(word.end, end), start) for start, end in stretches]
    start, end, begins = max(shared, key=lambda part: part[1] - part[0], default=(0.0, 0.0, 0.0))
    if end <= start:
        return word
    if before is not None and _ends_with_mark(before) and before.end <= begins and start - begins <= _MARK:
        start = begins
    return replace(word, start=start, end=end)


def _ends_with_mark(word: Word) -> bool:
    return not word.text[-1:].isalnum()


def _stretches(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans of speech, a little widened, with those between which there is no real pause joined."""
    joined: list[tuple[float, float]] = []
    for start, end in spans:
        if joined and start - joined[-1][1] < _PAUSE:
            joined[-1] = (joined[-1][0], round(end + _MARGIN, 3))
        else:
            joined.append((round(start - _MARGIN, 3), round(end + _MARGIN, 3)))
    return joined
