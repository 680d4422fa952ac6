"""A finished job with its video, and storage on a disk and in a bucket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from detect.models import SourceAsset
from tests.access.conftest import key_of
from tests.matches import asset, job, storage
from tests.uploads.conftest import places
from tests.uploads.test_bucket import bucket, server

__all__ = ["asset", "bucket", "job", "key_of", "places", "server", "storage"]

MakeAsset = Callable[..., SourceAsset]


@pytest.fixture
def make_asset(db: None) -> MakeAsset:
    """Makes an asset whose video is said to lie at ``path``; ``size`` is that which was analysed."""

    def make(path: Path | str, *, size: int | None = None, name: str = "match.mp4") -> SourceAsset:
        place = Path(path)
        found = place.stat().st_size if place.is_file() else 0
        probe = {"size_bytes": found if size is None else size, "name": name}
        return SourceAsset.objects.create(path=str(path), sha256=f"{SourceAsset.objects.count():064x}", probe=probe)

    return make
