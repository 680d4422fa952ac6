"""Every page of the site, and in which states it is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from mediaproc.roles import Role
from tests.browser.audit import Exempt


@dataclass(frozen=True)
class Shown:
    """A page in one state. ``args`` are keys of ``Filled.ids``, or stand for themselves; ``name`` is its picture's.

    ``query`` may name such keys too, as ``?left={report}``. Nobody is logged in where ``role`` is None. ``troubles``
    are patterns of what has to go wrong there.
    """

    name: str
    route: str
    args: tuple[str, ...] = ()
    query: str = ""
    role: Role | None = Role.ADMINISTRATOR
    exempt: tuple[Exempt, ...] = ()
    troubles: tuple[str, ...] = ()

    def address(self, ids: Mapping[str, Any]) -> str:
        path = reverse(self.route, args=[ids.get(name, name) for name in self.args])
        return path + self.query.format_map(ids)


#: In a site with runs of pit stops.
PITSTOPS = (
    Shown("pitstops", "pitstop-list"),
    Shown("pitstops-viewer", "pitstop-list", role=Role.VIEWER),
    Shown("pitstops-none-fit", "pitstop-list", query="?search=nothing-goes-by-this-name"),
    Shown("pitstop", "pitstop-page", ("pitstop",)),
    Shown("pitstop-viewer", "pitstop-page", ("pitstop",), role=Role.VIEWER),
    Shown("pitstop-again", "pitstop-page", ("pitstop_again",)),
    # the player asks for the annotated video, is told that it is gone, and goes through the frames
    Shown("pitstop-bare", "pitstop-page", ("pitstop_bare",), troubles=(r"/output: 404$",)),
    Shown("pitstop-failed", "pitstop-page", ("pitstop_failed",)),
    Shown("pitstop-paused", "pitstop-page", ("pitstop_waiting",)),
    Shown("pitstop-queued", "pitstop-page", ("pitstop_queued",)),
    Shown("pitstop-cancelled", "pitstop-page", ("pitstop_cancelled",)),
    Shown("pitstop-zones", "pitstop-zones", ("pitstop",)),
    Shown("pitstop-zones-none", "pitstop-zones", ("pitstop_bare",)),
    Shown("pitstop-zones-failed", "pitstop-zones", ("pitstop_failed",)),
)

#: In a site with batches.
BATCHES = (
    Shown("batches", "batch-list"),
    Shown("dataset", "batch-dataset", ("dataset",)),
    Shown("dataset-viewer", "batch-dataset", ("dataset",), role=Role.VIEWER),
    Shown("batch", "batch-page", ("batch",)),
    Shown("batch-viewer", "batch-page", ("batch",), role=Role.VIEWER),
    Shown("batch-failed", "batch-page", ("batch_failed",)),
    Shown("batch-running", "batch-page", ("batch_running",)),
    Shown("batch-queued", "batch-page", ("batch_queued",)),
    Shown("batch-cancelled", "batch-page", ("batch_cancelled",)),
    Shown("batch-video", "batch-video", ("batch", "0")),
    Shown("batch-sound", "batch-video", ("batch", "1")),
    Shown("batch-video-gone", "batch-video", ("batch_failed", "0")),
    Shown("batch-video-partly", "batch-video", ("batch_running", "0")),
)

#: In a site with analyses.
PAGES = (
    Shown("login", "login", role=None),
    Shown("home", "home"),
    Shown("home-viewer", "home", role=Role.VIEWER),
    Shown("jobs", "job-list"),
    Shown("jobs-viewer", "job-list", role=Role.VIEWER),
    Shown("jobs-none-fit", "job-list", query="?search=nothing-goes-by-this-name"),
    Shown("submit", "page-submit"),
    Shown("job", "job-page", ("report",)),
    Shown("job-viewer", "job-page", ("report",), role=Role.VIEWER),
    Shown("job-replayed", "job-page", ("replay",)),
    Shown("job-hard-names", "job-page", ("hard",)),
    # the player asks for the video, is told that it is gone, and goes through the frames
    Shown("job-video-gone", "job-page", ("gone",), troubles=(r"/assets/.*/video: 404$",)),
    Shown("job-failed", "job-page", ("failed",)),
    Shown("job-paused", "job-page", ("paused",)),
    Shown("job-waiting", "job-page", ("waiting",)),
    Shown("job-print", "job-report-print", ("hard",)),
    Shown("job-exposures", "job-exposures", ("hard", "0")),
    Shown("job-exposure", "job-exposure", ("hard", "0", "0")),
    Shown("job-undecided", "job-undecided", ("report",)),
    Shown("job-changes", "job-changes", ("replay",)),
    Shown("tree", "page-tree", ("report",)),
    Shown("tree-node", "page-tree", ("report",), "?node={checkpoint}"),
    Shown("tree-failed", "page-tree", ("failed",)),
    Shown("tree-video-gone", "page-tree", ("gone",)),
    Shown("compare", "page-compare", query="?left={report}&right={replay}"),
    Shown(
        "compare-one-failed", "page-compare", query="?left={report}&right={failed}", troubles=(r"/compare\?.*: 400$",)
    ),
    Shown("review", "review"),
    Shown("review-viewer", "review", role=Role.VIEWER),
    Shown("review-of-a-video", "review", query="?job={gone}"),
    Shown("review-none-fit", "review", query="?text=nothing-goes-by-this-name"),
    Shown("review-history", "review-history"),
    Shown("brands", "brand-list"),
    Shown("brands-viewer", "brand-list", role=Role.VIEWER),
    Shown("brand", "brand-page", ("brand",)),
    Shown("brand-viewer", "brand-page", ("brand",), role=Role.VIEWER),
    Shown("brand-long-name", "brand-page", ("brand_long",)),
    Shown("brand-merged", "brand-page", ("brand_merged",)),
    Shown("updates", "updates"),
    Shown("updates-viewer", "updates", role=Role.VIEWER),
    Shown("scenarios", "page-scenarios"),
    Shown("scenarios-viewer", "page-scenarios", role=Role.VIEWER),
    Shown("profiles", "page-profiles"),
    Shown("profiles-viewer", "page-profiles", role=Role.VIEWER),
    Shown("tune", "page-tune", ("report",)),
    Shown("tune-video-gone", "page-tune", ("gone",)),
    Shown("tune-failed", "page-tune", ("failed",)),
)

#: Drawn by packages from the document of the interfaces; long, and the same in any colour scheme.
DOCUMENTS = (
    Shown(
        "api-docs",
        "api-docs",
        exempt=(
            Exempt("nested-interactive", ".opblock-summary", "Swagger UI puts its copy button into the one that opens"),
            Exempt("select-name", "#servers", "Swagger UI gives its list of servers no name; we have one server"),
        ),
    ),
    # its own logo, which the policy of this site keeps out; it is left away then
    Shown("api-redoc", "api-redoc", troubles=("cdn.redoc.ly",)),
)

#: In a site in which nothing has happened yet.
EMPTY = (
    Shown("home", "home"),
    Shown("home-viewer", "home", role=Role.VIEWER),
    Shown("jobs", "job-list"),
    Shown("brands", "brand-list"),
    Shown("updates", "updates"),
    Shown("submit", "page-submit"),
    Shown("compare", "page-compare"),
    Shown("review", "review"),
    Shown("review-history", "review-history"),
    Shown("scenarios", "page-scenarios"),
    Shown("profiles", "page-profiles"),
    Shown("pitstops", "pitstop-list"),
    Shown("batches", "batch-list"),
)

#: What is read with GET and is no page.
NO_PAGES = {
    "docs": "leads to api-docs",
    "redoc": "leads to api-redoc",
    "job-report-json": "a file",
    "job-report-csv": "a file",
    "job-report-xlsx": "a file",
    "asset-video": "a file",
    "pitstop-csv": "a file",
    "page-profile-file": "a file",
    "page-tune-frames": "data of the tuner",
    "review-cards": "a piece of the review page",
    "review-brands": "a piece of the review page",
    "job-boxes": "data of the player",
    "job-frame": "a picture",
    "job-frame-times": "data of the player",
    "job-crop": "a picture",
    "job-thumb": "a picture",
    "brand-logo": "a picture",
}
