"""The engine's records in Postgres: assets, timelines, stage outputs, checkpoints, model answers, charges, profiles."""

from __future__ import annotations

import uuid

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models


class SourceAsset(models.Model):
    """One source video: where it is and what was found out about it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    path = models.TextField(help_text="file it was read from last")
    sha256 = models.CharField(max_length=64, unique=True)
    probe = models.JSONField(default=dict, help_text="duration, exact frame rate, size, codec, warnings")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.path


class Timeline(models.Model):
    """The frames sampled from an asset with one set of options: images in storage, facts here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source_asset = models.ForeignKey(SourceAsset, on_delete=models.CASCADE, related_name="timelines")
    source_video = models.TextField()
    profile_name = models.CharField(max_length=100)
    fps = models.FloatField()
    frames_prefix = models.TextField(help_text="storage folder of its frames")
    frames_manifest = models.JSONField(default=dict, help_text="sequence: storage key")
    frames_meta = models.JSONField(default=list, help_text="[{sequence, chunk_id, timestamp, perceptual_hash}]")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.source_video} at {self.fps:g} fps"


class StageOutput(models.Model):
    """What one stage produced for one chunk or asset, stored once under its key. Never changed."""

    key = models.CharField(max_length=64, primary_key=True)
    stage = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the content")
    size = models.BigIntegerField(help_text="bytes before compression")
    seconds = models.FloatField(help_text="work it took when it was computed")
    stats = models.JSONField(default=dict)
    skipped = models.TextField(blank=True)
    incomplete = models.BooleanField(default=False)
    files = ArrayField(models.TextField(), default=list, blank=True, help_text="keys of the files that belong to it")
    body = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["stage"]),
            models.Index(fields=["key"], condition=~models.Q(files=[]), name="output_with_files"),
        ]

    def __str__(self) -> str:
        return f"{self.stage} {self.key[:12]}"


class Checkpoint(models.Model):
    """An immutable node: the pipeline's state after a stage. Children are config tries."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    timeline = models.ForeignKey(Timeline, on_delete=models.CASCADE, related_name="checkpoints")
    job_id = models.UUIDField(db_index=True, help_text="the job that made it")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="children")
    stage = models.CharField(max_length=100)
    stage_index = models.PositiveIntegerField()
    outputs = models.JSONField(default=dict, help_text="stage: key of its manifest")
    config_overrides = models.JSONField(default=dict)
    config_snapshot = models.JSONField(default=dict)
    stats = models.JSONField(default=dict)
    is_scenario = models.BooleanField(default=False)
    scenario_label = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "stage_index"]
        indexes = [
            models.Index(fields=["stage", "-created_at"], name="checkpoint_by_stage"),
            models.Index(fields=["-created_at"], condition=models.Q(is_scenario=True), name="checkpoint_scenarios"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["job_id", "parent", "stage"], name="one_checkpoint_a_step", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return self.scenario_label or f"after {self.stage}"


class ModelAnswer(models.Model):
    """What a vision-language model answered to one question: kept so that it is never paid for twice."""

    digest = models.CharField(max_length=64, primary_key=True, help_text="of crop, prompt and model")
    provider = models.CharField(max_length=100)
    model = models.CharField(max_length=200)
    body = models.BinaryField(help_text="the stored answer, encoded")
    usd = models.DecimalField(max_digits=14, decimal_places=8)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["provider", "model", "-created_at"], name="answer_newest")]

    def __str__(self) -> str:
        return f"{self.provider} {self.digest[:12]}"


class ModelCharge(models.Model):
    """What a run with limits asked of a model: noted with the most it can cost before it is asked, corrected after."""

    job_id = models.UUIDField(db_index=True, help_text="the job whose limits it counts against")
    digest = models.CharField(max_length=64, help_text="of crop, prompt and model")
    calls = models.PositiveIntegerField(help_text="that were charged, or may have been")
    usd = models.DecimalField(max_digits=18, decimal_places=8)
    most_usd = models.DecimalField(
        max_digits=18, decimal_places=8, default=0, help_text="that one call was reckoned to cost"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.usd} USD for {self.digest[:12]}"


class Profile(models.Model):
    """Values of options that somebody saved under a name, over the stages' defaults.

    Jobs are resumed and replayed by the name of their profile, so what it stands for never changes; what it is called
    and described as may.
    """

    name = models.SlugField(max_length=100, unique=True, allow_unicode=True)
    label = models.CharField(max_length=100, help_text="what people call it")
    description = models.TextField(blank=True, help_text="the footage it is for")
    pipeline = models.CharField(max_length=100)
    options = models.JSONField(default=dict, help_text="stage: option: value, where it differs from the default")
    created_by = models.CharField(max_length=200, blank=True, help_text="user:NAME or key:NAME")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        triggers = [pgtrigger.ReadOnly(name="profile_stays_as_saved", fields=["name", "pipeline", "options"])]

    def __str__(self) -> str:
        return self.label
