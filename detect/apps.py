from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings


class DetectConfig(AppConfig):
    name = "detect"
    verbose_name = "Detection"

    def ready(self) -> None:
        from detect.registry import use_pipelines_of

        use_pipelines_of(settings.PIPELINES_FOLDER)
