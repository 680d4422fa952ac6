"""The speech pipeline run in memory, and sound files for it."""

from __future__ import annotations

import hashlib
import wave
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import av
import numpy as np
from av.audio.stream import AudioStream

from detect.checkpoints.memory import MemoryCheckpointStore
from detect.checkpoints.store import CheckpointRecord
from detect.config import resolve
from detect.engines.objects import WeightsError
from detect.media.listening import SAMPLE_RATE, Samples, SoundReader
from detect.registry import load_pipeline
from detect.report import Report
from detect.resources import LocalModel, Resources
from detect.runner import Runner, RunRequest
from detect.types import KnownBrands, SourceInfo
from tests.stages.memory_frames import MemoryFrames


class Shelf:
    """A :class:`~detect.resources.ModelShelf` with these files and folders."""

    def __init__(self, **paths: Path) -> None:
        self._paths = paths

    def model(self, name: str) -> LocalModel:
        found = self.find(name)
        if found is None:
            raise WeightsError(f"there is no model '{name}'")
        return found

    def find(self, name: str) -> LocalModel | None:
        path = self._paths.get(name)
        return None if path is None else LocalModel(name, path, hashlib.sha256(str(path).encode()).hexdigest())

    def models_of(self, pipeline: str) -> Mapping[str, LocalModel]:
        return {name: self.model(name) for name in self._paths}


def carried(package: str, inside: str) -> Path | None:
    """A file or folder that an installed package carries."""
    spec = find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        return Path(place, inside)
    return None


@dataclass(frozen=True)
class Heard:
    """A finished run: a :class:`~detect.artifacts.base.FinishedRun`."""

    runner: Runner
    node: CheckpointRecord
    source: SourceInfo
    options: dict[str, Any]

    pipeline = "speech"

    @property
    def name(self) -> str:
        return Path(self.source.path).name

    def output(self, stage: str) -> Any:
        return self.runner.load(self.node, stage)[0]

    def parts(self, stage: str) -> Sequence[Any]:
        return self.runner.load(self.node, stage)

    @contextmanager
    def video(self) -> Iterator[Path]:
        yield Path(self.source.path)

    def report(self) -> Report | None:
        return None

    @property
    def words(self) -> list[Any]:
        return [word for part in self.parts("transcribe") for segment in part.segments for word in segment.words]

    @property
    def text(self) -> str:
        return "".join(word.text for word in self.words).strip()


def listen(path: Path, resources: Resources, duration: float, **overrides: Any) -> Heard:
    """Run the speech pipeline over a file of so many seconds; ``find_speech__threshold=0.4`` sets an option."""
    values: dict[str, dict[str, Any]] = {}
    for name, value in overrides.items():
        stage, _, option = name.partition("__")
        values.setdefault(stage, {})[option] = value
    chosen = load_pipeline("speech")
    config = resolve(chosen, chosen.profile, values)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    source = SourceInfo(str(path), digest, duration, 0, 0, "25", False, 0.0)
    runner = Runner(chosen, MemoryCheckpointStore(), MemoryFrames(), resources)
    result = runner.run(RunRequest(uuid4(), uuid4(), source, config, {}, KnownBrands()))
    return Heard(runner, result.checkpoint, source, config.options)


def read_all(path: Path) -> Samples:
    """The whole sound of a file."""
    with SoundReader(path) as reader:
        samples = reader.read(0, 60 * SAMPLE_RATE)
        assert reader.ended_at is not None
        return samples[: reader.ended_at]


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def write_wav(path: Path, samples: Samples, rate: int = SAMPLE_RATE) -> Path:
    """A WAV file of 16 bits and one channel."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((np.clip(samples, -1, 1) * 32767).round().astype("<i2").tobytes())
    return path


def write_film(
    path: Path,
    samples: Samples,
    *,
    sound_at: float = 0.0,
    pictures_at: float = 0.0,
    seconds: float,
    codec: str = "aac",
    rate: int = SAMPLE_RATE,
) -> Path:
    """Grey pictures, ten a second, with sound; each begins at its own second of the file's clock."""
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("mpeg4", rate=10)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(sound, AudioStream)
        grey = np.full((48, 64, 3), 128, np.uint8)
        for number in range(round(seconds * 10)):
            frame = av.VideoFrame.from_ndarray(grey, format="bgr24")
            frame.pts = number + round(pictures_at * 10)
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        for start in range(0, len(samples), 1024):
            part = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], format="fltp", layout="mono")
            part.sample_rate, part.pts = rate, start + round(sound_at * rate)
            container.mux(sound.encode(part))
        container.mux(sound.encode(None))
    return path
