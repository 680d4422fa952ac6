"""What YOLO networks share, whatever runs them: fitting pictures, batches, and scaling the answers back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from detect.engines import yolo_output
from detect.engines.objects import Detections
from detect.stages.base import Image
from detect.types import Region


class YoloNetwork(ABC):
    """A :class:`~detect.engines.objects.BatchDetector` but for the network itself.

    A network with a ``_fixed`` input gets ``_size``, one that takes any the smallest rectangle, as upstream does.
    """

    digest: str
    class_names: tuple[str, ...]
    device: str
    batch_size: int
    _form: yolo_output.Form
    _size: tuple[int, int]
    _stride: int
    _fixed: bool
    _classes: int | None

    def detect(self, image: Image, *, confidence: float, iou: float) -> list[Region]:
        """See :meth:`detect.engines.objects.ObjectDetector.detect`."""
        found = self.detect_many([image], confidence=confidence, iou=iou)[0]
        return yolo_output.to_regions(found, self.class_names)

    def detect_many(self, images: Sequence[Image], *, confidence: float, iou: float) -> list[Detections]:
        """See :meth:`detect.engines.objects.BatchDetector.detect_many`."""
        found: list[Detections] = []
        for group in self._batches(images):
            size = self._size if self._fixed else yolo_output.input_shape(group[0], self._size, self._stride)
            fits = [yolo_output.letterbox(image, *size, centred=self._form != "yolox") for image in group]
            outputs = self._forward(np.stack([canvas for canvas, _ in fits]))
            for index, (image, (_, fitted)) in enumerate(zip(group, fits, strict=True)):
                boxes, scores = yolo_output.decode(outputs[index : index + 1], self._form, size, self._classes)
                found.append(
                    yolo_output.to_detections(
                        boxes, scores, self._form, fitted, image.shape[:2], confidence=confidence, iou=iou
                    )
                )
        return found

    @abstractmethod
    def _forward(self, canvases: Image) -> yolo_output.Floats:
        """The network's output for ``(n, height, width, 3)`` BGR pictures that fit its input."""

    def _blank(self) -> yolo_output.Floats:
        """What it answers to one grey picture, which settles what kind of network it is."""
        return self._forward(np.full((1, *self._size, 3), 114, dtype=np.uint8))

    def _batches(self, images: Sequence[Image]) -> Iterator[list[Image]]:
        """Pictures that follow each other and have one shape, at most ``batch_size`` together."""
        for _, alike in groupby(images, key=lambda image: image.shape):
            group = list(alike)
            for start in range(0, len(group), self.batch_size):
                yield group[start : start + self.batch_size]
