"""Accepted results of made-up videos, for reviewing."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from brands.actions import GroupRef
from brands.models import ReviewGroup
from brands.review.items import result_record
from detect.models import SourceAsset
from detect.report import Report, ReportBrand, ReportCosts, ReportScoring, ReportSource, ReportUnresolved
from mediaproc.roles import Role
from tests.brands.factories import report_brand


@dataclass(frozen=True)
class Person:
    """Somebody who decides."""

    name: str
    role: Role = Role.REVIEWER

    def may(self, least: Role) -> bool:
        return self.role.includes(least)


ANA, BEN = Person("user:ana"), Person("user:ben")
CLEO = Person("user:cleo", Role.CURATOR)


def asset_of(name: str) -> SourceAsset:
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    asset, _ = SourceAsset.objects.get_or_create(sha256=sha256, defaults={"path": name, "probe": {"duration": 600.0}})
    return asset


def undecided(text: str, seconds: float = 5.0, sequence: int = 3) -> ReportUnresolved:
    return ReportUnresolved(
        candidate_id=hashlib.sha256(text.encode()).hexdigest()[:16],
        text=text,
        seconds=seconds,
        crop="",
        reason="no known brand is spelled like it",
        suggestions=[],
        placement="board",
        confidence=0.9,
        time=sequence / 2,
        sequence=sequence,
        box=(10, 20, 100, 30),
        members=1,
    )


def proposed(name: str, seconds: float = 8.0) -> ReportBrand:
    """An unconfirmed brand as a report lists it."""
    brand = report_brand(name, spans=[(1.0, 1.0 + seconds)])
    return ReportBrand(
        **{field: getattr(brand, field) for field in ReportBrand.__struct_fields__} | {"confirmed": False}
    )


def report_of(brands: Sequence[ReportBrand] = (), unresolved: Sequence[ReportUnresolved] = ()) -> Report:
    return Report(
        job_id=str(uuid.uuid4()),
        checkpoint_id=str(uuid.uuid4()),
        source=ReportSource(
            path="match.mp4",
            sha256="a" * 64,
            duration=600.0,
            width=1280,
            height=720,
            frame_rate="25/1",
            variable_frame_rate=False,
            analyzed_seconds=600.0,
            problems=[],
        ),
        pipeline="brands",
        profile="soccer_broadcast",
        config_digest="",
        brands=list(brands),
        unresolved=list(unresolved),
        costs=ReportCosts(),
        scoring=ReportScoring(quality_score="", weights={}, media_value="", currency="USD"),
        notes=[],
        stages=[],
    )


def record(name: str, *texts: str, brands: Sequence[ReportBrand] = (), seconds: float = 5.0) -> SourceAsset:
    """A video whose accepted result leaves these texts undecided and shows these brands."""
    asset = asset_of(name)
    report = report_of(brands, [undecided(text, seconds, sequence=3 + place) for place, text in enumerate(texts)])
    result_record(asset=asset, report=report, hashes={})
    return asset


def group(text: str) -> ReviewGroup:
    return ReviewGroup.objects.get(text=text)


def ref(text: str) -> GroupRef:
    found = group(text)
    return GroupRef(found.id, found.revision)
