"""The site from outside: who gets in, what errors look like, how it starts and stops."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from pytest_django import Settings

from jobs.api_keys import ApiKey
from mediaproc import site
from mediaproc.datafolder import PROJECT_ROOT, DataFolder
from tests.platform.processes import assert_all_end, family

pytestmark = pytest.mark.django_db


def test_health_is_open(client: Client) -> None:
    answer = client.get("/api/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_healthz_names_the_state_of_each_part(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ok", "database": "ok", "queue": "ok", "storage": "ok"},
    )


def test_healthz_says_which_part_is_down(client: Client, settings: Settings) -> None:
    settings.EMBEDDED_QUEUE, settings.REDIS_URL = False, "redis://127.0.0.1:1/0"
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "degraded", "database": "ok", "queue": "down", "storage": "ok"}


def test_who_asks_before_the_site_is_up_is_not_sent_away() -> None:
    with site.listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname(), timeout=5):
        assert site.address_of(listener) == f"http://localhost:{listener.getsockname()[1]}/"


def test_everything_else_needs_a_login(client: Client) -> None:
    answer = client.get("/admin/")
    assert answer.status_code == 302
    page = client.get("/logout", follow=True, headers={"Accept": "text/html"})
    assert page.redirect_chain[0][0] == "/login?next=/logout"
    program = client.get("/logout", headers={"Accept": "application/json"})
    assert program.status_code == 401
    assert program.json()["code"] == "not_authenticated"


def test_login_page_takes_a_password(client: Client) -> None:
    User.objects.create_user("ana", password="a long enough phrase", is_staff=True)
    assert b"Log in" in client.get("/login").content
    refused = client.post("/login", {"username": "ana", "password": "wrong"})
    assert b"correct username and password" in refused.content
    accepted = client.post("/login?next=/admin/", {"username": "ana", "password": "a long enough phrase"})
    assert (accepted.status_code, accepted["Location"]) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200


def test_unknown_address(client: Client) -> None:
    client.force_login(User.objects.create_user("ana"))
    program = client.get("/nothing/here", headers={"Accept": "application/json"})
    assert (program.status_code, program.json()["code"]) == (404, "not_found")
    page = client.get("/nothing/here", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert b"There is nothing at this address." in page.content


def test_style_sheet_is_served_without_a_login(client: Client) -> None:
    answer = client.get("/static/css/site.css")
    assert answer.status_code == 200
    assert answer.content == (PROJECT_ROOT / "static/css/site.css").read_bytes()
    assert answer["Content-Type"].startswith("text/css")
    again = client.get("/static/css/site.css", headers={"If-Modified-Since": answer["Last-Modified"]})
    assert (again.status_code, again.content) == (304, b"")


@contextmanager
def running_site(data: DataFolder, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`manage.py serve` on a port of the system's choice, and its address."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--port", "0", *arguments],
        cwd=PROJECT_ROOT,
        env={**os.environ, "MEDIAPROC_DATA": str(data.root), "DJANGO_SETTINGS_MODULE": "mediaproc.settings"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().split()[1]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopped_site_leaves_no_process(data: DataFolder, how: signal.Signals) -> None:
    with running_site(data) as (process, address):
        transport = httpx.HTTPTransport(retries=5)
        with httpx.Client(transport=transport, timeout=30) as http:
            assert http.get(address + "healthz").json()["status"] == "ok"
            assert http.get(address + "static/css/site.css").status_code == 200
        started = family(data)
        process.send_signal(how)
        assert process.communicate(timeout=30)[1] == ""
        assert_all_end(started)


def test_taken_port_is_said(data: DataFolder) -> None:
    with running_site(data) as (_, address):
        port = address.rstrip("/").rpartition(":")[2]
        second = subprocess.run(
            [sys.executable, "manage.py", "serve", "--port", port],
            cwd=PROJECT_ROOT,
            env={**os.environ, "MEDIAPROC_DATA": str(data.root), "DJANGO_SETTINGS_MODULE": "mediaproc.settings"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert second.returncode == 1
    assert second.stderr == (
        f"Error: cannot listen on 127.0.0.1:{port} (Address already in use): choose another with --port or --host\n"
    )


def test_fresh_data_folder_is_ready_when_two_commands_meet_in_it(new_folder: Callable[..., DataFolder]) -> None:
    data = new_folder()
    code = (
        "import django; django.setup();"
        "from mediaproc.services import prepare; prepare();"
        "from jobs.models import ApiKey; print(ApiKey.objects.count())"
    )
    environment = {**os.environ, "MEDIAPROC_DATA": str(data.root), "DJANGO_SETTINGS_MODULE": "mediaproc.settings"}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code], cwd=PROJECT_ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    assert [process.communicate(timeout=120)[0] for process in both] == ["0\n", "0\n"]


def test_database_is_postgres_18() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        row = cursor.fetchone()
    assert row is not None
    assert 180000 <= int(row[0]) < 190000


def test_key_made_in_the_admin_is_shown_once_and_works(admin_client: Client, admin_user: User, client: Client) -> None:
    form = {"name": "reports", "user": admin_user.pk, "role": "viewer"}
    page = admin_client.post("/admin/jobs/apikey/add/", form, follow=True, headers={"Accept": "text/html"})
    key = ApiKey.objects.get()
    shown = re.search(rf"{key.prefix}\.\w{{32}}", page.content.decode())
    assert shown is not None
    assert ApiKey.objects.find_usable(shown[0]) == key
    assert shown[0] not in admin_client.get("/admin/jobs/apikey/").content.decode()


@pytest.mark.parametrize("page", ["", "auth/user/", "auth/group/", "jobs/apikey/", "auth/user/add/"])
def test_admin_pages_open(admin_client: Client, page: str) -> None:
    assert admin_client.get(f"/admin/{page}").status_code == 200
