"""What stages may use besides frames: local models, vision-language providers, stored answers and reference logos.

Built once per process and passed in, so that no stage reads a setting. Models load on first use and stay loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from detect.providers.answers import AnswerStore, MemoryAnswerStore
from detect.providers.catalog import ProviderCatalog

if TYPE_CHECKING:
    from detect.engines.objects import ObjectDetector
    from detect.engines.ocr import OcrEngine


@dataclass
class Resources:
    """Engines and providers of one process.

    ``object_weights`` is the configured detector file, or None; ``weights_folders`` are searched after it.
    ``load_logo`` maps a storage key to the bytes of a reference picture.
    """

    object_weights: Path | None = None
    weights_folders: tuple[Path, ...] = ()
    providers: ProviderCatalog = field(default_factory=ProviderCatalog)
    answers: AnswerStore = field(default_factory=MemoryAnswerStore)
    load_logo: Callable[[str], bytes] | None = None
    threads: int = 2

    @cached_property
    def ocr(self) -> OcrEngine:
        from detect.engines.ocr import OcrEngine

        return OcrEngine(threads=self.threads)

    def object_weights_path(self) -> Path | None:
        """The detector file to use: the configured one, else the first found in the folders, else None."""
        from detect.engines.objects import find_weights

        return find_weights(self.object_weights, self.weights_folders)

    def object_detector(self, path: Path) -> ObjectDetector:
        from detect.engines.objects import load_detector

        if path not in self._detectors:
            self._detectors[path] = load_detector(path, threads=self.threads)
        return self._detectors[path]

    @cached_property
    def _detectors(self) -> dict[Path, ObjectDetector]:
        return {}
