from __future__ import annotations

from django.apps import AppConfig


class MediaprocConfig(AppConfig):
    """Wiring has no models; it is an app for its commands and its system checks."""

    name = "mediaproc"

    def ready(self) -> None:
        from mediaproc import checks  # noqa: F401 - registers them
