"""What the report of a bookmarked checkpoint must show: by it, other settings are judged."""

from __future__ import annotations

from django.db import models

from detect.models import Checkpoint


class ScenarioExpectation(models.Model):
    """Brands and seconds that stand for "as good as it was" at a scenario. One a checkpoint, replaced as a whole."""

    checkpoint = models.OneToOneField(Checkpoint, on_delete=models.CASCADE, related_name="expectation")
    brands = models.JSONField(help_text="[{name, seconds, tolerance}], seconds of the video")
    made_from = models.CharField(max_length=10, choices=[("report", "the job's report"), ("given", "a person")])
    made_by = models.CharField(max_length=200, blank=True, help_text="user:NAME or key:NAME")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{len(self.brands)} brands expected at {self.checkpoint_id}"
