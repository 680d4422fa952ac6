"""What stages may use besides frames: local models, vision-language providers, stored answers and reference logos.

Built once per process and passed in, so that no stage reads a setting. Models load on first use and stay loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from detect.providers.answers import AnswerStore, MemoryAnswerStore
from detect.providers.catalog import ProviderCatalog

if TYPE_CHECKING:
    from detect.engines.objects import BatchDetector, ObjectDetector
    from detect.engines.ocr import OcrEngine
    from detect.inference.client import InferenceClient

NO_WEIGHTS = "no object weights: put a .onnx or .pt file into model_weights/ or set MEDIAPROC_OBJECT_WEIGHTS"


def no_tracking_weights() -> Path:
    """Stands for weights that nobody has set. Raises ``WeightsError``."""
    from detect.engines.objects import WeightsError

    raise WeightsError("no weights to follow objects with")


@dataclass(frozen=True)
class ObjectModel:
    """The object detector a process uses, in it or on an inference server; nothing is loaded before ``open``.

    ``digest`` is the SHA-256 of the weights, the same wherever they run.
    """

    name: str
    digest: str
    open: Callable[[], ObjectDetector]


@dataclass(frozen=True)
class TrackingModel(ObjectModel):
    """A detector for every frame of a video, which takes several at once. ``open`` may have to fetch it first."""

    open: Callable[[], BatchDetector]


@dataclass(frozen=True)
class DistantWeights:
    """Weights that are elsewhere: what they are is known, and ``fetch`` gives the file, brought here once."""

    name: str
    digest: str
    fetch: Callable[[], Path]


@dataclass
class Resources:
    """Engines and providers of one process.

    ``object_weights`` is the configured detector file, or None; ``weights_folders`` are searched after it.
    ``tracking_weights`` gives the file of the detector whose objects are followed, or tells where to fetch it.
    ``load_logo`` maps a storage key to the bytes of a reference picture. With ``inference`` the object detector is the
    one of that server; text is read in this process all the same (docs/inference.md says why).
    """

    object_weights: Path | None = None
    tracking_weights: Callable[[], Path | DistantWeights] = no_tracking_weights
    weights_folders: tuple[Path, ...] = ()
    providers: ProviderCatalog = field(default_factory=ProviderCatalog)
    answers: AnswerStore = field(default_factory=MemoryAnswerStore)
    load_logo: Callable[[str], bytes] | None = None
    threads: int = 2
    inference: InferenceClient | None = None

    @cached_property
    def ocr(self) -> OcrEngine:
        from detect.engines.ocr import OcrEngine

        return OcrEngine(threads=self.threads)

    def object_model(self) -> ObjectModel | None:
        """The object detector there is, or None.

        Raises ``WeightsError`` for a configured file that is not there, ``InferenceError`` where the server fails.
        """
        from detect.engines.objects import weights_digest

        if self.inference is not None:
            return self.inference.object_model()
        path = self.object_weights_path()
        if path is None:
            return None
        return ObjectModel(path.name, weights_digest(path), partial(self.object_detector, path))

    def tracking_model(self) -> TrackingModel:
        """The detector whose objects are followed. It runs in this process, where the video is.

        Nothing is fetched before it is opened. Raises ``WeightsError`` where there is none, saying where to put it.
        """
        from detect.engines.objects import weights_digest

        weights = self.tracking_weights()
        if isinstance(weights, DistantWeights):
            return TrackingModel(weights.name, weights.digest, lambda: self.object_detector(weights.fetch()))
        return TrackingModel(weights.name, weights_digest(weights), partial(self.object_detector, weights))

    @property
    def no_objects_because(self) -> str:
        """What a person can do where :meth:`object_model` gives None."""
        return NO_WEIGHTS if self.inference is None else self.inference.no_weights

    def object_weights_path(self) -> Path | None:
        """The detector file to use: the configured one, else the first found in the folders, else None."""
        from detect.engines.objects import find_weights

        return find_weights(self.object_weights, self.weights_folders)

    def object_detector(self, path: Path) -> BatchDetector:
        """The detector in this file, loaded once; anew where the file was replaced."""
        from detect.engines.objects import load_detector, weights_digest

        if self._detectors.get(path, ("", None))[0] != weights_digest(path):
            detector = load_detector(path, threads=self.threads)
            self._detectors[path] = (detector.digest, detector)
        return self._detectors[path][1]

    @cached_property
    def _detectors(self) -> dict[Path, tuple[str, BatchDetector]]:
        return {}
