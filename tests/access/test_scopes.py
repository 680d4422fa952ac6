"""Who may open a connection that is no request: by the same table, with the same sessions and keys."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import Client

from jobs.api_keys import ApiKey
from mediaproc.access import authorize_scope
from mediaproc.principal import Principal
from mediaproc.roles import Role, give_role

pytestmark = pytest.mark.django_db(transaction=True)


def opened(route: str, **headers: str) -> Principal | None:
    scope: dict[str, Any] = {
        "type": "websocket",
        "headers": [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()],
    }
    return async_to_sync(authorize_scope)(scope, route)


def test_with_a_key() -> None:
    key = ApiKey.objects.create_key(name="reports", role=Role.VIEWER)[1]
    for headers in ({"x_api_key": key}, {"authorization": f"Bearer {key}"}):
        found = opened("job-events", **headers)
        assert found is not None
        assert (found.name, found.role) == ("key:reports", Role.VIEWER)
    assert opened("detect-replay-stage", x_api_key=key) is None
    assert opened("no-such-route", x_api_key=key) is None
    assert opened("admin:index", x_api_key=key) is None


def test_with_a_session(client: Client) -> None:
    user = User.objects.create_user("ana")
    give_role(user, Role.REVIEWER)
    client.force_login(user)
    cookie = f"a=b; sessionid={client.cookies['sessionid'].value}; c=d"
    found = opened("job-events", cookie=cookie)
    assert found is not None
    assert (found.name, found.role) == ("user:ana", Role.REVIEWER)
    User.objects.update(is_active=False)
    assert opened("job-events", cookie=cookie) is None


@pytest.mark.parametrize(
    "headers",
    [{}, {"cookie": "sessionid=none"}, {"cookie": ""}, {"x_api_key": "none"}, {"authorization": "Bearer \xff\x00"}],
)
def test_with_nothing_that_opens(headers: dict[str, str]) -> None:
    assert opened("job-events", **headers) is None


def test_a_bad_key_is_not_made_good_by_a_session(client: Client) -> None:
    client.force_login(User.objects.create_user("ana"))
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    assert opened("job-events", cookie=cookie) is not None
    assert opened("job-events", cookie=cookie, x_api_key="none") is None
