"""Reading what is known about brands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from brands.models import BrandAlias, KnownBrand, RejectedText, ResolvedText, Source, SourceBrandSighting
from detect.models import SourceAsset
from detect.types import KnownBrandRecord, KnownBrands, LogoReference

_RESOLVED_BY = (Source.LOCAL_VLM, Source.CLOUD_LLM, Source.MANUAL)


def brand_roots() -> dict[UUID, UUID]:
    """Merged brands by their ids: the brand that each is now, however many merges lead there."""
    into = dict(KnownBrand.objects.exclude(merged_into=None).order_by().values_list("id", "merged_into_id"))
    return {brand: _root(brand, into) for brand in into}


def brand_parts(brands: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """Brands by their ids: each with all that was merged into it, itself first."""
    parts = {brand: [brand] for brand in brands}
    for part, root in brand_roots().items():
        if root in parts:
            parts[root].append(part)
    return parts


def brands_by_text(texts: Iterable[str]) -> dict[str, UUID]:
    """Normalised texts that are the name or an alias of a brand, confirmed or not, with the brand they mean today."""
    texts = set(texts)
    roots = brand_roots()
    aliases = BrandAlias.objects.filter(normalized__in=texts).order_by().values_list("normalized", "brand_id")
    names = KnownBrand.objects.filter(normalized_name__in=texts).order_by().values_list("normalized_name", "id")
    return {text: roots.get(brand, brand) for text, brand in (*aliases, *names)}


def known_brands_snapshot(*, asset: SourceAsset, only: Iterable[KnownBrand] | None = None) -> KnownBrands:
    """What a run on ``asset`` knows about brands: ``only`` the listed ones, or every confirmed one.

    A brand that a person recognised in this very source is known to its runs, listed or not.
    """
    roots = brand_roots()
    decided = list(ResolvedText.objects.filter(source_asset=asset).order_by("text").values_list("text", "brand_id"))
    brands = KnownBrand.objects.filter(merged_into=None)
    if only is None:
        brands = brands.filter(confirmed=True)
    else:
        wanted = {brand.id for brand in only} | {brand for _, brand in decided}
        brands = brands.filter(id__in={roots.get(brand, brand) for brand in wanted})
    records = _records(list(brands.order_by("normalized_name").prefetch_related("aliases", "logos")), roots)
    names = {brand: record.name for brand, record in records.items()}
    cached = {**_told(asset, roots, names, proposed=only is None), **_meant(decided, roots, names)}
    return KnownBrands(
        brands=tuple(records.values()),
        given=only is not None,
        rejected=tuple(RejectedText.objects.order_by("text").values_list("text", flat=True)),
        cached=tuple(sorted(cached.items())),
    )


def _root(brand: UUID, into: Mapping[UUID, UUID]) -> UUID:
    while brand in into:
        brand = into[brand]
    return brand


def _records(brands: list[KnownBrand], roots: Mapping[UUID, UUID]) -> dict[UUID, KnownBrandRecord]:
    """Each brand with all that was merged into it: their names are spellings of it, their pictures are its own."""
    parts: defaultdict[UUID, list[KnownBrand]] = defaultdict(list)
    for part in KnownBrand.objects.filter(id__in=roots).order_by("id").prefetch_related("aliases", "logos"):
        parts[roots[part.id]].append(part)
    return {brand.id: _record(brand, parts[brand.id]) for brand in brands}


def _record(brand: KnownBrand, parts: list[KnownBrand]) -> KnownBrandRecord:
    spellings = [*brand.alias_texts, *(text for part in parts for text in (part.canonical_name, *part.alias_texts))]
    logos = {logo.sha256: logo.image.name for one in (*parts, brand) for logo in one.logos.all()}
    return KnownBrandRecord(
        name=brand.canonical_name,
        aliases=tuple(dict.fromkeys(spellings)),
        brand_id=str(brand.id),
        confirmed=brand.confirmed,
        logos=tuple(LogoReference(digest, key) for digest, key in sorted(logos.items())),
    )


def _told(
    asset: SourceAsset, roots: Mapping[UUID, UUID], names: Mapping[UUID, str], *, proposed: bool
) -> dict[str, str]:
    """Texts of this source with the known brand that a model took them for.

    With ``proposed`` also those that it took for one nobody has confirmed: it would have to be asked again.
    """
    sightings = SourceBrandSighting.objects.filter(source_asset=asset, detection_source__in=_RESOLVED_BY)
    told = [(text, seen.brand_id) for seen in sightings.order_by("brand_id") for text in seen.texts]
    if told and proposed:
        unconfirmed = KnownBrand.objects.filter(sightings__source_asset=asset, confirmed=False, merged_into=None)
        unconfirmed = unconfirmed.exclude(normalized_name__in=RejectedText.objects.values("text"))
        names = {**dict(unconfirmed.order_by().values_list("id", "canonical_name")), **names}
    return _meant(told, roots, names)


def _meant(texts: Iterable[tuple[str, UUID]], roots: Mapping[UUID, UUID], names: Mapping[UUID, str]) -> dict[str, str]:
    """Texts with the name of the brand that each means today; those of brands without a name here are left out."""
    meant = ((text, names.get(roots.get(brand, brand))) for text, brand in texts)
    return {text: name for text, name in meant if name is not None}
