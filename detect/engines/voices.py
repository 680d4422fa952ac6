"""Who speaks: voices as vectors that lie close together where the voice is the same.

The network is the GE2E speaker encoder of Wan, Wang, Papir and Lopez Moreno, "Generalized End-to-End Loss for Speaker
Verification" (ICASSP 2018): three LSTM layers over a mel spectrogram of 1.6 s, and a projection of what the last one
holds at the end. The weights that are known to fit are ``pretrained.pt`` of Resemblyzer (Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from detect.engines.objects import WeightsError
from detect.media.listening import SAMPLE_RATE, Samples

if TYPE_CHECKING:
    from torch import nn

Floats = npt.NDArray[np.float32]

#: Length of a window that one vector is made of, seconds, and how many numbers a vector has.
WINDOW = 1.6
SIZE = 256

_STEP = 0.01
_HOP = SAMPLE_RATE // 100
_SPAN = SAMPLE_RATE // 40
_BANDS = 40
_FRAMES = 160
_LAYERS = 3
# The loudness that the network was trained with, as the root of the mean square; quieter sound is raised to it.
_LOUDNESS = 10 ** (-30 / 20)
# A break of this many seconds or more is a pause.
_PAUSE = 0.2
# Windows that go through the network at once.
_BATCH = 64


@dataclass(frozen=True)
class Voice:
    """A voice heard in ``[start, end)`` seconds: ``(SIZE,)``, of length 1."""

    start: float
    end: float
    vector: Floats


class VoiceEncoder:
    """Turns sound into voices. Raises ``WeightsError`` for a file that does not hold such a network."""

    def __init__(self, path: Path, *, threads: int) -> None:
        self._threads = threads
        self._lstm, self._linear = _load(path)

    def embed(self, samples: Samples, spans: Sequence[tuple[float, float]], *, step: float) -> list[Voice]:
        """Voices in windows of ``WINDOW`` seconds, one every ``step`` seconds of speech, in order.

        ``spans`` are where in the sound there is speech, in seconds of it. No window reaches over a pause: another may
        speak behind it. One in shorter speech holds that speech over and over.
        """
        frames = mel_spectrogram(_loud_enough(samples))
        stride = max(1, round(step / _STEP))
        bounds: list[tuple[int, int]] = []
        for start, end in _stretches(spans):
            first, last = max(0, round(start / _STEP)), min(len(frames), max(1, round(end / _STEP)))
            if first >= last:
                continue
            firsts = range(first, max(first + 1, last - _FRAMES + 1), stride)
            bounds += [(at, min(at + _FRAMES, last)) for at in firsts]
            if firsts[-1] + _FRAMES < last:
                bounds.append((last - _FRAMES, last))
        if not bounds:
            return []
        vectors = self._vectors(np.stack([np.resize(frames[at:until], (_FRAMES, _BANDS)) for at, until in bounds]))
        return [
            Voice(round(at * _STEP, 3), round(until * _STEP, 3), vector)
            for (at, until), vector in zip(bounds, vectors, strict=True)
        ]

    def _vectors(self, windows: Floats) -> Floats:
        """``(n, SIZE)`` for ``(n, frames, bands)``, each of length 1."""
        import torch

        torch.set_num_threads(self._threads)
        voices = []
        with torch.inference_mode():
            for at in range(0, len(windows), _BATCH):
                _, (held, _) = self._lstm(torch.from_numpy(windows[at : at + _BATCH]))
                voices.append(torch.relu(self._linear(held[-1])).numpy())
        found = np.concatenate(voices)
        return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9), np.float32)


@cache
def voices_loader(threads: int) -> Callable[[Path], VoiceEncoder]:
    """The same function for the same number, so that a process loads the network once."""
    return lambda path: VoiceEncoder(path, threads=threads)


def mel_spectrogram(samples: Samples) -> Floats:
    """Power in 40 bands up to 8 kHz, ``(frames, 40)``: a Hann window of 25 ms in the middle of each 10 ms step."""
    padded = np.pad(samples, _SPAN // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _SPAN)[::_HOP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_SPAN) / _SPAN)
    power = np.abs(np.fft.rfft(windows * hann, axis=1)) ** 2
    return np.asarray(power @ _mel_filters(), np.float32)


@cache
def _mel_filters() -> npt.NDArray[np.float64]:
    """Triangles of equal area on Slaney's mel scale: linear up to 1 kHz, logarithmic above. ``(bins, bands)``."""
    edges = _hertz(np.linspace(0, _mels(SAMPLE_RATE / 2), _BANDS + 2))
    bins = np.fft.rfftfreq(_SPAN, 1 / SAMPLE_RATE)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling)) * (2 / (edges[2:] - edges[:-2]))


_LINEAR_STEP = 200 / 3
_LOG_FROM = 1000.0
_LOG_STEP = np.log(6.4) / 27


def _mels(hertz: float) -> float:
    """Above 1 kHz, which is where it is asked."""
    return float(_LOG_FROM / _LINEAR_STEP + np.log(hertz / _LOG_FROM) / _LOG_STEP)


def _hertz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    knee = _LOG_FROM / _LINEAR_STEP
    return np.where(mels < knee, mels * _LINEAR_STEP, _LOG_FROM * np.exp(_LOG_STEP * (mels - knee)))


def _loud_enough(samples: Samples) -> Samples:
    loudness = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0
    if not 0 < loudness < _LOUDNESS:
        return samples
    return np.asarray(samples * (_LOUDNESS / loudness), np.float32)


def _stretches(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans, with those joined between which there is no time for another to begin."""
    joined: list[tuple[float, float]] = []
    for start, end in spans:
        if joined and start - joined[-1][1] < _PAUSE:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _load(path: Path) -> tuple[nn.LSTM, nn.Linear]:
    import torch
    from torch import nn

    try:
        held: Any = torch.load(path, map_location="cpu", weights_only=True)
        state = held["model_state"]
        lstm, linear = nn.LSTM(_BANDS, SIZE, _LAYERS, batch_first=True), nn.Linear(SIZE, SIZE)
        for part, prefix in ((lstm, "lstm."), (linear, "linear.")):
            part.load_state_dict({name.removeprefix(prefix): v for name, v in state.items() if name.startswith(prefix)})
            part.eval()
    except Exception as error:  # torch raises anything for a file that it cannot read
        raise WeightsError(f"{path}: is no GE2E speaker encoder such as Resemblyzer's pretrained.pt") from error
    return lstm, linear
