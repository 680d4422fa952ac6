"""Changing what is known about brands."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from uuid import NAMESPACE_DNS, UUID, uuid4, uuid5

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F

from brands.models import BrandAlias, BrandLogo, KnownBrand, Source, SourceBrandSighting
from brands.models.known import LONGEST_NAME, name_key
from brands.review.settling import groups_settle_quietly, groups_with
from detect.errors import ConfigError
from detect.matching import normalize
from detect.models import SourceAsset
from detect.report import ReportBrand, ReportEvidence
from detect.types import KnownBrandRecord

_NAMESPACE = uuid5(NAMESPACE_DNS, "known-brand.mediaproc")


@transaction.atomic
def brands_ensure(*, listed: Iterable[KnownBrandRecord]) -> list[KnownBrand]:
    """The known brands a person listed by name: made where they are new, confirmed, and given their aliases."""
    records = [(name_key(record.name), record) for record in listed]
    ensured: dict[str, KnownBrand] = {}
    found = KnownBrand.objects.filter(normalized_name__in={key for key, _ in records}).prefetch_related("aliases")
    known = {brand.normalized_name: brand for brand in found}
    # in one order for all, so that two runs never wait for each other's brands
    for key, record in sorted(records, key=lambda pair: pair[0]):
        brand = ensured.get(key) or known.get(key) or brand_get_or_create(name=record.name, source=Source.MANUAL)
        if not brand.confirmed:
            brand.confirmed = True
            brand.save(update_fields=["confirmed", "updated_at"])
        _add_aliases(brand, record.aliases)
        ensured[key] = brand
    listed_names = {name_key(name) for _, record in records for name in (record.name, *record.aliases)}
    groups_settle_quietly(groups_with(listed_names, (brand.id for brand in ensured.values())))
    return [ensured[key] for key, _ in records]


def _add_aliases(brand: KnownBrand, texts: Iterable[str]) -> None:
    """Give a brand other spellings; one that is another brand's already stays with that one."""
    has = {brand.normalized_name, *(alias.normalized for alias in brand.aliases.all())}
    wanted = {name_key(text): text for text in texts}
    new = [BrandAlias(brand=brand, text=text, normalized=key) for key, text in wanted.items() if key and key not in has]
    if new:
        names = set(KnownBrand.objects.filter(normalized_name__in=wanted).values_list("normalized_name", flat=True))
        BrandAlias.objects.bulk_create([alias for alias in new if alias.normalized not in names], ignore_conflicts=True)


def brand_get_or_create(*, name: str, source: Source) -> KnownBrand:
    """The brand of that name, in any spelling, or the one it is an alias of; a new one is unconfirmed."""
    key = name_key(name)
    alias = BrandAlias.objects.filter(normalized=key).select_related("brand").first()
    if alias is not None:
        return alias.brand
    brand, _ = KnownBrand.objects.get_or_create(
        normalized_name=key,
        defaults={"id": brand_new_id(key), "canonical_name": name[:LONGEST_NAME], "first_source": source},
    )
    return brand


def brands_get_or_create(*, named: Mapping[str, Source]) -> dict[str, KnownBrand]:
    """The brand of each of these names, as :func:`brand_get_or_create` gives it for a name and its source, in order."""
    keys = {name: name_key(name) for name in named}
    aliases = BrandAlias.objects.filter(normalized__in=keys.values()).select_related("brand")
    known = {brand.normalized_name: brand for brand in KnownBrand.objects.filter(normalized_name__in=keys.values())}
    known |= {alias.normalized: alias.brand for alias in aliases}
    return {
        name: known.get(keys[name]) or brand_get_or_create(name=name, source=source) for name, source in named.items()
    }


def brand_add_logo(*, brand: KnownBrand, path: Path) -> BrandLogo:
    """Give a brand a reference picture; the same picture again changes nothing. Raises ``ConfigError``."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"the reference picture {path} cannot be read: {error.strerror}") from error
    digest = hashlib.sha256(content).hexdigest()
    image = ContentFile(content, name=f"{digest}{path.suffix.lower()}")
    logo, _ = BrandLogo.objects.get_or_create(brand=brand, sha256=digest, defaults={"image": image})
    return logo


@transaction.atomic
def sightings_record(*, asset: SourceAsset, found: Iterable[ReportBrand]) -> None:
    """Remember what a run saw: new brands unconfirmed, one sighting a source and brand, brought up to date."""
    brands = sorted(found, key=lambda brand: brand.name)
    shown = {brand.name: [one for exposure in brand.exposures for one in exposure.evidence] for brand in brands}
    sources = {name: _first_source(evidence) for name, evidence in shown.items()}
    known = brands_get_or_create(named=sources)
    held = SourceBrandSighting.objects.select_for_update().filter(source_asset=asset, brand__in=known.values())
    before = {sighting.brand_id: sighting for sighting in held.order_by("id")}
    # in one order for all, so that two runs that end together never wait for each other's brands
    for reported in brands:
        brand = known[reported.name]
        resolved = {normalize(one.text) for one in shown[reported.name] if one.source in ("local_vlm", "cloud_llm")}
        before[brand.id] = _sighting_update(
            asset, brand, reported, resolved, sources[reported.name], before.get(brand.id)
        )


def _sighting_update(
    asset: SourceAsset,
    brand: KnownBrand,
    reported: ReportBrand,
    resolved: set[str],
    source: Source,
    before: SourceBrandSighting | None,
) -> SourceBrandSighting:
    """The sighting as a run has it; nothing is written where the last run had the same."""
    occurrences = reported.occurrences
    seen = {
        "brand_name": brand.canonical_name,
        "texts": sorted({*(before.texts if before else ()), *resolved} - {""}),
        "first_seen_timestamp": min(exposure.start for exposure in reported.exposures),
        "last_seen_timestamp": max(exposure.end for exposure in reported.exposures),
        "occurrences": occurrences,
        "detection_source": before.detection_source if before and before.texts else source,
        "avg_confidence": sum(e.mean_confidence for e in reported.exposures) / len(reported.exposures),
    }
    if before is not None and all(getattr(before, field) == value for field, value in seen.items()):
        return before
    sighting, _ = SourceBrandSighting.objects.update_or_create(source_asset=asset, brand=brand, defaults=seen)
    KnownBrand.objects.filter(id=brand.id).update(
        total_occurrences=F("total_occurrences") + occurrences - (before.occurrences if before else 0)
    )
    return sighting


def _first_source(evidence: list[ReportEvidence]) -> Source:
    """The source that asks most of trust: a model's word, where one was needed, over what was read."""
    sources = {shown.source for shown in evidence}
    ranked = (Source.CLOUD_LLM, Source.LOCAL_VLM, Source.MANUAL, Source.LOGO, Source.OCR)
    return next((source for source in ranked if source.value in sources), Source.OCR)


def brand_new_id(key: str, *, taken: Container[UUID] | None = None) -> UUID:
    """The same id for the same name on every installation, so that reports can be compared; random once taken.

    ``taken`` are the ids of all brands, where somebody has them at hand.
    """
    derived = uuid5(_NAMESPACE, key)
    is_taken = KnownBrand.objects.filter(id=derived).exists() if taken is None else derived in taken
    return uuid4() if is_taken else derived
