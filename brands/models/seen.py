"""What videos showed of brands."""

from __future__ import annotations

import uuid

from django.db import models

from brands.models.known import LONGEST_NAME, KnownBrand, Source


class SourceBrandSighting(models.Model):
    """What one source showed of one brand, over all its runs: it keeps a re-run from asking a model again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source_asset = models.ForeignKey("detect.SourceAsset", on_delete=models.CASCADE, related_name="sightings")
    brand = models.ForeignKey(KnownBrand, on_delete=models.CASCADE, related_name="sightings")
    brand_name = models.CharField(max_length=LONGEST_NAME)
    texts = models.JSONField(default=list, help_text="normalised texts that a model resolved to the brand")
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


class BrandAppearance(models.Model):
    """What the accepted result of one source says of one brand: the figures of its report, and its best picture.

    Replaced as a whole when another result of the source is accepted. ``brand`` is the one of that name in the report;
    a brand that was merged since is followed when it is read.
    """

    source_asset = models.ForeignKey("detect.SourceAsset", on_delete=models.CASCADE, related_name="appearances")
    brand = models.ForeignKey(KnownBrand, on_delete=models.CASCADE, related_name="appearances")
    job_id = models.UUIDField(help_text="the job whose report says so")
    seconds = models.FloatField(help_text="on screen, seconds of the video")
    seconds_uncertainty = models.FloatField()
    occurrences = models.PositiveIntegerField()
    share_of_voice = models.FloatField()
    quality_score = models.FloatField()
    sequence = models.PositiveIntegerField(help_text="frame of its best picture")
    box = models.JSONField(help_text="[x, y, width, height] on that frame, pixels of the source picture")

    class Meta:
        ordering = ["-seconds"]
        constraints = [models.UniqueConstraint(fields=["source_asset", "brand"], name="one_appearance_a_source")]
        indexes = [
            models.Index(fields=["brand", "-seconds"], name="appearance_by_brand"),
            # all that lists of brands add up, so that sorting them by a sum reads no rows
            models.Index(
                fields=["brand"], include=["seconds", "occurrences", "source_asset"], name="appearance_totals"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.brand} for {self.seconds:g} s in {self.source_asset}"
