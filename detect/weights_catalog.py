"""Which weights there are for a purpose: files at known places, and a file of models that says where others are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from detect.engines.objects import SUFFIXES
from detect.errors import ConfigError
from detect.named_entries import read_named_entries

#: Names that the weights of followed objects have where nobody says otherwise, the first found first.
DEFAULT_NAMES = ("best.pt", "best.onnx")


class ModelEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where one model's weights are: ``path`` on this machine, ``key`` in storage, or ``url`` of an HTTP server.

    ``sha256`` is that of the file, in lower case; what comes from elsewhere is held against it.
    """

    path: str = ""
    key: str = ""
    url: str = ""
    sha256: Annotated[str, Meta(pattern=r"^([0-9a-fA-F]{64})?$")] = ""

    @property
    def filename(self) -> str:
        """The last part of where it is; of an address nothing after ``?``, where secrets stand."""
        return PurePosixPath(self.path or self.key or urlsplit(self.url).path).name

    @property
    def place(self) -> str:
        """Where it is, for people: of an address neither the user nor what stands after ``?``."""
        if not self.url:
            return f"'{self.path or self.key}'"
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def load_models(path: Path) -> Mapping[str, ModelEntry]:
    """Read a file of models; a missing file has none. Relative paths in it count from its folder.

    Raises ``ConfigError`` naming the file, the model and what is wrong with it.
    """
    entries = read_named_entries(path, "models", kind="models file", settings="where the weights are")
    return {name: _read_model(path, name, entry) for name, entry in entries.items()}


def find_default(folders: Sequence[Path]) -> Path | None:
    """The first of ``best.pt`` and ``best.onnx`` in the first folder that has one, else None."""
    places = (folder / name for folder in folders for name in DEFAULT_NAMES)
    return next((place for place in places if place.is_file()), None)


def _read_model(path: Path, name: str, entry: Any) -> ModelEntry:
    where = f"models file {path}: model '{name}'"
    try:
        read = msgspec.convert(entry, ModelEntry)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {error}") from None
    if sum(map(bool, (read.path, read.key, read.url))) != 1:
        raise ConfigError(f"{where}: give one of path, key and url")
    if not read.path and not read.sha256:
        raise ConfigError(f"{where}: needs sha256, the digest of the file that is to be fetched")
    if read.key.startswith("/") or ".." in PurePosixPath(read.key).parts:
        raise ConfigError(f"{where}: key must be a name in storage such as models/best.pt")
    if read.url and not _is_http(read.url):
        raise ConfigError(f"{where}: url must be an address such as https://models.example/best.pt")
    if PurePosixPath(read.filename).suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{where}: the file's name must end in one of {', '.join(SUFFIXES)}")
    place = str(path.parent / Path(read.path).expanduser()) if read.path else ""
    return msgspec.structs.replace(read, path=place, sha256=read.sha256.lower())


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
