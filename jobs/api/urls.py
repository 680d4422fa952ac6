"""Paths of the REST interfaces, without trailing slashes."""

from __future__ import annotations

from django.urls import path

from jobs.api.detection import CheckpointList, ScenarioList

urlpatterns = [
    path("detect/checkpoints/<uuid:job_id>", CheckpointList.as_view(), name="detect-checkpoints"),
    path("detect/scenarios", ScenarioList.as_view(), name="detect-scenarios"),
]
