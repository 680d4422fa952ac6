"""Facts about brands: all that a run is told, and all that people's decisions change.

Rows here are written by runs (new, unconfirmed brands) and by ``brands/actions`` (everything else), which can undo
exactly what they did because each fact is a row or a field of its own.
"""

from __future__ import annotations

import uuid

from django.db import models

from detect.matching import normalize

LONGEST_NAME = 300


class Source(models.TextChoices):
    """How a brand, or a sighting, came to be known."""

    OCR = "ocr", "read on screen"
    LOGO = "logo", "reference picture"
    LOCAL_VLM = "local_vlm", "local vision model"
    CLOUD_LLM = "cloud_llm", "cloud model"
    MANUAL = "manual", "a person"


class KnownBrand(models.Model):
    """A brand by its canonical name. Unconfirmed ones were proposed by a run and wait for a person.

    A merged brand keeps its row, aliases, logos and sightings and points to the brand it is: whoever reads follows the
    pointer (``brands.selectors.brand_roots``), and taking it away is the whole of an un-merge.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    canonical_name = models.CharField(max_length=LONGEST_NAME)
    normalized_name = models.CharField(max_length=LONGEST_NAME, unique=True, editable=False)
    first_source = models.CharField(max_length=20, choices=Source, default=Source.MANUAL)
    total_occurrences = models.PositiveIntegerField(default=0)
    confirmed = models.BooleanField(default=False)
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged", help_text="the brand it is"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["canonical_name"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(merged_into=models.F("id")), name="brand_is_not_merged_into_itself"
            )
        ]

    def __str__(self) -> str:
        return self.canonical_name

    @property
    def alias_texts(self) -> list[str]:
        """Its other spellings, as they were given, in the order they came."""
        return [alias.text for alias in self.aliases.all()]


class BrandAlias(models.Model):
    """Another spelling that means a brand, wherever it is read. One spelling means one brand."""

    brand = models.ForeignKey(KnownBrand, on_delete=models.CASCADE, related_name="aliases")
    text = models.CharField(max_length=LONGEST_NAME)
    normalized = models.CharField(max_length=LONGEST_NAME, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "brand aliases"

    def __str__(self) -> str:
        return self.text


class BrandLogo(models.Model):
    """A reference picture by which a brand is found without its name."""

    brand = models.ForeignKey(KnownBrand, on_delete=models.CASCADE, related_name="logos")
    image = models.FileField(upload_to="logos/")
    sha256 = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "sha256"], name="one_logo_once")]

    def __str__(self) -> str:
        return f"logo of {self.brand}"


class RejectedText(models.Model):
    """A normalised text that a person said is no brand, in any video."""

    text = models.CharField(max_length=LONGEST_NAME, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["text"]

    def __str__(self) -> str:
        return self.text


class ResolvedText(models.Model):
    """A normalised text that a person said is a brand where one source shows it: a misreading, not an alias."""

    source_asset = models.ForeignKey("detect.SourceAsset", on_delete=models.CASCADE, related_name="resolved_texts")
    text = models.CharField(max_length=LONGEST_NAME)
    brand = models.ForeignKey(KnownBrand, on_delete=models.CASCADE, related_name="resolved_texts")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source_asset", "text"], name="one_meaning_a_source_and_text")]

    def __str__(self) -> str:
        return f"{self.text}: {self.brand}"


def name_key(name: str) -> str:
    """What makes two names, aliases or texts the same one; as long as their columns are."""
    return normalize(name)[:LONGEST_NAME]
