"""How long stages took before: what an estimate of their next run is made from."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from detect.checkpoints import serde
from detect.checkpoints.store import CheckpointRecord, Manifest
from detect.estimating import StageForecast
from detect.models import Checkpoint, ModelAnswer, SourceAsset
from detect.persistence import DatabaseCheckpointStore
from detect.providers.answers import StoredAnswer
from detect.providers.catalog import Provider

_VIDEOS = 5
_ANSWERS = 50


class WorkHistory:
    """Times of stages on one asset: those of the branch that is replayed, else of any run on it, else of other videos.

    A time is the work that a unit took when it was computed, whichever run reuses it.
    """

    def __init__(self, asset: SourceAsset, reached: Sequence[CheckpointRecord]) -> None:
        self._asset = asset
        self._store = DatabaseCheckpointStore()
        self._outputs = dict(reached[-1].outputs) if reached else {}

    def seconds(self, stage: StageForecast) -> float | None:
        """Work of the stage's units that are not stored; None where the stage never ran on anything."""
        name = stage.stage.name
        share = stage.missing / stage.units
        manifest = self._outputs.get(name) or self._latest_here(name)
        if manifest is None:
            pace = self._pace_elsewhere(name)
            return None if pace is None else round(pace * float(self._asset.probe["duration"]) * share, 3)
        [units] = self._unit_seconds([manifest])
        if len(units) == stage.units:
            return round(sum(taken for number, taken in enumerate(units) if number not in stage.stored), 3)
        return round(sum(units) * share, 3)

    def asking_seconds(self, provider: Provider, calls: int) -> float | None:
        """Time for so many questions to a provider, as many at once as it takes; None where it never answered."""
        if not calls:
            return 0.0
        answers = ModelAnswer.objects.filter(provider=provider.name, model=provider.model).order_by("-created_at")
        bodies = answers.values_list("body", flat=True)[:_ANSWERS]
        taken = [msgspec.json.decode(bytes(body), type=StoredAnswer).seconds for body in bodies]
        return round(calls * sum(taken) / len(taken) / provider.concurrency, 3) if taken else None

    def _latest_here(self, stage: str) -> str | None:
        nodes = Checkpoint.objects.filter(stage=stage, timeline__source_asset=self._asset).order_by("-created_at")
        outputs = nodes.values_list("outputs", flat=True).first()
        return None if outputs is None else outputs[stage]

    def _pace_elsewhere(self, stage: str) -> float | None:
        """Seconds of work a second of video."""
        nodes = Checkpoint.objects.filter(stage=stage).order_by("-created_at")
        rows = list(nodes.values_list("outputs", "timeline__source_asset__probe__duration")[:_VIDEOS])
        length = sum(float(duration or 0) for _, duration in rows)
        if not length:
            return None
        return sum(sum(units) for units in self._unit_seconds([outputs[stage] for outputs, _ in rows])) / length

    def _unit_seconds(self, manifests: list[str]) -> list[list[float]]:
        """Seconds of each part of each manifest."""
        bodies = self._store.load_outputs(manifests)
        keys = [serde.unpack(bodies[manifest], Manifest).keys for manifest in manifests]
        refs = self._store.find_outputs([key for parts in keys for key in parts])
        return [[refs[key].seconds for key in parts] for parts in keys]
