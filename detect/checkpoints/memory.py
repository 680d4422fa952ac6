"""The reference store: everything in dictionaries. For tests and one-off runs."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from msgspec.structs import replace

from detect.checkpoints.store import CheckpointRecord, OutputRef


class MemoryCheckpointStore:
    """Keeps outputs and checkpoints for the life of the process."""

    def __init__(self) -> None:
        self._outputs: dict[str, tuple[OutputRef, bytes]] = {}
        self._checkpoints: dict[UUID, CheckpointRecord] = {}

    def find_output(self, key: str) -> OutputRef | None:
        stored = self._outputs.get(key)
        return None if stored is None else stored[0]

    def find_outputs(self, keys: list[str]) -> dict[str, OutputRef]:
        return {key: self._outputs[key][0] for key in keys if key in self._outputs}

    def load_output(self, key: str) -> bytes:
        return self._outputs[key][1]

    def put_output(self, ref: OutputRef, packed: bytes) -> None:
        self._outputs.setdefault(ref.key, (ref, packed))

    def add_checkpoint(self, record: CheckpointRecord) -> CheckpointRecord:
        for known in self._checkpoints.values():
            if (known.job_id, known.parent_id, known.stage) == (record.job_id, record.parent_id, record.stage):
                return known
        record = replace(record, created_at=record.created_at or datetime.now(UTC))
        self._checkpoints[record.id] = record
        return record

    def get_checkpoint(self, checkpoint_id: UUID) -> CheckpointRecord:
        return self._checkpoints[checkpoint_id]

    def list_checkpoints(self, job_id: UUID) -> list[CheckpointRecord]:
        return [record for record in self._checkpoints.values() if record.job_id == job_id]

    def list_scenarios(self) -> list[CheckpointRecord]:
        return [record for record in reversed(self._checkpoints.values()) if record.is_scenario]

    def label_checkpoint(self, checkpoint_id: UUID, label: str) -> CheckpointRecord:
        record = replace(self._checkpoints[checkpoint_id], is_scenario=bool(label), scenario_label=label)
        self._checkpoints[checkpoint_id] = record
        return record
