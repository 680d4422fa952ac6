"""``report.html``: one file that needs no network, its pictures beside it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.template import Context, Engine
from django.utils.safestring import SafeString, mark_safe

from detect.report import Report, Xywh
from jobs.exports.evidence_view import unresolved_view
from jobs.exports.view import report_context
from mediaproc.datafolder import PROJECT_ROOT

_STYLES = ("css/report.css", "css/timeline.css")
_SCRIPTS = ("js/timeline.js", "js/timeline_controls.js", "js/report.js")


class WrittenPictures:
    """Pictures of a written report: the crops lie beside it, whole frames do not."""

    def crop(self, sequence: int, box: Xywh, path: str) -> str:
        return path

    def frame(self, sequence: int) -> str:
        return ""


def render_html(report: Report) -> bytes:
    """The page as UTF-8, with its style, its scripts and all evidence inside it."""
    links = WrittenPictures()
    context = {
        **report_context(report, links, with_exposures=True),
        "unresolved": [unresolved_view(item, report, links) for item in report.unresolved],
        "styles": [_own_file(name) for name in _STYLES],
        "scripts": [_own_file(name) for name in _SCRIPTS],
    }
    return str(_engine().get_template("report/file.html").render(Context(context))).encode()


@cache
def _engine() -> Engine:
    """Not that of the site, which loads the template tags of every app: of those the page uses none."""
    return Engine(dirs=[str(PROJECT_ROOT / "templates")])


def _own_file(name: str) -> SafeString:
    """A style sheet or script of the project itself. Raises ``FileNotFoundError`` when the installation lacks it."""
    found = finders.find(name)
    if not isinstance(found, str):
        raise FileNotFoundError(f"static/{name} is missing from this installation")
    return mark_safe(Path(found).read_text(encoding="utf-8"))  # noqa: S308 - written by us, holds no report data
