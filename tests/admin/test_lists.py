"""Every list of the admin: opens with nothing in it, asks as little for many rows as for few, changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from detect.admin import ReadOnlyAdmin
from detect.models import StageOutput
from mediaproc.roles import Role
from tests.admin.conftest import a_row_of_everything

pytestmark = pytest.mark.django_db

#: Address of each list, and the least role that may open it.
LISTS = {
    "": Role.CURATOR,
    "brands/knownbrand/": Role.CURATOR,
    "brands/knownbrand/duplicates/": Role.CURATOR,
    "brands/decision/": Role.CURATOR,
    "brands/rejectedtext/": Role.CURATOR,
    "brands/sourcebrandsighting/": Role.CURATOR,
    "jobs/detectjob/": Role.CURATOR,
    "jobs/acceptedresult/": Role.CURATOR,
    "detect/profile/": Role.CURATOR,
    "detect/sourceasset/": Role.CURATOR,
    "detect/timeline/": Role.CURATOR,
    "detect/checkpoint/": Role.CURATOR,
    "detect/stageoutput/": Role.CURATOR,
    "detect/modelanswer/": Role.CURATOR,
    "detect/modelanswer/providers/": Role.CURATOR,
    "detect/modelcharge/": Role.CURATOR,
    "auth/user/": Role.ADMINISTRATOR,
    "auth/group/": Role.ADMINISTRATOR,
    "jobs/apikey/": Role.ADMINISTRATOR,
}
admin.autodiscover()
READ_ONLY = [model for model, shown in admin.site._registry.items() if isinstance(shown, ReadOnlyAdmin)]


def queries(browser: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as found:
        assert browser.get(f"/admin/{address}").status_code == 200
    return len(found)


@pytest.mark.parametrize("address", LISTS)
def test_opens_with_nothing_in_it(administrator: Client, storage: None, address: str) -> None:
    assert administrator.get(f"/admin/{address}").status_code == 200


@pytest.mark.parametrize("role", [Role.CURATOR, Role.OPERATOR])
def test_roles_see_their_own(client_of: Callable[[Role], Client], storage: None, role: Role) -> None:
    browser = client_of(role)
    found = {address: browser.get(f"/admin/{address}").status_code for address in LISTS}
    assert found == {address: 200 if role.includes(least) else 403 for address, least in LISTS.items()}


def test_many_rows_cost_no_more_queries_than_few(administrator: Client, storage: None) -> None:
    for number in range(2):
        a_row_of_everything(number)
    few = {address: queries(administrator, address) for address in LISTS}
    for number in range(2, 12):
        a_row_of_everything(number)
    assert {address: queries(administrator, address) for address in LISTS} == few
    assert max(few.values()) <= 16


@pytest.mark.parametrize("address", ["detect/stageoutput/", "detect/modelanswer/", "detect/checkpoint/"])
def test_what_there_may_be_a_million_of_is_not_counted(administrator: Client, storage: None, address: str) -> None:
    a_row_of_everything(0)
    with CaptureQueriesContext(connection) as found:
        administrator.get(f"/admin/{address}")
    assert not [one["sql"] for one in found if "COUNT(" in one["sql"]]


def test_bodies_are_not_read_for_a_list(administrator: Client, storage: None) -> None:
    a_row_of_everything(0)
    for address in ("detect/stageoutput/", "detect/modelanswer/", "jobs/detectjob/", "jobs/acceptedresult/"):
        with CaptureQueriesContext(connection) as found:
            administrator.get(f"/admin/{address}")
        text = " ".join(one["sql"] for one in found)
        assert '"body"' not in text and '"known_brands"' not in text and '"config_overrides"' not in text


@pytest.mark.parametrize("model", READ_ONLY, ids=lambda model: model.__name__)
def test_history_is_edited_by_nobody(admin_client: Client, storage: None, model: type) -> None:
    """Not even a superuser; what can be changed all the same is tested where it is."""
    a_row_of_everything(0)
    row = model.objects.first()  # type: ignore[attr-defined]
    before = model.objects.values().get(pk=row.pk)  # type: ignore[attr-defined]
    opts = model._meta  # type: ignore[attr-defined]
    place = f"/admin/{opts.app_label}/{opts.model_name}"
    assert admin_client.get(f"{place}/add/").status_code == 403
    assert admin_client.get(f"{place}/{row.pk}/change/").status_code == 200
    fields = dict.fromkeys(before, "changed")
    if opts.model_name not in ("checkpoint", "profile"):
        assert admin_client.post(f"{place}/{row.pk}/change/", fields).status_code == 403
    else:
        admin_client.post(f"{place}/{row.pk}/change/", fields)
    if opts.model_name not in ("detectjob", "profile"):
        assert admin_client.post(f"{place}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    after = model.objects.values().get(pk=row.pk)  # type: ignore[attr-defined]
    may_change = {"checkpoint": {"scenario_label", "is_scenario"}, "profile": {"label", "description"}}
    assert {name for name in before if before[name] != after[name]} <= may_change.get(opts.model_name, set())


def test_rows_that_are_not_there(administrator: Client, storage: None) -> None:
    for address in ("jobs/detectjob/none/change/", "detect/checkpoint/none/change/", "detect/profile/99/change/"):
        assert administrator.get(f"/admin/{address}").status_code == 302
    assert administrator.get("/admin/jobs/detectjob/none/pause/").status_code == 404


def test_an_output_is_found_by_the_beginning_of_its_key(administrator: Client, storage: None) -> None:
    a_row_of_everything(0)
    outputs = list(StageOutput.objects.all())
    page = administrator.get(f"/admin/detect/stageoutput/?q={outputs[0].key[:20]}").content.decode()
    assert outputs[0].key[:12] in page
    assert outputs[1].key[:12] not in page
    stage = administrator.get("/admin/detect/stageoutput/?stage=match_brands").content.decode()
    assert "match brands" in stage
    for output in outputs:
        assert (output.key[:12] in stage) == (output.stage == "match_brands")
