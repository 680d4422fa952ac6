"""Pipelines as people choose them: what each does, what may be set, and whether it can run here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec
from django.conf import settings

from detect.config import profiles, resolve
from detect.engines.objects import WeightsError, find_weights
from detect.errors import ConfigError, MediaprocError
from detect.model_needs import ModelNeed
from detect.parameters import PROFILE, Parameter
from detect.registry import Pipeline, broken_pipelines, load_pipeline, other_models, pipeline_names
from detect.resources import NO_WEIGHTS, DistantWeights
from detect.resources import PITSTOP as PITSTOP_MODEL
from detect.stages.detect_each_frame import DetectEachFrame
from detect.stages.detect_objects import DetectObjects
from detect.weights_catalog import load_models
from jobs.model_files import model_fetch, model_fetched, pitstop_weights
from jobs.model_shelf import DeclaredModels, model_digest

#: The detector of objects that brands lie on.
OBJECTS_MODEL = "objects"
_PITSTOP_NEED = ModelNeed(
    what="finding cars and crew (YOLO weights)", setting="PITSTOP_YOLO_WEIGHTS_PATH", files=("best.pt", "best.onnx")
)
_OBJECTS_NEED = ModelNeed(
    what="telling jerseys from boards, and what hides them (YOLO weights)",
    setting="MEDIAPROC_OBJECT_WEIGHTS",
    files=("*.onnx", "*.pt"),
    optional=True,
)


@dataclass(frozen=True)
class ModelState:
    """A model of a pipeline: whether it is here, where (empty where it is fetched when it is first used), or what to
    do.
    """

    name: str
    need: ModelNeed
    found: bool
    sha256: str | None = None
    place: str = ""
    reason: str = ""


@dataclass(frozen=True)
class PipelineState:
    """A pipeline, with the reason where it cannot run here. One whose declaration is broken has a key and a reason."""

    key: str
    label: str
    version: int = 0
    description: str = ""
    inputs: tuple[str, ...] = ()
    params: Mapping[str, Parameter] = field(default_factory=dict)
    models: tuple[ModelState, ...] = ()
    reason: str = ""

    @property
    def available(self) -> bool:
        return not self.reason


def pipeline_states() -> list[PipelineState]:
    """Every pipeline by key, broken ones too; nothing is fetched or loaded for it."""
    broken = broken_pipelines()
    names = sorted({*pipeline_names(), *broken})
    return [
        PipelineState(key, label=key, reason=broken[key]) if key in broken else pipeline_state(load_pipeline(key))
        for key in names
    ]


def pipeline_state(pipeline: Pipeline) -> PipelineState:
    models = tuple(models_of(pipeline))
    missing = [model.reason for model in models if not model.found and not model.need.optional]
    return PipelineState(
        key=pipeline.key,
        label=pipeline.label,
        version=pipeline.version,
        description=pipeline.description,
        inputs=pipeline.inputs,
        params=parameters_of(pipeline),
        models=models,
        reason="; ".join(missing),
    )


def require_available(keys: Iterable[str]) -> None:
    """Raises ``ConfigError`` for an unknown pipeline, and for one that cannot run here, with the reason."""
    for key in keys:
        reason = pipeline_state(load_pipeline(key)).reason
        if reason:
            raise ConfigError(f"the pipeline '{key}' cannot run here: {reason}")


def parameters_of(pipeline: Pipeline) -> dict[str, Parameter]:
    """What may be set, with the profiles there are now as the choices of what sets one."""
    return {
        name: msgspec.structs.replace(parameter, choices=profiles_of(pipeline))
        if parameter.sets == PROFILE
        else parameter
        for name, parameter in pipeline.params.items()
    }


def profiles_of(pipeline: Pipeline) -> tuple[str, ...]:
    """Names of the profiles that fit a pipeline, its own among them."""
    return tuple(sorted({pipeline.profile, *(one.name for one in profiles(pipeline.key) if _fits(pipeline, one.name))}))


def models_of(pipeline: Pipeline) -> Iterator[ModelState]:
    """The models that a pipeline can use: those it declares, and those that this installation has for everyone."""
    options = resolve(pipeline, pipeline.profile).options
    for name, need in pipeline.models.items():
        yield _declared(name, need)
    follower = options.get(DetectEachFrame.name)
    if follower is not None and follower.model == PITSTOP_MODEL:
        yield _pitstop_model()
    if DetectObjects.name in options:
        yield _objects_model()


def _fits(pipeline: Pipeline, profile: str) -> bool:
    try:
        resolve(pipeline, profile)
    except ConfigError:
        return False
    return True


def _declared(name: str, need: ModelNeed) -> ModelState:
    def look() -> Path | DistantWeights:
        listed = load_models(settings.MODELS_FILE).get(name)
        if listed is not None and not listed.path and model_fetched(listed) is None:
            return DistantWeights(name, listed.sha256, partial(model_fetch, listed))
        return DeclaredModels().model(name).path

    return _state(name, need, look)


def _pitstop_model() -> ModelState:
    return _state(PITSTOP_MODEL, _PITSTOP_NEED, pitstop_weights)


def _objects_model() -> ModelState:
    """Of an inference server nothing is asked here: it says itself what it has."""
    if settings.INFERENCE_REMOTE:
        return ModelState(OBJECTS_MODEL, _OBJECTS_NEED, found=True, place=settings.INFERENCE_URL)

    def look() -> Path:
        path = find_weights(settings.OBJECT_WEIGHTS, settings.WEIGHTS_FOLDERS, without=other_models())
        if path is None:
            raise WeightsError(NO_WEIGHTS)
        return path

    return _state(OBJECTS_MODEL, _OBJECTS_NEED, look)


def _state(name: str, need: ModelNeed, look: Callable[[], Path | DistantWeights]) -> ModelState:
    try:
        weights = look()
        digest = model_digest(weights) if isinstance(weights, Path) else weights.digest
    except MediaprocError as error:
        return ModelState(name, need, found=False, reason=error.message)
    return ModelState(name, need, found=True, sha256=digest, place=str(weights) if isinstance(weights, Path) else "")
