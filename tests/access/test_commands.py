"""Keys from the command line."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from jobs.api_keys import ApiKey
from mediaproc.datafolder import PROJECT_ROOT
from mediaproc.roles import Role
from tests.platform.conftest import data, new_folder

__all__ = ["data", "new_folder"]


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


def test_the_key_is_printed_and_nothing_else(db: None) -> None:
    printed = run("create_api_key", "reports", "--role", "operator")
    key = ApiKey.objects.find_usable(printed.removesuffix("\n"))
    assert key is not None
    assert (key.name, key.role, key.user, key.expiry_date) == ("reports", "operator", None, None)


def test_a_key_of_somebody_for_a_time(db: None) -> None:
    user = User.objects.create_user("ana")
    run("create_api_key", "reports", "--role", "viewer", "--user", "ana", "--expires", "30")
    key = ApiKey.objects.get()
    assert key.user == user
    assert abs(key.expiry_date - timezone.now() - timedelta(days=30)) < timedelta(minutes=5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["reports"], "--role"),
        (["reports", "--role", "king"], "invalid choice: 'king'"),
        (["reports", "--role", "viewer", "--user", "ben"], r"no user 'ben' \(users: ana\)"),
        (["reports", "--role", "viewer", "--expires", "0"], "number of days"),
        (["reports", "--role", "viewer", "--expires", "nan"], "number of days"),
        (["x" * 51, "--role", "viewer"], "1 to 50 characters"),
        ([" ", "--role", "viewer"], "1 to 50 characters"),
    ],
)
def test_what_cannot_be_made(db: None, arguments: list[str], message: str) -> None:
    User.objects.create_user("ana")
    with pytest.raises(CommandError, match=message):
        run("create_api_key", *arguments)
    assert not ApiKey.objects.exists()


def test_keys_are_listed_and_revoked_by_name_or_prefix(db: None) -> None:
    User.objects.create_user("ana")
    reports = run("create_api_key", "reports", "--role", "operator").strip()
    run("create_api_key", "ticker", "--role", "viewer", "--user", "ana", "--expires", "1")
    lines = run("list_api_keys").splitlines()
    assert lines[0].split() == ["PREFIX", "NAME", "ROLE", "USER", "MADE", "STATE"]
    assert lines[1].split()[1:4] == ["ticker", "viewer", "ana"]
    assert "good until" in lines[1]
    assert lines[2].split()[:4] == [reports.partition(".")[0], "reports", "operator", "-"]
    assert reports.partition(".")[2] not in "".join(lines)

    assert run("revoke_api_key", "reports").startswith(f"Revoked {reports.partition('.')[0]}")
    assert ApiKey.objects.find_usable(reports) is None
    run("revoke_api_key", lines[1].split()[0])
    assert run("list_api_keys") == ""
    assert [line.split()[-1] for line in run("list_api_keys", "--all").splitlines()[1:]] == ["revoked", "revoked"]


def test_expired_keys_are_told_apart(db: None) -> None:
    ApiKey.objects.create_key(name="old", role=Role.VIEWER, expiry_date=timezone.now() - timedelta(days=1))
    assert run("list_api_keys") == ""
    assert "expired" in run("list_api_keys", "--all")


def test_which_key_to_revoke_must_be_clear(db: None) -> None:
    with pytest.raises(CommandError, match="no key 'reports'"):
        run("revoke_api_key", "reports")
    prefixes = {ApiKey.objects.create_key(name="reports")[0].prefix for _ in range(2)}
    with pytest.raises(CommandError, match="2 keys are called 'reports'") as refused:
        run("revoke_api_key", "reports")
    assert all(prefix in str(refused.value) for prefix in prefixes)
    assert ApiKey.objects.filter(revoked=False).count() == 2


def test_it_works_on_a_fresh_data_folder(data) -> None:
    environment = {**os.environ, "MEDIAPROC_DATA": str(data.root), "DJANGO_SETTINGS_MODULE": "mediaproc.settings"}
    made = subprocess.run(
        [sys.executable, "manage.py", "create_api_key", "reports", "--role", "operator"],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    prefix, dot, rest = made.stdout.removesuffix("\n").partition(".")
    assert (len(prefix), dot, len(rest), made.stderr) == (8, ".", 32, "")
