"""Which weights pit stops use, and what is said where there are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytest_django import Settings

from detect.engines.objects import WeightsError, weights_digest
from detect.errors import ConfigError
from detect.options import convert_options
from detect.resources import DistantWeights, Resources
from detect.stages.detect_each_frame import DetectEachFrame
from jobs.engine import engine_resources
from jobs.model_files import pitstop_weights
from tests.engines.tiny_onnx import constant_network
from tests.weights.conftest import SHA256


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(path.name.encode())
    return path


def name(places: Path, text: str) -> None:
    (places / "models.yaml").write_text(f"models: {{pitstop: {{{text}}}}}")


def test_what_is_set_comes_first_then_the_file_of_models_then_the_default(places: Path, settings: Settings) -> None:
    default = put(places / "data" / "model_weights" / "best.onnx")
    assert pitstop_weights() == default
    named = put(places / "named.pt")
    name(places, "path: named.pt")
    assert pitstop_weights() == named
    settings.PITSTOP_YOLO_WEIGHTS_PATH = put(places / "mine.pt")
    assert pitstop_weights() == places / "mine.pt"


def test_a_file_that_is_set_must_exist(places: Path, settings: Settings) -> None:
    put(places / "data" / "model_weights" / "best.pt")
    settings.PITSTOP_YOLO_WEIGHTS_PATH = places / "gone.pt"
    with pytest.raises(WeightsError, match=r"gone\.pt' do not exist: correct PITSTOP_YOLO_WEIGHTS_PATH"):
        pitstop_weights()


def test_a_file_that_is_named_must_exist_and_be_the_one_that_is_meant(places: Path) -> None:
    put(places / "data" / "model_weights" / "best.pt")
    name(places, "path: named.pt")
    with pytest.raises(WeightsError, match=r"named\.pt' do not exist: correct 'pitstop' in .*models\.yaml"):
        pitstop_weights()
    named = put(places / "named.pt")
    name(places, f"path: named.pt, sha256: {weights_digest(named)}")
    assert pitstop_weights() == named
    name(places, f"path: named.pt, sha256: {SHA256}")
    with pytest.raises(WeightsError, match=f"{weights_digest(named)}.*{SHA256}"):
        pitstop_weights()


def test_without_any_it_is_said_where_to_put_them(places: Path) -> None:
    resources = Resources(tracking_weights=pitstop_weights)
    with pytest.raises(WeightsError) as caught:
        DetectEachFrame().model_digests(convert_options(DetectEachFrame(), {}), resources)
    for word in ("PITSTOP_YOLO_WEIGHTS_PATH", "model_weights/best.pt", "models.yaml"):
        assert word in caught.value.message


def test_a_file_of_models_that_cannot_be_used_is_told(places: Path) -> None:
    name(places, "colour: red")
    with pytest.raises(ConfigError, match=r"models\.yaml: model 'pitstop'"):
        pitstop_weights()


def test_weights_elsewhere_are_not_fetched_to_be_known(places: Path) -> None:
    name(places, f"url: 'http://127.0.0.1:1/best.onnx', sha256: {SHA256}")
    weights = pitstop_weights()
    assert isinstance(weights, DistantWeights)
    assert (weights.name, weights.digest) == ("best.onnx", SHA256)


def test_the_engine_of_this_installation_asks_here(places: Path) -> None:
    named = put(places / "data" / "model_weights" / "best.pt")
    assert engine_resources().tracking_model().digest == weights_digest(named)


def test_a_file_that_is_replaced_is_loaded_anew(places: Path) -> None:
    path = places / "best.onnx"
    resources = Resources(tracking_weights=lambda: path)
    found = {}
    for names in (["car"], ["person"]):
        metadata = {"names": str(dict(enumerate(names))), "imgsz": "[64, 64]", "stride": "32"}
        path.write_bytes(constant_network(np.zeros((1, 5, 84), np.float32), metadata=metadata))
        model = resources.tracking_model()
        detector = model.open()
        assert (detector.digest, model.open()) == (model.digest, detector)
        found[model.digest] = detector.class_names
    assert list(found.values()) == [("car",), ("person",)]
