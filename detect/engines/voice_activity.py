"""Where somebody speaks: the Silero VAD model (MIT licence) that faster-whisper carries, run by ONNX Runtime."""

from __future__ import annotations

import hashlib
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from detect.engines.objects import WeightsError
from detect.media.listening import Samples

#: Samples of 16 kHz that one probability is given for.
FRAME = 512
# Each frame is looked at together with the last samples of the one before it.
_BEFORE = 64
_STATE = (1, 1, 128)


@cache
def _model_file() -> Path:
    """The model, found without importing the package that carries it. Raises ``WeightsError`` where it is not."""
    package = importlib.util.find_spec("faster_whisper")
    if package is None or package.origin is None:
        raise WeightsError("the voice activity model is missing: pip install faster-whisper")
    path = Path(package.origin).parent / "assets" / "silero_vad_v6.onnx"
    if not path.is_file():
        raise WeightsError("this faster-whisper carries no silero_vad_v6.onnx: install the version in requirements.txt")
    return path


@cache
def voice_activity_digest() -> str:
    """SHA-256 of the model. Raises ``WeightsError`` where there is none."""
    return hashlib.sha256(_model_file().read_bytes()).hexdigest()


class VoiceActivity:
    """Follows one sound from frame to frame; what was heard before weighs on what is heard next."""

    def __init__(self) -> None:
        self._session = _session()
        self._h, self._c = np.zeros(_STATE, np.float32), np.zeros(_STATE, np.float32)
        self._tail = np.zeros(_BEFORE, np.float32)

    def listen(self, samples: Samples) -> npt.NDArray[np.float32]:
        """How likely there is speech, 0-1, for each whole frame of the sound that follows what it heard before.

        Raises ``ValueError`` for samples that are no whole number of frames.
        """
        if samples.size % FRAME:
            raise ValueError(f"expected whole frames of {FRAME} samples, got {samples.size} samples")
        if not samples.size:
            return np.empty(0, np.float32)
        frames = samples.reshape(-1, FRAME)
        before = np.vstack([self._tail, frames[:-1, -_BEFORE:]])
        inputs = {"input": np.hstack([before, frames]), "h": self._h, "c": self._c}
        heard, self._h, self._c = self._session.run(None, inputs)
        self._tail = frames[-1, -_BEFORE:].copy()
        return np.asarray(heard, np.float32).reshape(-1)


@cache
def _session() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One small network after another: more threads only wait for each other.
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(_model_file()), options, providers=["CPUExecutionProvider"])
