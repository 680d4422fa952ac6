from __future__ import annotations

from tests.trees.conftest import client_of, storage, viewer

__all__ = ["client_of", "storage", "viewer"]
