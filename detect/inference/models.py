"""The models of a server and what they find in one picture: what the stages of the same name would find there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from detect.engines.boards import find_boards
from detect.engines.objects import ObjectDetector
from detect.errors import ConfigError
from detect.frame_regions import draw_overlays, regions_at
from detect.inference.wire import Answer, DebugAnswer, LoadedModels, ObjectsInfo, OcrInfo, WireRegion
from detect.options import convert_options
from detect.resources import ObjectModel, Resources
from detect.stages.base import Image, StageContext
from detect.stages.detect_edges import DetectEdges, DetectEdgesOutput
from detect.stages.detect_objects import DetectObjects, DetectObjectsInput, DetectObjectsOutput
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.stages.run_ocr import RunOcr, RunOcrInput
from detect.types import FrameSignals, KnownBrands, Sample, SourceInfo

_EDGES, _OBJECTS, _OCR = DetectEdges(), DetectObjects(), RunOcr()
STAGES = {stage.name: stage.version for stage in (_EDGES, _OBJECTS, _OCR)}
_KEPT = FilterScenesOutput(kept=[0], stands_for={}, cuts=[])
_SAMPLED = ExtractFramesOutput(samples=[Sample(0, 0.0, "0", "")], signals=FrameSignals([], [], [], []))


class NoWeightsError(ConfigError):
    """Objects were asked for and there is no detector."""

    code = "no_weights"
    status = 409


@dataclass(frozen=True)
class Models:
    """Loaded models. Each works for one request at a time; boards need none and are sought in parallel."""

    resources: Resources
    objects: tuple[ObjectModel, ObjectDetector] | None
    _reading: Lock = field(default_factory=Lock)
    _seeing: Lock = field(default_factory=Lock)

    @classmethod
    def load(cls, *, weights: Path | None, folders: Sequence[Path] = (), threads: int = 2) -> Models:
        """Load everything now. Raises ``WeightsError`` for weights that cannot be used."""
        resources = Resources(object_weights=weights, weights_folders=tuple(folders), threads=threads)
        model = resources.object_model()
        _ = resources.ocr
        return cls(resources, None if model is None else (model, model.open()))

    def loaded(self) -> LoadedModels:
        objects = None
        if self.objects is not None:
            model, detector = self.objects
            objects = ObjectsInfo(model.name, model.digest, detector.class_names, detector.device)
        return LoadedModels(objects, OcrInfo(self.resources.ocr_digest, "cpu"))

    def detect_edges(self, image: Image, config: dict[str, Any]) -> Answer:
        """Boards and LED strips. This and what follows raise ``ConfigError`` for an option that is not allowed."""
        findings = find_boards(image, convert_options(_EDGES, config))
        return Answer([WireRegion.of(region) for region in findings.regions])

    def debug_edges(self, image: Image, config: dict[str, Any]) -> DebugAnswer:
        """Boards and LED strips with pictures of how they were found."""
        findings = find_boards(image, convert_options(_EDGES, config))
        return DebugAnswer.of(findings.regions, draw_overlays(image, findings))

    def detect_objects(self, image: Image, config: dict[str, Any]) -> Answer:
        """What the object detector knows. Raises :class:`NoWeightsError` where there is none."""
        options = convert_options(_OBJECTS, config)
        if self.objects is None:
            raise NoWeightsError("this server has no object weights: start it with --weights FILE")
        model, detector = self.objects
        unknown = [name for name in options.classes if name not in detector.class_names]
        if unknown:
            known = ", ".join(detector.class_names)
            raise ConfigError(f"detect_objects.classes: '{model.name}' knows no '{unknown[0]}'; it knows {known}")
        with self._seeing:
            output = _OBJECTS.run(self._context(image, options), DetectObjectsInput(_KEPT))
        return Answer([WireRegion.of(region) for region in regions_at(output, 0)], model.digest)

    def read(self, image: Image, config: dict[str, Any]) -> Answer:
        """Lines of text, those on low boards too; options about following texts through a shot have no effect."""
        options = convert_options(_OCR, config)
        boards = DetectEdgesOutput(regions={0: find_boards(image).regions})
        data = RunOcrInput(_SAMPLED, _KEPT, boards, DetectObjectsOutput(regions={}))
        with self._reading:
            output = _OCR.run(self._context(image, options), data)
        regions = [WireRegion.of(region, text=region.label) for region in regions_at(output, 0)]
        return Answer(regions, self.resources.ocr_digest)

    def _context(self, image: Image, options: Any) -> StageContext:
        height, width = image.shape[:2]
        source = SourceInfo("", "", 0.0, width, height, "0", variable_frame_rate=False, start_time=0.0)
        return StageContext(source, options, _OnePicture(image), KnownBrands(), self.resources)


@dataclass(frozen=True)
class _OnePicture:
    """A :class:`~detect.stages.base.FrameSource` of one picture."""

    image: Image

    def load(self, sequence: int) -> Image:
        return self.image

    def load_jpeg(self, sequence: int) -> bytes:
        raise NotImplementedError("stages that look at single pictures take them decoded")

    def save_jpeg(self, sequence: int, jpeg: bytes) -> None:
        raise NotImplementedError("nothing is stored here")
