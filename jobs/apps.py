from __future__ import annotations

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"
    verbose_name = "Jobs"

    def ready(self) -> None:
        from detect.config import use_profiles_of
        from jobs.profiles import SavedProfiles

        use_profiles_of(SavedProfiles())
        from jobs import checks  # noqa: F401 - registers them
