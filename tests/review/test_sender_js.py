"""What brings decisions to the server, in a JavaScript engine without a browser."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def test_sender_js() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node here")
    checks = Path(__file__).with_name("sender_check.mjs")
    done = subprocess.run([node, "--test", str(checks)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 10" in done.stdout
