"""Keys with which programs come in, in place of a person's login."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from rest_framework_api_key.models import AbstractAPIKey, APIKeyManager

from mediaproc.roles import Role, role_names


class ApiKeyManager(APIKeyManager):
    def find_usable(self, key: str) -> ApiKey | None:
        """The key with its owner, or None where it is unknown, revoked, expired or its owner may not log in."""
        prefix = key.partition(".")[0]
        if not (prefix.isascii() and prefix.isalnum()):  # not one of ours, and perhaps nothing Postgres would take
            return None
        usable = self.get_usable_keys().select_related("user").annotate(role_names=role_names("user__groups"))
        found: ApiKey | None = usable.filter(prefix=prefix).first()
        if found is None or not found.is_valid(key) or found.has_expired:
            return None
        if found.user is not None:
            found.user.__dict__["role_names"] = found.__dict__["role_names"]
            if not found.user.is_active:
                return None
        return found


class ApiKey(AbstractAPIKey):
    """Only its hash is kept: the key itself is shown once, when it is made by ``ApiKey.objects.create_key``.

    A key with a user stands for that person and may never do more than they; one without is a program of its own.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="api_keys"
    )
    role = models.CharField(max_length=15, choices=Role, default=Role.VIEWER)

    objects: ClassVar[ApiKeyManager] = ApiKeyManager()

    class Meta(AbstractAPIKey.Meta):
        abstract = False
        verbose_name = "API key"
        verbose_name_plural = "API keys"
