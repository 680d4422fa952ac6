"""The parts of the player that need no browser, in a JavaScript engine by itself."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def test_player_js() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node here")
    checks = Path(__file__).with_name("player_check.mjs")
    done = subprocess.run([node, "--test", str(checks)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 17" in done.stdout
