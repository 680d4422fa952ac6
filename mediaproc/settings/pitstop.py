"""Pit stops: the detector that finds cars and crew, and how sure it has to be."""

from __future__ import annotations

from mediaproc import env

# without it, best.pt or best.onnx in model_weights/
PITSTOP_YOLO_WEIGHTS_PATH = env.path("PITSTOP_YOLO_WEIGHTS_PATH")
PITSTOP_YOLO_THRESHOLD = env.number("PITSTOP_YOLO_THRESHOLD", 0.5, least=0.01, most=1.0)
# where weights are that are not at hand
MODELS_FILE = env.path("MEDIAPROC_MODELS") or env.DATA.root / "models.yaml"
