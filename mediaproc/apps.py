from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core.checks import CheckMessage, Tags, register


class MediaprocConfig(AppConfig):
    """Wiring has no models; it is an app for its commands and its system checks."""

    name = "mediaproc"
    default = True

    def ready(self) -> None:
        from mediaproc import checks  # noqa: F401 - registers them


class AdminConfig(SimpleAdminConfig):
    """Django's admin, whose lists are looked for when the map of the site is made: most commands show no page."""

    default = False

    def ready(self) -> None:
        register(check_dependencies, Tags.admin)
        register(_check_lists, Tags.admin)


def _check_lists(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Sequence[CheckMessage]:
    admin.autodiscover()
    return check_admin_app(app_configs, **kwargs)
