"""Putting a stage's output into a store as a child checkpoint, and getting it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, overload
from uuid import UUID, uuid4

from detect.checkpoints import serde
from detect.checkpoints.store import CheckpointRecord, CheckpointStore, Manifest, OutputRef
from detect.stages.base import Stats

T = TypeVar("T")
Options = dict[str, dict[str, Any]]


def save_stage_output(
    store: CheckpointStore,
    *,
    stage: str,
    parts: Sequence[Any],
    timeline_id: UUID,
    job_id: UUID,
    parent: CheckpointRecord | None = None,
    overrides: Options | None = None,
    snapshot: Options | None = None,
) -> CheckpointRecord:
    """Store outputs made elsewhere as the child of ``parent``.

    The parent's outputs are carried forward; its statistics and overrides are merged with the new ones. ``parts`` are
    the outputs of the chunks in order, one for a stage over the whole asset. Stored by content: the same twice is one.
    """
    refs = []
    for part in parts:
        ref, packed = _content_ref(stage, part)
        store.put_output(ref, packed)
        refs.append(ref)
    merged = {**({} if parent is None else parent.config_overrides)}
    for name, values in (overrides or {}).items():
        merged[name] = {**merged.get(name, {}), **values}
    stats: Stats = {**merge_stats([ref.stats for ref in refs]), **run_stats(seconds=0.0, refs=refs, reused=0)}
    return add_stage_checkpoint(
        store,
        stage=stage,
        refs=refs,
        stats=stats,
        timeline_id=timeline_id,
        job_id=job_id,
        parent=parent,
        overrides=merged,
        snapshot=snapshot or ({} if parent is None else parent.config_snapshot),
    )


def load_stage_output(store: CheckpointStore, node: CheckpointRecord, stage: str, kind: type[T]) -> StoredParts[T]:
    """All parts of a stage's output at a checkpoint, in order. Raises ``KeyError`` if the stage is not before it."""
    return StoredParts(store, load_manifest(store, node, stage).keys, kind)


class StoredParts(Sequence[T]):
    """The parts of a stage's output in order, each decoded when it is looked at."""

    def __init__(self, store: CheckpointStore, keys: Sequence[str], kind: type[T]) -> None:
        self._store, self._keys, self._kind = store, keys, kind

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> StoredParts[T]: ...
    def __getitem__(self, index: int | slice) -> T | StoredParts[T]:
        if isinstance(index, slice):
            return StoredParts(self._store, self._keys[index], self._kind)
        return serde.unpack(self._store.load_output(self._keys[index]), self._kind)


def load_manifest(store: CheckpointStore, node: CheckpointRecord, stage: str) -> Manifest:
    """Where the parts of a stage's output at a checkpoint are stored."""
    return serde.unpack(store.load_output(node.outputs[stage]), Manifest)


def add_stage_checkpoint(
    store: CheckpointStore,
    *,
    stage: str,
    refs: Sequence[OutputRef],
    stats: Stats,
    timeline_id: UUID,
    job_id: UUID,
    parent: CheckpointRecord | None,
    overrides: Options,
    snapshot: Options,
) -> CheckpointRecord:
    """Add the node for stored outputs: a manifest of them, and the checkpoint that refers to it."""
    manifest = Manifest(keys=[ref.key for ref in refs], digests=[ref.digest for ref in refs])
    ref, packed = _content_ref(stage, manifest)
    store.put_output(ref, packed)
    return store.add_checkpoint(
        CheckpointRecord(
            id=uuid4(),
            timeline_id=timeline_id,
            job_id=job_id,
            parent_id=None if parent is None else parent.id,
            stage=stage,
            stage_index=0 if parent is None else parent.stage_index + 1,
            outputs={**({} if parent is None else parent.outputs), stage: ref.key},
            config_overrides=overrides,
            config_snapshot=snapshot,
            stats={**({} if parent is None else parent.stats), stage: stats},
        )
    )


def make_ref(key: str, stage: str, value: Any, *, seconds: float) -> tuple[OutputRef, bytes]:
    """A value ready to be stored under ``key``: its reference and its packed body."""
    body = serde.encode(value)
    ref = OutputRef(
        key=key,
        stage=stage,
        digest=serde.digest_bytes(body),
        size=len(body),
        seconds=seconds,
        stats=getattr(value, "stats", {}),
        skipped=getattr(value, "skipped", ""),
        incomplete=getattr(value, "incomplete", False),
        files=[file.key for file in getattr(value, "files", ())],
    )
    return ref, serde.pack(body)


def merge_stats(parts: Sequence[Stats]) -> Stats:
    """Add up the figures of a stage's chunks; texts are kept once where they agree."""
    merged: Stats = {}
    for part in parts:
        for name, value in part.items():
            known = merged.get(name)
            if isinstance(value, str) or isinstance(known, str) or known is None:
                merged[name] = value
            else:
                merged[name] = known + value
    return merged


def run_stats(*, seconds: float, refs: Sequence[OutputRef], reused: int) -> Stats:
    """What a checkpoint keeps of how its stage went, beside the stage's own figures."""
    return {
        "seconds": round(seconds, 3),
        "units": len(refs),
        "reused": reused,
        "skipped": refs[0].skipped if refs else "",
        "incomplete": any(ref.incomplete for ref in refs),
    }


def _content_ref(stage: str, value: Any) -> tuple[OutputRef, bytes]:
    """A reference keyed by content alone."""
    key = serde.digest({"content of": stage, "type": type(value).__name__, "value": value})
    return make_ref(key, stage, value, seconds=0.0)
