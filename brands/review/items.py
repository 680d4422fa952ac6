"""What a source's accepted result leaves to people, and what it says of each brand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import transaction

from brands.models import BrandAppearance, KnownBrand, ReviewItem, Source
from brands.models.known import LONGEST_NAME, name_key
from brands.review.grouping import Groups, groups_forget_empty
from brands.review.settling import groups_settle_quietly
from brands.services import brands_get_or_create
from detect.matching import fold
from detect.models import SourceAsset
from detect.report import Report, ReportBrand, ReportEvidence, ReportUnresolved, Xywh

Picture = tuple[int, Xywh]
"""A frame's sequence and a box on it."""


def pictures_of(report: Report) -> list[Picture]:
    """The pictures of what a report leaves to people: one for each undecided candidate and unconfirmed brand."""
    brands = (_best(brand) for brand in report.brands if not brand.confirmed)
    return [
        *((item.sequence, item.box) for item in report.unresolved),
        *((shown.sequence, shown.box) for shown in brands),
    ]


@transaction.atomic
def result_record(*, asset: SourceAsset, report: Report, hashes: Mapping[Picture, str]) -> None:
    """Make a report the source's accepted one: its items wait for people, its figures count.

    ``hashes`` are perceptual hashes of :func:`pictures_of`; a picture that is gone has none.
    """
    job_id = UUID(report.job_id)
    before = ReviewItem.objects.filter(source_asset=asset)
    emptied = set(before.order_by().values_list("group_id", flat=True))
    before.delete()
    BrandAppearance.objects.filter(source_asset=asset).delete()
    brands = brands_get_or_create(named={brand.name: Source.OCR for brand in report.brands})
    _record_appearances(asset, job_id, report.brands, brands)
    items = [
        *(_candidate(item) for item in report.unresolved),
        *(_proposed(brand, brands[brand.name]) for brand in report.brands if not brand.confirmed),
    ]
    groups = Groups()
    for item in items:
        item.source_asset, item.job_id = asset, job_id
        item.crop_hash = hashes.get((item.sequence, tuple(item.box)), "")
        item.group = groups.place(item)
    ReviewItem.objects.bulk_create(items)
    touched = emptied | {item.group_id for item in items}
    groups_forget_empty(list(touched))
    groups_settle_quietly(touched)


def _record_appearances(
    asset: SourceAsset, job_id: UUID, shown: Iterable[ReportBrand], brands: Mapping[str, KnownBrand]
) -> None:
    rows: dict[UUID, BrandAppearance] = {}
    for brand in sorted(shown, key=lambda brand: -brand.seconds):
        best = _best(brand)
        rows.setdefault(
            brands[brand.name].id,
            BrandAppearance(
                source_asset=asset,
                brand=brands[brand.name],
                job_id=job_id,
                seconds=brand.seconds,
                seconds_uncertainty=brand.seconds_uncertainty,
                occurrences=brand.occurrences,
                share_of_voice=brand.share_of_voice,
                quality_score=brand.quality_score,
                sequence=best.sequence,
                box=list(best.box),
            ),
        )
    BrandAppearance.objects.bulk_create(rows.values())


def _candidate(item: ReportUnresolved) -> ReviewItem:
    return ReviewItem(
        text=item.text[:LONGEST_NAME],
        normalized=name_key(item.text),
        folded=fold(item.text)[:LONGEST_NAME],
        seconds=item.seconds,
        time=item.time,
        sequence=item.sequence,
        box=list(item.box),
        confidence=item.confidence,
        placement=item.placement,
        reason=item.reason,
    )


def _proposed(shown: ReportBrand, brand: KnownBrand) -> ReviewItem:
    best = _best(shown)
    return ReviewItem(
        brand=brand,
        text=shown.name[:LONGEST_NAME],
        normalized=name_key(shown.name),
        folded=fold(shown.name)[:LONGEST_NAME],
        seconds=shown.seconds,
        time=best.time,
        sequence=best.sequence,
        box=list(best.box),
        confidence=best.confidence,
        placement=max(shown.by_placement, key=lambda place: shown.by_placement[place]),
        reason="proposed by the run: nobody has confirmed it yet",
    )


def _best(brand: ReportBrand) -> ReportEvidence:
    evidence = (shown for exposure in brand.exposures for shown in exposure.evidence)
    return max(evidence, key=lambda shown: (shown.confidence, shown.box[2] * shown.box[3], -shown.sequence))
