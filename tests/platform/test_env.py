"""Readers of the environment: what they take, and what they say of what they do not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from mediaproc import env
from mediaproc.datafolder import PROJECT_ROOT


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("X", raising=False)
    return monkeypatch


@pytest.mark.parametrize(("text", "expected"), [("1", True), ("YES", True), ("off", False), ("", True)])
def test_flag(given: pytest.MonkeyPatch, text: str, expected: bool) -> None:
    given.setenv("X", text)
    assert env.flag("X", default=True) is expected


def test_flag_names_itself_when_it_is_neither(given: pytest.MonkeyPatch) -> None:
    given.setenv("X", "maybe")
    with pytest.raises(ImproperlyConfigured, match="X is 'maybe': use true or false"):
        env.flag("X", default=True)


@pytest.mark.parametrize(("text", "message"), [("two", "use a whole number"), ("0", "use a number from 1 to 8")])
def test_integer_names_what_it_takes(given: pytest.MonkeyPatch, text: str, message: str) -> None:
    given.setenv("X", text)
    with pytest.raises(ImproperlyConfigured, match=message):
        env.integer("X", 4, least=1, most=8)


def test_integer(given: pytest.MonkeyPatch) -> None:
    assert env.integer("X", 4) == 4
    given.setenv("X", " 7 ")
    assert env.integer("X", 4) == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("much", "X is 'much': use a number"),
        ("1.2", "use a number from 0.01 to 1"),
        ("nan", "use a number from 0.01 to 1"),
    ],
)
def test_number_names_what_it_takes(given: pytest.MonkeyPatch, text: str, message: str) -> None:
    given.setenv("X", text)
    with pytest.raises(ImproperlyConfigured, match=message):
        env.number("X", 0.5, least=0.01, most=1)


def test_number(given: pytest.MonkeyPatch) -> None:
    assert env.number("X", 0.5, least=0.01, most=1) == 0.5
    given.setenv("X", " 0.25 ")
    assert env.number("X", 0.5, least=0.01, most=1) == 0.25


def test_words(given: pytest.MonkeyPatch) -> None:
    assert env.words("X", ("a", "b")) == ["a", "b"]
    given.setenv("X", " c, ,d ")
    assert env.words("X") == ["c", "d"]


def test_path(given: pytest.MonkeyPatch) -> None:
    assert env.path("X") is None
    given.setenv("X", "~/weights")
    assert env.path("X") == Path.home() / "weights"


def test_database_url(given: pytest.MonkeyPatch) -> None:
    assert env.database_url("X") is None
    given.setenv("X", "postgres://ana:secret@db.example:5433/media?sslmode=require")
    parsed = env.database_url("X")
    assert parsed is not None
    assert {key: parsed[key] for key in ("HOST", "PORT", "NAME", "USER", "PASSWORD", "OPTIONS")} == {
        "HOST": "db.example",
        "PORT": 5433,
        "NAME": "media",
        "USER": "ana",
        "PASSWORD": "secret",
        "OPTIONS": {"sslmode": "require"},
    }


def test_database_url_of_another_engine(given: pytest.MonkeyPatch) -> None:
    given.setenv("X", "sqlite:///file.db")
    with pytest.raises(ImproperlyConfigured, match="must be a postgres:// URL"):
        env.database_url("X")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("MEDIAPROC_DEBUG", "maybe", "Error: MEDIAPROC_DEBUG is 'maybe': use true or false.\n"),
        ("STORAGE_BACKEND", "s3", "Error: STORAGE_BACKEND is s3: name the bucket in AWS_S3_BUCKET.\n"),
        ("STORAGE_BACKEND", "ftp", "Error: STORAGE_BACKEND is 'ftp': use local or s3.\n"),
        (
            "MEDIAPROC_DATA",
            "/dev/null/data",
            "Error: The data folder /dev/null/data cannot be used (Not a directory): make it writable, or set "
            "MEDIAPROC_DATA to another folder.\n",
        ),
        (
            "DATABASE_URL",
            "postgres://u:p@127.0.0.1:1/db",
            'Error: the database cannot go on: connection failed: connection to server at "127.0.0.1", port 1 failed:'
            " Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n",
        ),
    ],
)
def test_wrong_setting_is_one_line_and_exit_code_1(name: str, value: str, message: str, tmp_path: Path) -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "mediaproc.settings", "MEDIAPROC_DATA": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "manage.py", "showmigrations"],
        cwd=PROJECT_ROOT,
        env={**environment, name: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, message)
