"""The head of every page: where it leads and for whom; and the page of an error that may have no database."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from brands.models import ReviewGroup
from mediaproc.access import RULES
from mediaproc.errors import server_error
from mediaproc.navigation import PLACES
from mediaproc.roles import Role


def head_for(browser: Client) -> str:
    page = browser.get(reverse("page-scenarios")).content.decode()
    return page[page.index("<nav") : page.index("</header>")]


@pytest.mark.parametrize("role", Role)
def test_links_are_those_that_the_reader_may_open(client_of, role: Role) -> None:
    head = head_for(client_of(role))
    for place in PLACES:
        least = RULES[place.route]["GET"]
        assert isinstance(least, Role)
        assert (f'href="{reverse(place.route)}"' in head) == role.includes(least), place
    assert (f'href="{reverse("admin:index")}"' in head) == role.includes(Role.CURATOR)


def test_the_page_s_own_part_is_marked(client_of) -> None:
    head = head_for(client_of(Role.VIEWER))
    assert head.count("aria-current") == 1
    assert f'<a href="{reverse("page-scenarios")}" aria-current="page">' in head


def test_what_waits_for_a_decision_is_counted(client_of) -> None:
    browser = client_of(Role.VIEWER)
    assert "to decide" not in head_for(browser)
    for text, items in (("ACME", 2), ("GLOBEX", 1), ("HOOLI", 0)):
        ReviewGroup.objects.create(text=text, folded=text, open_items=items)
    assert '<span class="count">2<span class="sr"> to decide</span></span>' in head_for(browser)


def test_address_where_nothing_is_leads_on_all_the_same(client_of) -> None:
    page = client_of(Role.VIEWER).get("/nothing/here", headers={"Accept": "text/html"}).content.decode()
    assert f'href="{reverse("page-scenarios")}"' in page


def test_server_s_own_error_needs_no_database() -> None:
    request = RequestFactory().get("/", headers={"Accept": "text/html"})
    request.user = SimpleLazyObject(lambda: pytest.fail("the user was looked up"))  # type: ignore[assignment]
    answer = server_error(request)
    assert answer.status_code == 500
    assert b"Something went wrong here" in answer.content
    assert b"<nav" not in answer.content
