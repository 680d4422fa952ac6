"""The menu beside every page of the admin: what its reader may open, by subject."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse


@dataclass(frozen=True)
class Entry:
    """A page of the admin: the list of a model, by its label, or a page of its own, by the name of its route."""

    target: str
    title: str
    icon: str

    @property
    def is_route(self) -> bool:
        return ":" in self.target


_PROVIDERS = Entry("admin:providers", "Providers and prices", "sell")

_GROUPS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "Curation",
        (
            Entry("brands.knownbrand", "Brands", "verified"),
            Entry("brands.decision", "Decisions", "gavel"),
            Entry("brands.rejectedtext", "Rejected texts", "block"),
            Entry("brands.sourcebrandsighting", "Sightings", "visibility"),
        ),
    ),
    (
        "Runs",
        (
            Entry("jobs.detectjob", "Jobs", "movie"),
            Entry("jobs.acceptedresult", "Accepted results", "task_alt"),
            Entry("detect.profile", "Profiles", "tune"),
            Entry("detect.sourceasset", "Videos", "video_library"),
            Entry("detect.timeline", "Timelines", "view_timeline"),
            Entry("detect.checkpoint", "Checkpoints", "account_tree"),
            Entry("detect.stageoutput", "Stage outputs", "inventory_2"),
            Entry("django_rq.dashboard", "Queue", "stacks"),
        ),
    ),
    (
        "Models",
        (
            _PROVIDERS,
            Entry("detect.modelanswer", "Answers", "chat"),
            Entry("detect.modelcharge", "Charges", "receipt_long"),
        ),
    ),
    (
        "People",
        (
            Entry("auth.user", "Users", "person"),
            Entry("auth.group", "Groups", "group"),
            Entry("jobs.apikey", "API keys", "key"),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of links for django-unfold. What was registered and is in no group comes last."""
    models = {
        f"{app['app_label']}.{model['object_name'].lower()}": model
        for app in admin.site.get_app_list(request)
        for model in app["models"]
        if model["admin_url"]
    }
    addresses = {label: model["admin_url"] for label, model in models.items()}
    if request.user.has_perm("detect.view_modelanswer"):
        addresses[_PROVIDERS.target] = reverse(_PROVIDERS.target)
    grouped = {entry.target for _, entries in _GROUPS for entry in entries}
    others = tuple(
        Entry(label, str(model["name"]), "table_rows") for label, model in models.items() if label not in grouped
    )
    top = [
        _item(request, "Overview", "dashboard", reverse("admin:index"), exact=True),
        _item(request, "Back to the site", "arrow_back", "/", exact=True),
    ]
    groups = [
        {"title": title, "items": list(_items(request, entries, addresses))}
        for title, entries in (*_GROUPS, ("More", others))
    ]
    return [{"items": top}, *(group for group in groups if group["items"])]


def _items(request: HttpRequest, entries: tuple[Entry, ...], addresses: dict[str, str]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        address = addresses.get(entry.target)
        if address is not None:
            yield _item(request, entry.title, entry.icon, address)


def _item(request: HttpRequest, title: str, icon: str, address: str, *, exact: bool = False) -> dict[str, Any]:
    here = request.path == address or (not exact and request.path.startswith(address))
    providers = reverse(_PROVIDERS.target)
    # its address is below that of the answers
    if request.path.startswith(providers):
        here = address == providers
    return {"title": title, "icon": icon, "link": address, "active": here}
