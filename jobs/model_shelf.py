"""Where this installation finds the models that pipelines declare, and what to do where one is missing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import msgspec
from django.conf import settings

from detect.engines.objects import WeightsError, weights_digest
from detect.model_needs import ModelNeed
from detect.registry import broken_pipelines, load_pipeline, pipeline_names
from detect.resources import LocalModel
from detect.weights_catalog import ModelEntry, load_models
from jobs.model_files import model_fetch, model_fetched


class DeclaredModels:
    """A :class:`~detect.resources.ModelShelf`: a setting, the file of models, ``model_weights/``, packages, downloads.

    Nothing is fetched but what the file of models names, which somebody wrote for that, or :func:`model_download` has
    fetched before.
    """

    def model(self, name: str) -> LocalModel:
        need = declared_models().get(name)
        if need is None:
            raise WeightsError(f"no pipeline declares a model '{name}'")
        path = _configured(need) or _listed(name) or _found(need)
        if path is None:
            raise WeightsError(_missing(name, need))
        return LocalModel(name, path, model_digest(path))

    def find(self, name: str) -> LocalModel | None:
        need = declared_models().get(name)
        if need is None or (_configured(need) or _listed(name) or _found(need)) is None:
            return None
        return self.model(name)

    def models_of(self, pipeline: str) -> Mapping[str, LocalModel]:
        found = {name: self.find(name) for name in load_pipeline(pipeline).models}
        return {name: model for name, model in found.items() if model is not None}


def declared_models() -> dict[str, ModelNeed]:
    """The models of all pipelines that can be used, by name."""
    broken = broken_pipelines()
    return {
        name: need for key in pipeline_names() if key not in broken for name, need in load_pipeline(key).models.items()
    }


def model_download(name: str, *, told: Callable[[int], None] | None = None) -> Path:
    """Fetch a declared model from where its declaration says, unless it is here; ``told`` is told the bytes that came
    so far.

    Raises ``WeightsError`` where that says nothing or what comes is something else, ``StorageError`` where the server
    cannot be reached.
    """
    need = declared_models()[name]
    if need.download is None:
        raise WeightsError(_missing(name, need))
    entry = ModelEntry(url=need.download.url, sha256=need.download.sha256)
    return model_fetch(entry, told=told, said_by="the pipeline that needs them")


def _configured(need: ModelNeed) -> Path | None:
    """What the setting names. Raises ``WeightsError`` where that is not there."""
    given = os.environ.get(need.setting, "").strip() if need.setting else ""
    if not given:
        return None
    path = Path(given).expanduser()
    if not path.exists():
        raise WeightsError(f"the model '{path}' does not exist: correct {need.setting} or put it there")
    return path


def _listed(name: str) -> Path | None:
    """What the file of models says, fetched if need be."""
    entry = load_models(settings.MODELS_FILE).get(name)
    if entry is None:
        return None
    path = Path(entry.path) if entry.path else model_fetch(entry)
    if not path.is_file():
        raise WeightsError(f"the model '{path}' does not exist: correct '{name}' in {settings.MODELS_FILE}")
    return path


def _found(need: ModelNeed) -> Path | None:
    """The first there is of the files in ``model_weights/``, what a package carries, and what was downloaded."""
    return next(iter(_candidates(need)), None)


def _candidates(need: ModelNeed) -> Iterator[Path]:
    for folder in settings.WEIGHTS_FOLDERS:
        for pattern in need.files:
            yield from sorted(folder.glob(pattern))
    carried = _carried(need.package) if need.package else None
    if carried is not None:
        yield carried
    if need.download is not None:
        fetched = model_fetched(ModelEntry(url=need.download.url, sha256=need.download.sha256))
        if fetched is not None:
            yield fetched


@cache
def _carried(package: str) -> Path | None:
    """A file or folder inside an installed package, which is not imported for it."""
    module, _, inside = package.partition(":")
    spec = find_spec(module)
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(place, inside)
        if path.exists():
            return path
    return None


def model_digest(path: Path) -> str:
    """SHA-256 of a file, or over the names and digests of a folder's files."""
    if path.is_file():
        return weights_digest(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    facts = [(file.relative_to(path).as_posix(), weights_digest(file)) for file in files]
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()


def _missing(name: str, need: ModelNeed) -> str:
    ways = [f"put {' or '.join(need.files)} into model_weights/"] if need.files else []
    ways += [f"set {need.setting} to its file"] if need.setting else []
    ways += [f"install the package {need.package.partition(':')[0]}"] if need.package else []
    ways += [f"run `manage.py models --fetch {name}`"] if need.download else []
    return f"there is no model '{name}' ({need.what}): {', '.join(ways)}"
