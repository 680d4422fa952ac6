"""What people and programs are here for. Each role may do what those before it may."""

from __future__ import annotations

from django.db import models


class Role(models.TextChoices):
    VIEWER = "viewer", "viewer: looks at everything, changes nothing"
    REVIEWER = "reviewer", "reviewer: confirms and corrects what was found"
    CURATOR = "curator", "curator: decides about known brands, aliases and scenarios"
    OPERATOR = "operator", "operator: submits, replays, pauses and deletes jobs"
    ADMINISTRATOR = "administrator", "administrator: users, keys and settings too"

    @property
    def rank(self) -> int:
        return list(Role).index(self)
