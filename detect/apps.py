from __future__ import annotations

from django.apps import AppConfig


class DetectConfig(AppConfig):
    name = "detect"
    verbose_name = "Detection"
