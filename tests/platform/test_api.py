"""Keys and errors of the REST interfaces."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from jobs.api_keys import ApiKey
from mediaproc import access
from mediaproc.datafolder import DataFolder
from mediaproc.demo_login import demo_login
from mediaproc.roles import Role, give_role
from tests.platform import api_urls

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.platform.api_urls")]


@pytest.fixture(autouse=True)
def rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "RULES", {**access.RULES, **api_urls.RULES})


@pytest.fixture
def owner() -> User:
    user = User.objects.create_user("integrator")
    give_role(user, Role.OPERATOR)
    return user


@pytest.fixture
def writer_key(owner: User) -> str:
    return ApiKey.objects.create_key(name="test", user=owner, role=Role.OPERATOR)[1]


@pytest.mark.parametrize("header", ["Authorization: Bearer {}", "Authorization: bearer {}", "X-API-Key: {}"])
def test_key_acts_as_its_owner(client: Client, writer_key: str, header: str) -> None:
    name, _, text = header.partition(": ")
    answer = client.get("/test/whoami", headers={name: text.format(writer_key)})
    assert (answer.status_code, answer.json()) == (200, {"user": "integrator"})


def test_session_works_too(client: Client, owner: User) -> None:
    client.force_login(owner)
    assert client.get("/test/whoami").json() == {"user": "integrator"}


def test_without_either_it_is_401_in_json(client: Client) -> None:
    answer = client.get("/test/whoami")
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Log in, or send an API key.", "code": "not_authenticated"}


@pytest.mark.parametrize("change", ["altered", "revoked", "expired", "owner locked", "nonsense"])
def test_key_that_is_not_good(client: Client, owner: User, writer_key: str, change: str) -> None:
    given = writer_key
    if change == "altered":
        given = writer_key[:-1] + ("a" if writer_key[-1] != "a" else "b")
    elif change == "revoked":
        ApiKey.objects.update(revoked=True)
    elif change == "expired":
        ApiKey.objects.update(expiry_date=timezone.now() - timedelta(seconds=1))
    elif change == "owner locked":
        User.objects.update(is_active=False)
    else:
        given = "\x00 not a key"
    answer = client.get("/test/whoami", headers={"X-API-Key": given})
    assert answer.status_code == 401
    assert answer.json() == {
        "detail": "This API key is unknown, revoked or expired.",
        "code": "authentication_failed",
    }


def test_readers_key_only_reads(client: Client, owner: User) -> None:
    key = ApiKey.objects.create_key(name="test", user=owner)[1]
    assert client.get("/test/whoami", headers={"X-API-Key": key}).status_code == 200
    answer = client.post("/test/whoami", headers={"X-API-Key": key})
    assert answer.status_code == 403
    assert answer.json() == {"detail": "The role viewer may not do this.", "code": "permission_denied"}


def test_writers_key_writes(client: Client, writer_key: str) -> None:
    assert client.post("/test/whoami", headers={"X-API-Key": writer_key}).status_code == 200


def test_key_itself_is_not_kept(writer_key: str) -> None:
    row = ApiKey.objects.values().get()
    assert writer_key.partition(".")[2] not in str(row)


@pytest.mark.parametrize(
    ("how", "status", "code", "detail"),
    [
        ("config", 400, "invalid", "unknown stage 'x': the stages are a, b"),
        ("gone", 404, "not_found", "There is no brand 7."),
        ("conflict", 409, "conflict", "The job has ended."),
        ("outside", 403, "outside_roots", "'/etc' is not in an allowed folder."),
        ("missing", 404, "not_found", "There is no job 7."),
        ("http404", 404, "not_found", "No DetectJob matches the given query."),
        ("denied", 403, "permission_denied", "You do not have permission to perform this action."),
        ("throttled", 429, "throttled", "Request was throttled. Expected available in 3 seconds."),
        ("serializer", 400, "invalid", "fps: Ensure this value is less than or equal to 60."),
        ("crash", 500, "error", "Something went wrong here; it was logged."),
    ],
)
def test_errors_have_one_shape(client: Client, writer_key: str, how: str, status: int, code: str, detail: str) -> None:
    answer = client.get(f"/test/fail/{how}", headers={"X-API-Key": writer_key})
    body = answer.json()
    assert (answer.status_code, body["code"], body["detail"]) == (status, code, detail)
    assert "42" not in answer.content.decode()


def test_demo_login_is_the_same_at_every_run(client: Client, tmp_path: Path) -> None:
    data = DataFolder(tmp_path / "data")
    login = demo_login(data)
    assert demo_login(data) == login
    assert (stat.S_IMODE((data.root / "demo_api_key").stat().st_mode)) == 0o600
    assert client.login(username=login.user, password=login.password)
    assert client.post("/test/whoami", headers={"X-API-Key": login.api_key}).json() == {"user": "demo"}


def test_demo_login_is_made_good_again(client: Client, tmp_path: Path) -> None:
    data = DataFolder(tmp_path / "data")
    before = demo_login(data)
    ApiKey.objects.update(revoked=True)
    User.objects.get(username="demo").delete()
    after = demo_login(data)
    assert client.login(username=after.user, password=after.password)
    assert after.api_key != before.api_key
    assert client.get("/test/whoami", headers={"X-API-Key": after.api_key}).status_code == 200
