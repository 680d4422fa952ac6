"""axe-core on a page, and what else a page must not do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response

#: What makes a page hard or impossible to use for somebody.
GRAVE = ("serious", "critical")

_RUN = """
async ([grave, exempt, only]) => {
    const excused = (rule, targets) => exempt.some(([name, selector]) => name === rule
        && targets.every((target) => document.querySelector(target)?.closest(selector)));
    const found = await axe.run(document, {resultTypes: ["violations"], ...(only ? {runOnly: only} : {})});
    return found.violations.filter((one) => grave.includes(one.impact)).map((one) => ({
        rule: one.id, impact: one.impact, help: one.help,
        nodes: one.nodes.filter((node) => !excused(one.id, node.target.map(String)))
            .map((node) => ({target: node.target.join(" "), html: node.html, why: node.failureSummary})),
    })).filter((one) => one.nodes.length);
}
"""

_WIDE = """
() => {
    const room = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= room) return [];
    const wide = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > room + 1);
    return wide.slice(0, 5).map((one) => one.cloneNode(false).outerHTML);
}
"""


@dataclass(frozen=True)
class Exempt:
    """A finding in what a package draws and no setting of ours changes: its rule, where, and ``why``."""

    rule: str
    selector: str
    why: str


def audit(page: Page, *, exempt: Iterable[Exempt] = (), only: Sequence[str] = ()) -> None:
    """Fail on serious and critical findings of axe-core, or of its rules ``only``, with the elements they are about."""
    if not page.evaluate("() => Boolean(globalThis.axe)"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate(_RUN, [list(GRAVE), [[one.rule, one.selector] for one in exempt], list(only) or None])
    assert not found, f"{page.url}\n" + "\n".join(map(_told, found))


def _told(finding: dict[str, Any]) -> str:
    nodes = "\n".join(f"  {node['target']}\n    {node['html']}\n    {node['why']}" for node in finding["nodes"])
    return f"{finding['rule']} ({finding['impact']}): {finding['help']}\n{nodes}"


def assert_fits(page: Page) -> None:
    """Fail when the document is wider than the window."""
    wide = page.evaluate(_WIDE)
    assert not wide, f"{page.url} is wider than the window because of\n" + "\n".join(wide)


@dataclass
class Troubles:
    """What went wrong in the pages of a test: errors in the console, failed requests. A test fails for each.

    A test in which something has to go wrong says so with :meth:`allowed`.
    """

    found: list[str] = field(default_factory=list)
    _allowed: list[re.Pattern[str]] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", lambda error: self._add(f"{error.error}"))
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)

    @contextmanager
    def allowed(self, *patterns: str) -> Iterator[None]:
        """What matches a pattern is no trouble within the block."""
        before = self._allowed
        self._allowed = [*before, *map(re.compile, patterns)]
        try:
            yield
        finally:
            self._allowed = before

    def assert_none(self) -> None:
        found, self.found = self.found, []
        assert not found, "\n".join(found)

    def _console(self, message: ConsoleMessage) -> None:
        # failed requests are told below, with their address
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self._add(f"console of {message.page.url if message.page else '?'}: {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page went on to another before it was answered
            self._add(f"{request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self._add(f"{response.request.method} {response.url}: {response.status}")

    def _add(self, trouble: str) -> None:
        if not any(pattern.search(trouble) for pattern in self._allowed):
            self.found.append(trouble)
