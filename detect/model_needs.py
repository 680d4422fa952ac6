"""Models that pipelines need, as they declare them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Download(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a model's file can be had; ``sha256`` is held against what comes."""

    url: Annotated[str, Meta(pattern=r"^https?://")]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]


class ModelNeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model and the places where it is looked for, the first that has it: a setting, ``model_weights/``, a package.

    ``what`` tells people what it is for. ``setting`` is an environment variable with a file or folder; ``files`` are
    names or patterns in ``model_weights/``; ``package`` is ``module:path`` of an installed package that carries it;
    ``download`` is where it can be fetched from when somebody asks for that. Without an ``optional`` one the pipeline
    runs and leaves out what that would give.
    """

    what: str
    setting: str = ""
    files: tuple[str, ...] = ()
    package: str = ""
    download: Download | None = None
    optional: bool = False
