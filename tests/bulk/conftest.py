"""Finished jobs by the handful: quick ones made by hand, and a small match that was really analysed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from brands.models import Source, SourceBrandSighting
from brands.services import brands_ensure
from detect.models import SourceAsset
from detect.types import KnownBrandRecord
from jobs.bulk.batches import BatchSettings, Planned, Selection, batch_plan, batch_select
from jobs.bulk.book import BatchOrder, Result
from jobs.models import DetectJob
from tests.matches import asset, job
from tests.trees.conftest import models, storage, use_providers
from tests.trees.made import an_asset, matched_job, run

__all__ = ["asset", "job", "models", "storage", "use_providers"]

PRICED = (
    "providers:\n  cloud: {{kind: cloud, base_url: '{url}', model: big-vl, usd_per_million_input_tokens: '2',"
    " usd_per_million_output_tokens: '2', image_tokens: 1000}}\n"
)
STRICTER = BatchSettings("compile_report", {"compile_report": {"min_seconds": 0.7}})


def completed(number: int = 0, **fields: Any) -> DetectJob:
    """A job that has completed, on a video of its own for each number."""
    return run(matched_job(asset=an_asset(sha256=f"{number:064x}"), unresolved=[], **fields))


def plan_of(settings: BatchSettings = STRICTER, *, again: bool = False, **selection: Any) -> list[Planned]:
    return batch_plan(batch_select(Selection(**selection), settings), again=again)


@dataclass
class Watch:
    """Keeps what it was told."""

    replays: list[Any] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)

    def started(self, planned: Planned, replay_id: Any) -> None:
        self.replays.append(replay_id)

    def progress(self, planned: Planned, share: float) -> None:
        self.shares.append(share)

    def ended(self, result: Result) -> None:
        self.results.append(result)

    def note(self, text: str) -> None:
        self.notes.append(text)


def an_order(**changes: Any) -> BatchOrder:
    def no_waiting(seconds: float) -> None:
        raise AssertionError(f"it waits for {seconds} s")

    return BatchOrder(**{"watch": Watch(), "checkpoint": lambda: None, "wait": no_waiting, **changes})


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Runs a command as ``manage.py`` does; errors that a person can fix are raised."""

    def call(name: str, *arguments: object) -> Ended:
        written, code = StringIO(), 0
        capsys.readouterr()
        try:
            call_command(name, *map(str, arguments), stdout=written)
        except SystemExit as end:
            code = int(end.code or 0)
        shown = capsys.readouterr()
        return Ended(code, shown.out + written.getvalue(), shown.err)

    return call


def a_brand_seen_on(video: SourceAsset, name: str) -> None:
    [brand] = brands_ensure(listed=[KnownBrandRecord(name)])
    SourceBrandSighting.objects.create(
        source_asset=video,
        brand=brand,
        brand_name=name,
        first_seen_timestamp=0.0,
        last_seen_timestamp=1.0,
        occurrences=1,
        detection_source=Source.OCR,
        avg_confidence=0.9,
    )
