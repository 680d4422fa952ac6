"""Browsers of people who review."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from mediaproc.roles import Role, give_role
from tests.events.conftest import live_channel
from tests.pages.conftest import make_job, store_frame

__all__ = ["live_channel", "make_job", "store_frame"]

BrowserOf = Callable[..., Client]


@pytest.fixture
def browser_of(db, django_user_model) -> BrowserOf:
    """A browser in which somebody of that name is logged in, a reviewer unless told otherwise."""

    def make(name: str, role: Role = Role.REVIEWER) -> Client:
        user = django_user_model.objects.create_user(name, password="long enough")
        give_role(user, role)
        browser = Client()
        browser.force_login(user)
        return browser

    return make


@pytest.fixture
def ana(browser_of) -> Client:
    return browser_of("ana")
