"""Storage of a test's own, and models that a test decides about."""

from __future__ import annotations

from tests.trees.conftest import models, storage, use_providers

__all__ = ["models", "storage", "use_providers"]
