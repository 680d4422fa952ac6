"""Text in pictures: PP-OCR models as rapidocr carries them, run by OpenVINO on the CPU.

OpenVINO runs these models about three times as fast as ONNX Runtime on two threads. Processors made for bfloat16 find
lines in half the time that 32 bits take, and read as well; 8-bit weights made for the same network were no faster there
and found other lines. A network made for one size of picture takes two thirds of the time of one for any size, and
bytes become numbers inside it: outside, that took half as long again as the search. Results repeat bit for bit with
one precision, on any number of threads, so the precision is part of the models' digest. Detection finds lines of text,
recognition reads one rectified line. Several pictures or lines are worked on at once, each on one thread.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from detect.errors import ConfigError
from detect.in_order import in_order
from detect.stages.base import Image
from detect.types import LatticeStep

if TYPE_CHECKING:
    import openvino

Quad = npt.NDArray[Any]
Precision = Literal["f32", "bf16"]

_BF16_FLAGS = {"amx_bf16", "avx512_bf16"}

_LINE_HEIGHT = 48
# Each input width is compiled once by the engine, so lines are padded to few widths.
_LINE_WIDTHS = (96, 160, 240, 320, 480, 640, 960)
# Networks for so many sizes of pictures are kept: those of a video, and of the strips of its boards.
_SIZES_KEPT = 6
# A reading whose characters and gaps are at least so sure is kept as text alone.
_SURE, _SURE_BLANK = 0.95, 0.8
# Of the others, steps surer than this keep one character, the rest at most so many with at least this share.
_SURE_STEP, _MOST_LIKELY, _LEAST_SHARE = 0.98, 4, 0.02


class TextLine(msgspec.Struct, frozen=True):
    """A line that was read: its text and the mean confidence of its characters, 0-1.

    ``lattice`` is what else each step may have seen; empty where every character is sure.
    """

    text: str
    confidence: float
    lattice: tuple[LatticeStep, ...] = ()


@cache
def _model_files() -> tuple[Path, Path]:
    """The detection and the recognition model, found without importing the package that carries them."""
    package = importlib.util.find_spec("rapidocr")
    if package is None or package.origin is None:
        raise ConfigError("the OCR models are missing: pip install rapidocr")
    models = Path(package.origin).parent / "models"
    return models / "PP-OCRv6_det_small.onnx", models / "PP-OCRv6_rec_small.onnx"


@cache
def native_precision() -> Precision:
    """``bf16`` where this machine's processor multiplies bfloat16 natively, else ``f32``."""
    try:
        facts = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "f32"
    flags = next((line.split() for line in facts.splitlines() if line.startswith("flags")), [])
    return "bf16" if _BF16_FLAGS & set(flags) else "f32"


@cache
def ocr_digest(precision: Precision) -> str:
    """SHA-256 over both models and the precision: what the reading of a picture depends on besides options."""
    models = in_order(_digest_of, _model_files(), threads=2)
    return hashlib.sha256("".join((precision, *models)).encode()).hexdigest()


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class OcrEngine:
    """Finds and reads lines of text; so many pictures or lines at once, from as many of the caller's threads."""

    def __init__(self, *, threads: int, precision: Precision) -> None:
        # Imported here: a command that reuses stored work, as a replay does, never needs them.
        import openvino
        from rapidocr.ch_ppocr_det.utils import DBPostProcess

        detection, recognition_file = _model_files()
        self._find_lines = DBPostProcess
        core = self._core = openvino.Core()
        self._config = {
            "INFERENCE_PRECISION_HINT": precision,
            "NUM_STREAMS": threads,
            "INFERENCE_NUM_THREADS": threads,
        }
        # OpenVINO's bindings get ready for NumPy on first use: two threads that are first at once wait for each other
        # for good.
        openvino.Type.u8.to_dtype()
        self._threads = threads
        self._detection = _of_bytes(core.read_model(str(detection)))
        self._detectors: OrderedDict[tuple[int, int], _Network] = OrderedDict()
        self._lock = Lock()
        recognition = core.read_model(str(recognition_file))
        characters = str(recognition.get_rt_info()["framework"]["character"].value).splitlines()
        self._alphabet = ["", *characters, " "]
        # Lines are small: one thread a line, several lines at once, takes three quarters of the time.
        self._recognizer = _Network(core.compile_model(recognition, "CPU", self._config), threads)

    def detect(
        self, image: Image, *, long_side: int, threshold: float = 0.3, box_threshold: float = 0.5
    ) -> list[tuple[Quad, float]]:
        """Lines of text in a BGR image, scaled so that its long side is about ``long_side`` pixels.

        Returns quads of shape ``(4, 2)`` in pixels of ``image``, clockwise from top-left, with a score 0-1.
        """
        height, width = image.shape[:2]
        scale = long_side / max(height, width)
        size = (max(32, round(width * scale / 32) * 32), max(32, round(height * scale / 32) * 32))
        # Shrinking by area averaging: plain bilinear drops thin strokes of small lettering.
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        resized = cv2.resize(image, size, interpolation=method)
        scores = self._detector(*size).infer(resized[None])
        find = self._find_lines(
            thresh=threshold,
            box_thresh=box_threshold,
            max_candidates=1000,
            unclip_ratio=1.6,
            use_dilation=True,
            score_mode="fast",
        )
        quads, confidences = find(scores, (height, width))
        found = [(np.asarray(quad, np.float32), float(score)) for quad, score in zip(quads, confidences, strict=True)]
        return sorted((item for item in found if _is_line(item[0])), key=lambda item: (item[0][0][1], item[0][0][0]))

    def _detector(self, width: int, height: int) -> _Network:
        """The detection network for pictures of this size; those that were used longest ago are given up."""
        size = width, height
        with self._lock:
            if size not in self._detectors:
                network = self._detection.clone()
                network.reshape([1, height, width, 3])
                self._detectors[size] = _Network(self._core.compile_model(network, "CPU", self._config), self._threads)
                if len(self._detectors) > _SIZES_KEPT:
                    self._detectors.popitem(last=False)
            self._detectors.move_to_end(size)
            return self._detectors[size]

    def read(self, image: Image, quads: Sequence[Quad]) -> list[TextLine]:
        """Read lines of ``image`` given as quads of shape ``(4, 2)``."""
        return self.read_lines([rectify(image, quad) for quad in quads])

    def read_lines(self, lines: Sequence[Image]) -> list[TextLine]:
        """Read upright lines, BGR images of any height."""
        threads = min(self._threads, len(lines))
        return list(in_order(self.read_line, lines, threads))

    def read_line(self, line: Image) -> TextLine:
        """Read one upright line, a BGR image of any height."""
        height, width = line.shape[:2]
        target = max(8, min(_LINE_WIDTHS[-1], round(_LINE_HEIGHT * width / max(1, height))))
        padded_width = next(bucket for bucket in _LINE_WIDTHS if bucket >= target)
        resized = cv2.resize(line, (target, _LINE_HEIGHT), interpolation=cv2.INTER_LINEAR)
        tensor = np.zeros((1, 3, _LINE_HEIGHT, padded_width), np.float32)
        tensor[..., :target] = _to_tensor(resized)
        return self._decode(self._recognizer.infer(tensor)[0])

    def _decode(self, scores: npt.NDArray[Any]) -> TextLine:
        """Greedy CTC decoding: best class a step, repeats and blanks dropped (Graves et al. 2006)."""
        best = scores.argmax(axis=1)
        chosen = best != 0
        chosen[1:] &= best[1:] != best[:-1]
        if not chosen.any():
            return TextLine("", 0.0)
        text = "".join(self._alphabet[index] for index in best[chosen])
        certainty = scores[np.arange(len(scores)), best]
        confidence = round(float(certainty[chosen].mean()), 4)
        sure = float(certainty[chosen].min()) >= _SURE and float(certainty[~chosen].min(initial=1.0)) >= _SURE_BLANK
        return TextLine(text.strip(), confidence, () if sure else self._lattice(scores, best, certainty))

    def _lattice(
        self, scores: npt.NDArray[Any], best: npt.NDArray[Any], certainty: npt.NDArray[Any]
    ) -> tuple[LatticeStep, ...]:
        """The likely characters of each step; runs of steps that are equally sure of the same are one."""
        steps: list[LatticeStep] = []
        before = -1
        for row, top, share in zip(scores, best.tolist(), certainty.tolist(), strict=True):
            if share >= _SURE_STEP:
                if top != before:
                    steps.append(
                        LatticeStep(1000, "", ()) if top == 0 else LatticeStep(0, self._alphabet[top], (1000,))
                    )
                before = top
                continue
            before = -1
            likely = np.flatnonzero(row > _LEAST_SHARE)
            order = likely[np.argsort(-row[likely], kind="stable")]
            chars = [index for index in order.tolist() if index != 0][:_MOST_LIKELY]
            steps.append(
                LatticeStep(
                    round(float(row[0]) * 1000),
                    "".join(self._alphabet[index] for index in chars),
                    tuple(round(float(row[index]) * 1000) for index in chars),
                )
            )
        return tuple(steps)


class _Network:
    """A network that as many threads as it has streams may use at once."""

    def __init__(self, compiled: openvino.CompiledModel, streams: int) -> None:
        self._free: SimpleQueue[openvino.InferRequest] = SimpleQueue()
        for _ in range(streams):
            self._free.put(compiled.create_infer_request())

    def infer(self, tensor: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The first output for one input."""
        request = self._free.get()
        try:
            # a copy: the request's own memory is the next caller's
            return np.array(request.infer([tensor], share_inputs=True)[0])
        finally:
            self._free.put(request)


def rectify(image: Image, quad: Quad) -> Image:
    """Cut a quad out of an image as an upright rectangle; lines taller than wide are turned to lie."""
    width = max(1, round(max(np.linalg.norm(quad[0] - quad[1]), np.linalg.norm(quad[3] - quad[2]))))
    height = max(1, round(max(np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[1] - quad[2]))))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    transform = cv2.getPerspectiveTransform(np.ascontiguousarray(quad, np.float32), corners)
    line: Any = cv2.warpPerspective(
        image, transform, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.rot90(line).copy() if height >= 1.5 * width else line


def _of_bytes(network: openvino.Model) -> openvino.Model:
    """The same network for ``(1, height, width, 3)`` BGR bytes instead of ``(1, 3, height, width)`` in -1..1."""
    from openvino import Layout, Type
    from openvino.preprocess import PrePostProcessor

    steps = PrePostProcessor(network)
    steps.input().tensor().set_element_type(Type.u8).set_layout(Layout("NHWC"))
    steps.input().model().set_layout(Layout("NCHW"))
    steps.input().preprocess().convert_element_type(Type.f32).mean(127.5).scale(127.5)
    return steps.build()


def _to_tensor(image: Image) -> npt.NDArray[Any]:
    """``(1, 3, height, width)`` in -1..1."""
    return cv2.dnn.blobFromImage(image, scalefactor=1 / 127.5, mean=(127.5, 127.5, 127.5))


def _is_line(quad: Quad) -> bool:
    width, height = np.linalg.norm(quad[0] - quad[1]), np.linalg.norm(quad[0] - quad[3])
    return bool(min(width, height) > 3)
