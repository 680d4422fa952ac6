"""Known brands and what was seen of them: they grow over all runs."""

from __future__ import annotations

import uuid

from django.db import models


class Source(models.TextChoices):
    """How a brand, or a sighting, came to be known."""

    OCR = "ocr", "read on screen"
    LOGO = "logo", "reference picture"
    LOCAL_VLM = "local_vlm", "local vision model"
    CLOUD_LLM = "cloud_llm", "cloud model"
    MANUAL = "manual", "a person"


class KnownBrand(models.Model):
    """A brand by its canonical name. Unconfirmed ones were proposed by a run and wait for a person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    canonical_name = models.CharField(max_length=300)
    normalized_name = models.CharField(max_length=300, unique=True, editable=False)
    aliases = models.JSONField(default=list, blank=True, help_text="other spellings that mean this brand")
    first_source = models.CharField(max_length=20, choices=Source, default=Source.MANUAL)
    total_occurrences = models.PositiveIntegerField(default=0)
    confirmed = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["canonical_name"]

    def __str__(self) -> str:
        return self.canonical_name


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


class SourceBrandSighting(models.Model):
    """What one source showed of one brand: it keeps a re-run from asking a model again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source_asset = models.ForeignKey("detect.SourceAsset", on_delete=models.CASCADE, related_name="sightings")
    brand = models.ForeignKey(KnownBrand, on_delete=models.CASCADE, related_name="sightings")
    brand_name = models.CharField(max_length=300)
    texts = models.JSONField(default=list, help_text="normalised texts that a model or a person resolved to the brand")
    first_seen_timestamp = models.FloatField(help_text="seconds of the video")
    last_seen_timestamp = models.FloatField(help_text="seconds of the video")
    occurrences = models.PositiveIntegerField()
    detection_source = models.CharField(max_length=20, choices=Source)
    avg_confidence = models.FloatField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["brand_name"]
        constraints = [
            models.UniqueConstraint(fields=["source_asset", "brand"], name="one_sighting_a_source_and_brand")
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="sighting_newest"),
            models.Index(fields=["brand", "-created_at", "-id"], name="sighting_by_brand"),
            models.Index(fields=["detection_source", "-created_at", "-id"], name="sighting_by_source"),
        ]

    def __str__(self) -> str:
        return f"{self.brand_name} in {self.source_asset}"


class RejectedText(models.Model):
    """A normalised text that a person said is no brand."""

    text = models.CharField(max_length=300, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.text
