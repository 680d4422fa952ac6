"""Keys with which programs come in, in place of a person's login."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from rest_framework_api_key.models import AbstractAPIKey, APIKeyManager


class KeyRole(models.TextChoices):
    READER = "reader", "reader: may look at everything, change nothing"
    WRITER = "writer", "writer: may do what its owner may"


class ApiKeyManager(APIKeyManager):
    def find_usable(self, key: str) -> ApiKey | None:
        """The key with its owner, or None where it is unknown, revoked, expired or its owner may not log in."""
        prefix = key.partition(".")[0]
        if not (prefix.isascii() and prefix.isalnum()):  # not one of ours, and perhaps nothing Postgres would take
            return None
        found: ApiKey | None = self.get_usable_keys().select_related("user").filter(prefix=prefix).first()
        if found is None or not found.is_valid(key) or found.has_expired or not found.user.is_active:
            return None
        return found


class ApiKey(AbstractAPIKey):
    """Only its hash is kept: the key itself is shown once, when it is made by ``ApiKey.objects.create_key``."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys")
    role = models.CharField(max_length=10, choices=KeyRole, default=KeyRole.READER)

    objects: ClassVar[ApiKeyManager] = ApiKeyManager()

    class Meta(AbstractAPIKey.Meta):
        abstract = False
        verbose_name = "API key"
        verbose_name_plural = "API keys"

    @property
    def may_write(self) -> bool:
        return self.role == KeyRole.WRITER
