"""Keys under which stage outputs are stored once.

A key is the SHA-256 of everything the output depends on, and of nothing else: two runs that would compute the same
thing find the same key, on any branch and in any job on the same asset. Inputs enter by the digest of their *content*,
not by their own key, so a changed option upstream that changes nothing downstream costs nothing downstream.
"""

from __future__ import annotations

from typing import Any

from detect.checkpoints import serde
from detect.stages.base import Chunk, Stage
from detect.types import KnownBrands


def output_key(
    stage: Stage,
    *,
    options: Any,
    models: tuple[str, ...],
    source_sha256: str,
    chunk: Chunk | None,
    inputs: dict[str, str],
    known_brands: KnownBrands | None,
) -> str:
    """Key of one output of ``stage``.

    ``inputs`` maps each input name to the content digest of that stage's output. ``known_brands`` is given exactly
    for the stages that use it.
    """
    return serde.digest(
        {
            "stage": stage.name,
            "version": stage.version,
            "options": options,
            "models": models,
            "source": source_sha256,
            "chunk": None if chunk is None else [chunk.start, chunk.end],
            "inputs": inputs,
            "known_brands": None if known_brands is None else serde.digest(known_brands),
        }
    )


def incomplete_key(key: str, content_digest: str) -> str:
    """Key for an output that something outside left incomplete: kept for its checkpoint, never found for reuse."""
    return serde.digest({"incomplete": key, "content": content_digest})
