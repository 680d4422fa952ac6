"""How `manage.py up` finds out whether its site is well."""

from __future__ import annotations

import socket
import time

import pytest
from pytest_django import Settings

from mediaproc.up import health
from mediaproc.up.health import HealthProbe
from tests.platform.processes import eventually


def _answer(listener: socket.socket, text: bytes) -> bytes:
    """Take the request that waits, send ``text``; returns what was asked."""
    connection, _ = listener.accept()
    with connection:
        asked = connection.recv(4096)
        connection.sendall(text)
    return asked


def test_probe_asks_until_the_site_is_well() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        probe = HealthProbe("0.0.0.0", listener.getsockname()[1], "media.example")
        assert not probe.poll(), "it does not wait for an answer"
        asked = _answer(listener, b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
        assert asked == b"GET /healthz HTTP/1.0\r\nHost: media.example\r\n\r\n"
        for _ in range(20):
            assert not probe.poll()
            time.sleep(0.01)
        eventually(lambda: probe.poll() or probe._socket is not None)
        _answer(listener, b"HTTP/1.1 200 OK\r\n\r\n")
        eventually(probe.poll)


def test_probe_survives_a_site_that_hangs_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        probe = HealthProbe("127.0.0.1", listener.getsockname()[1], "localhost")
        probe.poll()
        _answer(listener, b"")
        eventually(lambda: not probe.poll() and probe._socket is None)
        eventually(lambda: probe.poll() or probe._socket is not None)
        _answer(listener, b"HTTP/1.1 200 OK\r\n\r\n")
        eventually(probe.poll)


@pytest.mark.parametrize(
    ("hosts", "header"), [(["media.example", "localhost"], "media.example"), (["*"], "localhost"), ([".a.b"], "a.b")]
)
def test_site_is_asked_by_a_name_that_it_answers_to(settings: Settings, hosts: list[str], header: str) -> None:
    settings.ALLOWED_HOSTS = hosts
    assert health.host_header() == header
