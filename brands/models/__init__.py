"""What is known of brands (``known``, ``apart``), what was seen of them (``seen``), what people decide (``review``)."""

from brands.models.apart import DistinctBrands
from brands.models.known import BrandAlias, BrandLogo, KnownBrand, RejectedText, ResolvedText, Source
from brands.models.review import Decision, DecisionKind, ItemState, ReviewGroup, ReviewItem
from brands.models.seen import BrandAppearance, SourceBrandSighting

__all__ = [
    "BrandAlias",
    "BrandAppearance",
    "BrandLogo",
    "Decision",
    "DecisionKind",
    "DistinctBrands",
    "ItemState",
    "KnownBrand",
    "RejectedText",
    "ResolvedText",
    "ReviewGroup",
    "ReviewItem",
    "Source",
    "SourceBrandSighting",
]
