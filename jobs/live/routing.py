"""Paths of the websockets."""

from __future__ import annotations

from django.urls import path

from jobs.live.consumers import AllJobsConsumer, JobEventsConsumer

websocket_urlpatterns = [
    path("ws/jobs", AllJobsConsumer.as_asgi(), name=AllJobsConsumer.route),
    path("ws/jobs/<uuid:job_id>", JobEventsConsumer.as_asgi(), name=JobEventsConsumer.route),
]
