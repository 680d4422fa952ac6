"""What a store of stage outputs and checkpoints must do.

``tests/checkpoints/contract.py`` holds the suite that every implementation passes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec


class OutputRef(msgspec.Struct, frozen=True):
    """A stored stage output without its body. ``seconds`` is the work it took when it was computed.

    ``files`` are the keys of files in storage that belong to it.
    """

    key: str
    stage: str
    digest: str
    size: int
    seconds: float
    stats: dict[str, int | float | str]
    skipped: str
    incomplete: bool
    files: list[str] = msgspec.field(default_factory=list)


class Manifest(msgspec.Struct, frozen=True):
    """A stage's output over the whole asset: the keys and content digests of its parts, in order."""

    keys: list[str]
    digests: list[str]


class CheckpointRecord(msgspec.Struct, frozen=True):
    """One node of the tree: the pipeline's state after ``stage``.

    ``outputs`` maps every stage up to this one to the key of its manifest. ``config_overrides`` are merged down the
    branch; ``config_snapshot`` is the whole resolved configuration.
    """

    id: UUID
    timeline_id: UUID
    job_id: UUID
    parent_id: UUID | None
    stage: str
    stage_index: int
    outputs: dict[str, str]
    config_overrides: dict[str, dict[str, Any]]
    config_snapshot: dict[str, dict[str, Any]]
    stats: dict[str, dict[str, Any]]
    is_scenario: bool = False
    scenario_label: str = ""
    created_at: datetime | None = None


class CheckpointStore(Protocol):
    """Storage of outputs (immutable, addressed by key) and of checkpoints (immutable but for their bookmark)."""

    def find_output(self, key: str) -> OutputRef | None:
        """The output under ``key`` without its body, or None."""

    def find_outputs(self, keys: list[str]) -> dict[str, OutputRef]:
        """Those of ``keys`` that are stored, in one query."""

    def load_output(self, key: str) -> bytes:
        """The packed body under ``key``. Raises ``KeyError`` when there is none."""

    def put_output(self, ref: OutputRef, packed: bytes) -> None:
        """Store an output. What is stored under a key already stays: outputs never change."""

    def add_checkpoint(self, record: CheckpointRecord) -> CheckpointRecord:
        """Add a node. Adding one again for the same job, parent and stage returns the first."""

    def get_checkpoint(self, checkpoint_id: UUID) -> CheckpointRecord:
        """Raises ``KeyError`` for an unknown id."""

    def list_checkpoints(self, job_id: UUID) -> list[CheckpointRecord]:
        """Nodes that ``job_id`` made, parents before children."""

    def list_scenarios(self) -> list[CheckpointRecord]:
        """Bookmarked nodes of all jobs, newest first."""

    def label_checkpoint(self, checkpoint_id: UUID, label: str) -> CheckpointRecord:
        """Bookmark a node as a scenario; an empty label takes the bookmark away."""
