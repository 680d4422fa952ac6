"""Ultralytics as a library: offline, silent, installing nothing."""

from __future__ import annotations

import os


def load_quietly() -> None:
    """Import ultralytics so that it asks no network, installs no package and prints nothing.

    Call it before importing anything else of ultralytics. Raises ``ImportError`` or ``OSError`` where it, or PyTorch
    under it, cannot be loaded.
    """
    # Before the import, which looks at them once.
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_VERBOSE", "false")
    from ultralytics.utils import SETTINGS

    if SETTINGS["sync"]:
        SETTINGS["sync"] = False
