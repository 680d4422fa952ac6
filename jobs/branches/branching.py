"""Where a replay or retry branches off its parent, and with what: checked in one place for runs and for estimates."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from brands.models import KnownBrand
from brands.review.recognised import brands_recognised
from brands.selectors import known_brands_snapshot
from detect.checkpoints.store import CheckpointRecord
from detect.config import ResolvedConfig, resolve
from detect.errors import ConfigError, ConflictError
from detect.options import Overrides, merge
from detect.registry import Pipeline, load_pipeline
from detect.types import KnownBrands
from jobs.models import DetectJob
from jobs.selectors import job_branch, job_known_brands


@dataclass(frozen=True)
class BranchPoint:
    """A replay that can be run: from stage ``index`` on, behind ``branch`` (the parent's stages before it).

    ``reached`` is everything the parent has gone through. ``overrides`` are the parent's with the new ones over them.
    """

    pipeline: Pipeline
    index: int
    overrides: Overrides
    config: ResolvedConfig
    reached: list[CheckpointRecord]
    known_brands: KnownBrands

    @property
    def branch(self) -> list[CheckpointRecord]:
        return self.reached[: self.index]


def branch_point(*, parent: DetectJob, start_stage: str, overrides: Overrides) -> BranchPoint:
    """What a replay of ``parent`` from ``start_stage`` on would start from.

    Raises ``ConfigError`` for an unknown stage, option or value and for options of a stage that comes before the
    branch, ``ConflictError`` when the parent did not get that far.
    """
    pipeline = load_pipeline(parent.pipeline)
    index = pipeline.index(start_stage)
    merged = merge(parent.config_overrides, overrides)
    config = resolve(pipeline, parent.profile_name, merged)
    earlier = [stage for stage in overrides if pipeline.index(stage) < index]
    if earlier:
        raise ConfigError(f"options of {', '.join(earlier)} have no effect on a replay from {start_stage}: start there")
    reached = job_branch(parent)
    if len(reached) < index:
        last = reached[-1].stage if reached else "nothing"
        raise ConflictError(f"job {parent.id} has nothing to replay {start_stage} from: it got as far as {last}")
    return BranchPoint(pipeline, index, merged, config, reached, _refreshed_brands(parent))


def _refreshed_brands(parent: DetectJob) -> KnownBrands:
    """The brands a replay knows, as they are today: all confirmed ones, or where its parent was given some, those.

    With the given ones go those that people recognised in the video since: they are to be found where they were seen.
    """
    before = job_known_brands(parent)
    only = None
    if before.given:
        wanted = {UUID(record.brand_id) for record in before.brands} | brands_recognised(parent.source_asset)
        only = list(KnownBrand.objects.filter(id__in=wanted, confirmed=True))
    return known_brands_snapshot(asset=parent.source_asset, only=only)
