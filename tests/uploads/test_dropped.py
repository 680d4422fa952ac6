"""Connections that break off, servers that are killed: what has arrived is kept, and the rest follows."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

from tests.platform.processes import eventually
from tests.uploads.sending import Site, cut


def _assert_stored(site: Site, asset_id: str, content: bytes) -> None:
    with site.client() as http:
        asset = http.get(f"/api/assets/{asset_id}").json()
    assert asset["sha256"] == hashlib.sha256(content).hexdigest()
    assert (site.data.storage / asset["storage_key"]).read_bytes() == content


def test_what_arrived_before_a_cut_is_kept(site: Site, clip: Path) -> None:
    content = clip.read_bytes()
    half = len(content) // 2
    path = site.begin("match.mp4", len(content))
    connection = site.open_patch(path, 0, len(content))
    connection.sendall(content[:half])
    eventually(lambda: site.offset(path) == half)  # also while the connection is open
    cut(connection)
    assert site.offset(path) == half
    assert site.part(path).read_bytes() == content[:half]

    eventually(lambda: site.patch(path, half, content[half:]).status_code == 204)
    with site.client() as http:
        told = http.get(path).json()
    assert (told["state"], told["offset"]) == ("done", len(content))
    _assert_stored(site, told["asset_id"], content)
