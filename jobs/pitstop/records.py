"""What people say of a pit stop's job, and the times they set by hand."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q


class PitstopRun(models.Model):
    """What a job of the pit-stop pipeline was sent with; one a job."""

    job = models.OneToOneField("jobs.DetectJob", on_delete=models.CASCADE, primary_key=True, related_name="pitstop")
    series = models.CharField(max_length=200, blank=True)
    race = models.CharField(max_length=200, blank=True)
    notes = models.TextField(blank=True)
    input_filename = models.CharField(max_length=200)
    input_size_bytes = models.BigIntegerField()

    class Meta:
        verbose_name = "pit stop"

    def __str__(self) -> str:
        return self.input_filename


class MetricByHand(models.Model):
    """A time that a person set over what was measured, seconds; taking it back removes the row."""

    job = models.ForeignKey("jobs.DetectJob", on_delete=models.CASCADE, related_name="metrics_by_hand")
    name = models.CharField(max_length=50, help_text="of the metric, such as stop_time_s")
    value = models.FloatField(validators=[MinValueValidator(0.0)], help_text="seconds")
    set_by = models.CharField(max_length=200, help_text="user:NAME or key:NAME")
    set_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["job", "name"]
        verbose_name = "metric set by hand"
        verbose_name_plural = "metrics set by hand"
        constraints = [
            models.UniqueConstraint(fields=["job", "name"], name="one_value_a_metric"),
            models.CheckConstraint(
                condition=Q(value__gte=0, value__lt=float("inf")), name="metric_is_a_length_of_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} = {self.value:g} s"
