"""What stages may use besides frames: local models, vision-language providers, stored answers and reference logos.

Built once per process and passed in, so that no stage reads a setting. Models load on first use and stay loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from detect.providers.answers import AnswerStore, MemoryAnswerStore
from detect.providers.catalog import ProviderCatalog

if TYPE_CHECKING:
    from detect.engines.objects import BatchDetector, ObjectDetector
    from detect.engines.ocr import OcrEngine, Precision
    from detect.inference.client import InferenceClient

T = TypeVar("T")

#: The weights that follow cars and crew in pit stops; others are models that pipelines declare.
PITSTOP = "pitstop"
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


@dataclass(frozen=True)
class LocalModel:
    """A model that a pipeline declares, on this machine: a file or a folder, and the SHA-256 of its content."""

    name: str
    path: Path
    digest: str


class ModelShelf(Protocol):
    """Where declared models are found (``ModelNeed`` in a pipeline's declaration)."""

    def model(self, name: str) -> LocalModel:
        """Raises ``WeightsError`` where it is nowhere, saying where to put it."""

    def find(self, name: str) -> LocalModel | None:
        """The same, or None where it is nowhere."""

    def models_of(self, pipeline: str) -> Mapping[str, LocalModel]:
        """The models of a pipeline that are there, by name."""


class NoModels:
    """A shelf with nothing on it."""

    def model(self, name: str) -> LocalModel:
        from detect.engines.objects import WeightsError

        raise WeightsError(f"there is no model '{name}'")

    def find(self, name: str) -> LocalModel | None:
        return None

    def models_of(self, pipeline: str) -> Mapping[str, LocalModel]:
        return {}


@dataclass
class Resources:
    """Engines and providers of one process.

    ``object_weights`` is the configured detector file, or None; ``weights_folders`` are searched after it.
    ``tracking_weights`` gives the file of the detector whose objects are followed, or tells where to fetch it.
    ``shelf`` has the models that pipelines declare. ``load_logo`` maps a storage key to the bytes of a reference
    picture. With ``inference`` the object detector is the one of that server; text is read in this process all the same
    (docs/inference.md says why), with the ``ocr_precision`` given, or with the one this processor is made for.
    """

    object_weights: Path | None = None
    tracking_weights: Callable[[], Path | DistantWeights] = no_tracking_weights
    weights_folders: tuple[Path, ...] = ()
    providers: ProviderCatalog = field(default_factory=ProviderCatalog)
    answers: AnswerStore = field(default_factory=MemoryAnswerStore)
    load_logo: Callable[[str], bytes] | None = None
    threads: int = 2
    ocr_precision: Literal["auto"] | Precision = "auto"
    inference: InferenceClient | None = None
    shelf: ModelShelf = field(default_factory=NoModels)

    def model(self, name: str) -> LocalModel:
        """A declared model. Raises ``WeightsError`` where it is nowhere, saying where to put it."""
        return self.shelf.model(name)

    def find(self, name: str) -> LocalModel | None:
        """A declared model that a pipeline can do without, None where it is nowhere."""
        return self.shelf.find(name)

    def models_of(self, pipeline: str) -> Mapping[str, LocalModel]:
        """The declared models of a pipeline that are there, by name."""
        return self.shelf.models_of(pipeline)

    def opened(self, name: str, load: Callable[[Path], T]) -> T:
        """What ``load`` makes of a declared model's file or folder, once per process and content."""
        model = self.model(name)
        if self._opened.get((name, load), ("", None))[0] != model.digest:
            self._opened[name, load] = (model.digest, load(model.path))
        opened: T = self._opened[name, load][1]
        return opened

    @cached_property
    def ocr(self) -> OcrEngine:
        from detect.engines.ocr import OcrEngine

        return OcrEngine(threads=self.threads, precision=self._precision)

    @property
    def ocr_digest(self) -> str:
        """What the reading of a picture depends on besides options: the models, and how exactly they are run."""
        from detect.engines.ocr import ocr_digest

        return ocr_digest(self._precision)

    @property
    def _precision(self) -> Precision:
        from detect.engines.ocr import native_precision

        return native_precision() if self.ocr_precision == "auto" else self.ocr_precision

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

    def tracking_model(self, name: str = PITSTOP) -> TrackingModel:
        """The detector whose objects are followed. It runs in this process, where the video is.

        Nothing is fetched before it is opened. Raises ``WeightsError`` where there is none, saying where to put it.
        """
        from detect.engines.objects import weights_digest

        if name != PITSTOP:
            model = self.model(name)
            return TrackingModel(model.path.name, model.digest, partial(self.object_detector, model.path))
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
        from detect.registry import other_models

        without = other_models() if self.object_weights is None and self.weights_folders else ()
        return find_weights(self.object_weights, self.weights_folders, without=without)

    def object_detector(self, path: Path) -> BatchDetector:
        """The detector in this file, loaded once; anew where the file was replaced."""
        from detect.engines.objects import load_detector, weights_digest

        if self._detectors.get(path, ("", None))[0] != weights_digest(path):
            detector = load_detector(path, threads=self.threads)
            self._detectors[path] = (detector.digest, detector)
        return self._detectors[path][1]

    @cached_property
    def _opened(self) -> dict[tuple[str, Callable[[Path], Any]], tuple[str, Any]]:
        return {}

    @cached_property
    def _detectors(self) -> dict[Path, tuple[str, BatchDetector]]:
        return {}
