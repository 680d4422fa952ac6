"""``report.html``: one file that needs no network, its pictures beside it."""

from __future__ import annotations

from pathlib import Path

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from detect.report import Report, Xywh
from jobs.exports.view import report_context


class WrittenPictures:
    """Pictures of a written report: the crops lie beside it, whole frames do not."""

    def crop(self, sequence: int, box: Xywh, path: str) -> str:
        return path

    def frame(self, sequence: int) -> str:
        return ""


def render_html(report: Report) -> bytes:
    """The page as UTF-8, its style and script inside it."""
    context = report_context(report, WrittenPictures())
    files = {"style": _own_file("css/report.css"), "script": _own_file("js/report.js")}
    return render_to_string("report/file.html", {**context, **files}).encode()


def _own_file(name: str) -> SafeString:
    """A style sheet or script of the project itself. Raises ``FileNotFoundError`` when the installation lacks it."""
    found = finders.find(name)
    if not isinstance(found, str):
        raise FileNotFoundError(f"static/{name} is missing from this installation")
    return mark_safe(Path(found).read_text(encoding="utf-8"))  # noqa: S308 - written by us, holds no report data
