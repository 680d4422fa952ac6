"""Files of declarations in YAML: those that come with the program, and reading one into its shape."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TypeVar

import msgspec
import yaml

from detect.errors import ConfigError

T = TypeVar("T")
_SUFFIX = ".yaml"


def builtin_files(folder: str) -> dict[str, Traversable]:
    """Files of a folder of the program's own declarations, by name without suffix."""
    return declared_in([resources.files("detect").joinpath(folder)])


def declared_in(places: Iterable[Traversable]) -> dict[str, Traversable]:
    """Declarations in these folders, by name without suffix; of one name that in the last place counts."""
    return {
        file.name.removesuffix(_SUFFIX): file
        for place in places
        if place.is_dir()
        for file in place.iterdir()
        if file.name.endswith(_SUFFIX)
    }


def read_declaration(file: Traversable, kind: type[T]) -> T:
    """Raises ``ConfigError`` naming the file, where in it and what is wrong."""
    try:
        return msgspec.convert(yaml.safe_load(file.read_text(encoding="utf-8")), type=kind)
    except (msgspec.ValidationError, yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{file}: {error}") from error
