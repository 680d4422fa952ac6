"""What waits for people, and what they decided."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from brands.models.known import LONGEST_NAME, KnownBrand


class ItemState(models.TextChoices):
    """What is known of an item now; it follows from the facts in ``known`` alone (``brands/review/settling.py``)."""

    OPEN = "open", "waits for a decision"
    BRAND = "brand", "is a known brand"
    REJECTED = "rejected", "is no brand"


class ReviewGroup(models.Model):
    """Items over all videos that one decision settles: same text, alike spelling, or alike picture.

    The sums are of its open items; ``revision`` grows whenever its items or their states change, and a decision made
    on another revision is refused.
    """

    text = models.CharField(max_length=LONGEST_NAME, help_text="as its longest-seen item spells it")
    folded = models.CharField(max_length=LONGEST_NAME, db_index=True)
    open_items = models.PositiveIntegerField(default=0)
    open_sources = models.PositiveIntegerField(default=0)
    open_seconds = models.FloatField(default=0.0)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-open_seconds", "id"]
        indexes = [
            models.Index(fields=["-open_seconds", "id"], condition=Q(open_items__gt=0), name="group_queue"),
        ]

    def __str__(self) -> str:
        return self.text


class ReviewItem(models.Model):
    """One undecided candidate, or one unconfirmed brand (``brand``), of a source's accepted result."""

    group = models.ForeignKey(ReviewGroup, on_delete=models.CASCADE, related_name="items")
    source_asset = models.ForeignKey("detect.SourceAsset", on_delete=models.CASCADE, related_name="review_items")
    job_id = models.UUIDField(help_text="the job whose report shows it")
    brand = models.ForeignKey(
        KnownBrand, on_delete=models.CASCADE, null=True, related_name="review_items", help_text="the proposed brand"
    )
    text = models.CharField(max_length=LONGEST_NAME)
    normalized = models.CharField(max_length=LONGEST_NAME, db_index=True)
    folded = models.CharField(max_length=LONGEST_NAME, db_index=True)
    seconds = models.FloatField(help_text="on screen, seconds of the video")
    time = models.FloatField(help_text="of the picture, seconds of the video")
    sequence = models.PositiveIntegerField(help_text="frame of the picture")
    box = models.JSONField(help_text="[x, y, width, height] on that frame, pixels of the source picture")
    crop_hash = models.CharField(max_length=16, blank=True, help_text="perceptual hash of the picture, hexadecimal")
    confidence = models.FloatField()
    placement = models.CharField(max_length=20)
    reason = models.TextField(blank=True, help_text="why the run did not decide")
    state = models.CharField(max_length=10, choices=ItemState, default=ItemState.OPEN)

    class Meta:
        ordering = ["-seconds", "id"]
        constraints = [models.CheckConstraint(condition=Q(state__in=ItemState.values), name="item_state_is_known")]
        indexes = [models.Index(fields=["group", "state"], name="item_by_group")]

    def __str__(self) -> str:
        return f"{self.text} in {self.source_asset}"


class DecisionKind(models.TextChoices):
    """One for each action in ``brands/actions``."""

    CONFIRM = "confirm", "confirmed"
    NEW_BRAND = "new_brand", "made a brand"
    ALIAS = "alias", "made an alias"
    RENAME = "rename", "renamed"
    REJECT = "reject", "rejected"
    RESTORE = "restore", "no longer rejected"
    SPLIT = "split", "split off"
    MERGE = "merge", "merged"
    UNMERGE = "unmerge", "un-merged"
    EDIT = "edit", "edited"
    DISTINCT = "distinct", "kept apart"
    DELETE = "delete", "deleted"
    IMPORT = "import", "imported"
    UNDO = "undo", "undone"


class Decision(models.Model):
    """What somebody decided, and every row it changed: enough to undo it exactly, whenever.

    Decisions are made one after another (``brands/actions/base.py``), so ids are in the order they took effect.
    ``changes`` is what ``brands/actions/journal.py`` wrote down.
    """

    kind = models.CharField(max_length=20, choices=DecisionKind)
    by = models.CharField(max_length=200, help_text="user:NAME, key:NAME or command")
    sentence = models.TextField(help_text="what was decided, for people")
    brand = models.ForeignKey(KnownBrand, on_delete=models.SET_NULL, null=True, related_name="decisions")
    groups = ArrayField(models.BigIntegerField(), default=list, help_text="review groups it was made on")
    items = models.PositiveIntegerField(default=0, help_text="items it settled")
    seconds = models.FloatField(default=0.0, help_text="of video that these stand for")
    assets = models.ManyToManyField(
        "detect.SourceAsset", related_name="decisions", help_text="whose reports it concerns"
    )
    changes = models.JSONField(default=list)
    undoes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="undone_by")
    token = models.UUIDField(
        null=True, editable=False, help_text="given by who asked for it: asked for again, it is not made again"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [GinIndex(fields=["changes"], name="decision_by_change", opclasses=["jsonb_path_ops"])]
        constraints = [models.UniqueConstraint(fields=["by", "token"], name="one_decision_a_token")]

    def __str__(self) -> str:
        return self.sentence
