"""One setting on one video of known truth: the pipeline run on it, what of the report is right, what the work took.

Everything is stored by key, so a trial computes what no trial before it has: the first one runs every stage, one of
another option of ``match_brands`` runs ``match_brands`` and what follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

import msgspec

from detect.checkpoints.outputs import load_manifest
from detect.checkpoints.store import CheckpointRecord, CheckpointStore, OutputRef
from detect.config import ResolvedConfig
from detect.errors import StorageError
from detect.events import RunListener, SilentListener
from detect.providers.limits import ModelLimits
from detect.registry import Pipeline
from detect.report import ReportBody
from detect.resources import Resources
from detect.runner import Runner, RunRequest
from detect.scoring import BrandScore, normalise_name, score
from detect.stages.base import FrameSource, Image
from detect.types import KnownBrands, SourceInfo

Judge = Callable[[ReportBody], list[BrandScore]]


class Figures(msgspec.Struct, frozen=True):
    """What a setting comes to on one video, or on several together.

    ``seconds`` is the work of a run from the video on, stage by stage in ``stages``: each output counts with what it
    took when it was computed, whichever trial that was. ``usd`` is what the answers of models in the report cost.
    """

    brands: list[BrandScore]
    stages: dict[str, float]
    usd: Decimal
    incomplete: bool = False

    @property
    def seconds(self) -> float:
        return sum(self.stages.values())

    @property
    def precision(self) -> float:
        """Correct seconds / reported seconds, 1 where nothing is reported."""
        return self._share("reported_seconds")

    @property
    def recall(self) -> float:
        """Correct seconds / true seconds, 1 where nothing is true."""
        return self._share("true_seconds")

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def _share(self, of: str) -> float:
        whole = sum(getattr(brand, of) for brand in self.brands)
        return sum(brand.correct_seconds for brand in self.brands) / whole if whole else 1.0


@dataclass(frozen=True)
class Case:
    """A video to try settings on: what is looked for in it, and who knows what is there."""

    name: str
    source: SourceInfo
    brands: KnownBrands
    judge: Judge


@dataclass(frozen=True)
class Bench:
    """Runs cases. ``store`` and ``frames`` give where the outputs and the frames of a run are kept.

    ``limits`` hold over all runs together. ``checkpoint`` is called between pieces of work and may raise, ``warm_up``
    before anything is computed: models that it loads are not part of the first setting's work.
    """

    pipeline: Pipeline
    resources: Resources
    limits: ModelLimits
    store: Callable[[], CheckpointStore]
    frames: Callable[[Case, ResolvedConfig], FrameSource]
    listener: RunListener = field(default_factory=SilentListener)
    checkpoint: Callable[[], None] = lambda: None
    warm_up: Callable[[], object] = lambda: None

    def run(self, case: Case, config: ResolvedConfig) -> Figures:
        """One setting on one case. Raises what a stage raises; what was finished until then is found again."""
        store = WholeWork(self.store(), self.warm_up)
        runner = Runner(self.pipeline, store, self.frames(case, config), self.resources, self.listener, self.checkpoint)
        request = RunRequest(
            job_id=uuid4(),
            timeline_id=uuid4(),
            source=case.source,
            config=config,
            overrides={},
            known_brands=case.brands,
            limits=self.limits,
        )
        result = runner.run(request)
        self.checkpoint()
        refs = {stage.name: _refs(store, result.checkpoint, stage.name) for stage in self.pipeline.stages}
        return Figures(
            brands=case.judge(result.output),
            stages={stage: round(sum(ref.seconds for ref in parts), 3) for stage, parts in refs.items()},
            usd=Decimal(result.output.costs.usd),
            incomplete=any(ref.incomplete for parts in refs.values() for ref in parts),
        )


def together(figures: Sequence[Figures]) -> Figures:
    """Several cases as one: their brands' seconds, work and money added up."""
    stages: dict[str, float] = {}
    for one in figures:
        for stage, seconds in one.stages.items():
            stages[stage] = round(stages.get(stage, 0.0) + seconds, 3)
    return Figures(
        brands=[brand for one in figures for brand in one.brands],
        stages=stages,
        usd=sum((one.usd for one in figures), Decimal(0)),
        incomplete=any(one.incomplete for one in figures),
    )


def by_spans(truth: Sequence[Mapping[str, Any]]) -> Judge:
    """Judged second by second, by the rule of ``detect/scoring.py``."""

    def judge(body: ReportBody) -> list[BrandScore]:
        shown = {brand.name: [(one.start, one.end) for one in brand.exposures] for brand in body.brands}
        return list(score(shown, truth).per_brand.values())

    return judge


def by_totals(expected: Iterable[tuple[str, float, float]]) -> Judge:
    """Judged by each brand's seconds in all: ``(name, seconds, tolerance)``, the tolerance being as good as right.

    When a brand was on screen is not known then, so a report that is wrong about it is not found out.
    """
    wanted = {normalise_name(name): (name, seconds, tolerance) for name, seconds, tolerance in expected}

    def judge(body: ReportBody) -> list[BrandScore]:
        shown = {normalise_name(brand.name): (brand.name, brand.seconds) for brand in body.brands}
        scores = []
        for key in sorted(wanted.keys() | shown.keys()):
            name, true, tolerance = wanted.get(key, (shown.get(key, ("", 0.0))[0], 0.0, 0.0))
            reported = shown.get(key, ("", 0.0))[1]
            if key in wanted and abs(reported - true) <= tolerance:
                reported = true
            scores.append(BrandScore(name, true, reported, min(true, reported), in_truth=key in wanted))
        return scores

    return judge


class WholeWork:
    """A store in which an output's seconds are all of its work, parts that an earlier run had remembered included.

    Without them a setting would look the faster for having been tried after another one. ``missing`` is called before
    something is computed. Work of one runner at a time.
    """

    def __init__(self, store: CheckpointStore, missing: Callable[[], object] = lambda: None) -> None:
        self._store = store
        self._missing = missing
        self._found: dict[str, float] = {}
        self._made: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def find_output(self, key: str) -> OutputRef | None:
        ref = self._store.find_output(key)
        if ref is None:
            self._missing()
        elif _is_part(ref) and key not in self._made:
            self._found[key] = ref.seconds
        return ref

    def put_output(self, ref: OutputRef, packed: bytes) -> None:
        if _is_part(ref):
            self._made.add(ref.key)
        elif self._found:
            ref = msgspec.structs.replace(ref, seconds=ref.seconds + sum(self._found.values()))
            self._found.clear()
        self._store.put_output(ref, packed)


class FramesBehind:
    """Frames of which some are elsewhere already: read there what is not here, and written here only."""

    def __init__(self, here: FrameSource, behind: FrameSource) -> None:
        self._here, self._behind = here, behind

    def load(self, sequence: int) -> Image:
        try:
            return self._here.load(sequence)
        except StorageError:
            return self._behind.load(sequence)

    def load_jpeg(self, sequence: int) -> bytes:
        try:
            return self._here.load_jpeg(sequence)
        except StorageError:
            return self._behind.load_jpeg(sequence)

    def save_jpeg(self, sequence: int, jpeg: bytes) -> None:
        self._here.save_jpeg(sequence, jpeg)


def _is_part(ref: OutputRef) -> bool:
    """Whether it is a part of a stage's work (``StageContext.remember``): those are named stage.part."""
    return "." in ref.stage


def _refs(store: WholeWork, node: CheckpointRecord, stage: str) -> list[OutputRef]:
    keys = load_manifest(store, node, stage).keys
    found: dict[str, OutputRef] = store.find_outputs(keys)
    return [found[key] for key in keys]
