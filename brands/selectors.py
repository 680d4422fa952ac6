"""Reading what is known about brands."""

from __future__ import annotations

from collections.abc import Iterable

from brands.models import KnownBrand, RejectedText, Source, SourceBrandSighting
from detect.models import SourceAsset
from detect.types import KnownBrandRecord, KnownBrands, LogoReference

_RESOLVED_BY = (Source.LOCAL_VLM, Source.CLOUD_LLM, Source.MANUAL)


def known_brands_snapshot(*, asset: SourceAsset, only: Iterable[KnownBrand] | None = None) -> KnownBrands:
    """What a run on ``asset`` knows about brands: ``only`` the listed ones, or every confirmed one."""
    brands = (
        KnownBrand.objects.filter(confirmed=True)
        if only is None
        else KnownBrand.objects.filter(id__in=[brand.id for brand in only])
    )
    records = [_record(brand) for brand in brands.order_by("normalized_name").prefetch_related("logos")]
    names = {record.name for record in records}
    return KnownBrands(
        brands=tuple(records),
        given=only is not None,
        rejected=tuple(RejectedText.objects.order_by("text").values_list("text", flat=True)),
        cached=tuple(sorted(_cached(asset, names))),
    )


def _record(brand: KnownBrand) -> KnownBrandRecord:
    return KnownBrandRecord(
        name=brand.canonical_name,
        aliases=tuple(brand.aliases),
        brand_id=str(brand.id),
        confirmed=brand.confirmed,
        logos=tuple(
            LogoReference(logo.sha256, logo.image.name)
            for logo in sorted(brand.logos.all(), key=lambda logo: logo.sha256)
        ),
    )


def _cached(asset: SourceAsset, names: set[str]) -> list[tuple[str, str]]:
    """Texts of this source that a model or a person resolved to one of ``names`` before."""
    sightings = SourceBrandSighting.objects.filter(
        source_asset=asset, detection_source__in=_RESOLVED_BY, brand_name__in=names
    )
    return [(text, sighting.brand_name) for sighting in sightings for text in sighting.texts]
