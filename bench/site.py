"""The site of an installation, served for a measurement, and a browser to look at it with."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from bench.installation import SET_UP_WITHIN, Installation
from bench.process import PROJECT_ROOT, BenchError

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@contextmanager
def site(here: Installation) -> Iterator[str]:
    """``manage.py serve`` on a port of the system's choice; its address. Raises :class:`BenchError`."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--port", "0"],
        cwd=PROJECT_ROOT,
        env=here.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        if len(words) < 2:
            raise BenchError("manage.py serve did not start; run it to see why")
        address = words[1].rstrip("/")
        _wait_until_up(address)
        yield address
    finally:
        process.terminate()
        process.communicate(timeout=60)


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium without a window. Raises :class:`BenchError` where there is none."""
    from playwright.sync_api import sync_playwright

    from tests.browser.chromium import ARGUMENTS, find_chromium

    chromium = find_chromium()
    if chromium is None:
        raise BenchError("there is no Chromium here: install it, or set CHROMIUM to one")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(chromium), args=list(ARGUMENTS))
        yield opened
        opened.close()


def _wait_until_up(address: str) -> None:
    until = time.monotonic() + SET_UP_WITHIN
    while time.monotonic() < until:
        try:
            if httpx.get(f"{address}/api/health", timeout=10, trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise BenchError("the site did not come up")
