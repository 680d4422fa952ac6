"""From a video to an accepted report, as two people do it in their browsers, while things break."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import openpyxl
import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from detect.synthetic import build_match, render_match
from mediaproc.roles import Role
from tests.browser.audit import Troubles
from tests.browser.conftest import PageAs, Screenshot
from tests.browser.site import Site, running_site

pytestmark = pytest.mark.slow

#: A run on two slow cores, with its models still to be loaded.
_A_RUN = 240_000
_A_RESTART = 60_000
#: What goes wrong while the server is away, and is meant to.
_AWAY = (
    *("ERR_CONNECTION", "ERR_EMPTY", "ERR_SOCKET", "ERR_INTERNET", "WebSocket", "50[0-9]$", "review/decide"),
    "ERR_CONTENT_LENGTH",  # a picture that a killed server was half through with
)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site("story", workers=1) as started:
        yield started


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "cup final.mp4"
    render_match(build_match(7, "easy", 6.0, 640, 360), path)
    return path


def test_from_a_video_to_an_accepted_report(
    page_as: PageAs, site: Site, clip: Path, screenshot: Screenshot, troubles: Troubles
) -> None:
    ana = page_as(Role.ADMINISTRATOR, on=site)
    job = upload(ana, clip, screenshot)
    with troubles.allowed(*_AWAY):
        watch(ana, site, job, screenshot)
    ben = page_as(Role.REVIEWER, on=site)
    with troubles.allowed(*_AWAY, ": 409$"):
        kept = decide(ana, ben, site, screenshot)
    merge_and_take_apart(ana, kept, screenshot)
    with troubles.allowed("replay-stage: 4", "try: 4"):
        replayed = tune_and_replay(ana, job, screenshot)
    compare_and_accept(ana, job, replayed, screenshot)
    bring_up_to_date(ana, screenshot)
    export(ana, replayed)


def upload(page: Page, clip: Path, screenshot: Screenshot) -> str:
    """The sample is chosen on the first page there is, and analysed with one click; returns the job's address."""
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Which brands were on screen?")
    page.locator("#videos").set_input_files(clip)
    page.get_by_role("button", name=f"Analyse: {clip.name}").click()
    row = page.locator("#home-jobs").get_by_role("link", name=clip.name)
    row.wait_for(timeout=30_000)
    screenshot(page, "story-1-uploaded")
    address = row.get_attribute("href")
    assert address
    return address


def watch(page: Page, site: Site, job: str, screenshot: Screenshot) -> None:
    """Progress is followed without a reload, over a lost connection and a restarted server."""
    page.goto(job)
    bar = page.get_by_role("progressbar").first
    expect(bar).to_be_visible()
    page.context.set_offline(True)
    page.wait_for_timeout(1500)
    page.context.set_offline(False)
    screenshot(page, "story-2-progress")
    site.kill("web")
    expect(page.locator("#r-brands")).to_be_visible(timeout=_A_RUN)
    screenshot(page, "story-3-report")


def decide(ana: Page, ben: Page, site: Site, screenshot: Screenshot) -> list[str]:
    """Two people review at once; returns the names of two brands that they confirmed."""
    ana.goto("/review")
    first = present(ana)
    # ben's connection is dead at first: what ana decides does not reach him
    line = _Line()
    ben.context.route_web_socket(re.compile("/ws/review"), line.opened)
    ben.goto("/review")
    assert present(ben) == first
    ana.keyboard.press("c")
    expect_present(ana, lambda name: name != first)
    expect(ana.locator("#saving")).to_be_hidden()
    ben.keyboard.press("x")
    expect(ben.locator("#problems")).to_contain_text("Administrator decided")
    screenshot(ben, "story-4-decided-by-somebody-else")
    line.is_dead = False
    ben.reload()

    # live: what ana confirms goes from ben's list
    second = present(ana)
    row = ben.locator("#rows, #cards").get_by_text(second, exact=True)
    expect(row.first).to_be_attached()
    ana.keyboard.press("Enter")
    expect(row).to_have_count(0)

    # undone, it waits again
    third = present(ana)
    ana.keyboard.press("x")
    expect_present(ana, lambda name: name != third)
    expect(ana.locator("#saving")).to_be_hidden()
    ana.keyboard.press("u")
    expect_present(ana, lambda name: name == third)
    screenshot(ana, "story-5-undone")

    # the server is restarted under a decision: it is made once it is back
    site.kill("web")
    ana.keyboard.press("x")
    expect(ana.locator("#saving")).to_be_hidden(timeout=_A_RESTART)
    ana.goto("/review/history")
    expect(ana.get_by_text(f"'{third}' rejected").first).to_be_visible()
    screenshot(ana, "story-6-decisions")
    return [first, second]


def merge_and_take_apart(page: Page, names: list[str], screenshot: Screenshot) -> None:
    """One of two brands is merged into the other in the admin, and taken out again."""
    kept, merged = names
    page.goto(f"/brands?{urlencode({'search': kept})}")
    page.get_by_role("link", name=kept, exact=True).click()
    page.get_by_role("link", name="Merge…").click()
    page.get_by_label("Add another brand").fill(merged)
    page.get_by_role("button", name="Search", exact=True).last.click()
    page.get_by_role("button", name=re.compile(f"^Add.*{re.escape(merged)}")).click()
    page.get_by_role("radio", name=re.compile(re.escape(kept))).check()
    screenshot(page, "story-7-merge")
    page.get_by_role("button", name="Merge", exact=True).click()
    page.goto(f"/brands?{urlencode({'search': kept})}")
    page.get_by_role("link", name=kept, exact=True).click()
    expect(page.get_by_role("heading", name="Merged into it")).to_be_visible()
    screenshot(page, "story-8-merged")
    page.get_by_role("button", name=re.compile(f"^Un-merge.*{re.escape(merged)}")).click()
    expect(page.get_by_role("heading", name="Merged into it")).to_be_hidden()


def tune_and_replay(page: Page, job: str, screenshot: Screenshot) -> str:
    """An option is moved, what comes of it is seen beside what was, and the replay with it is watched to its end."""
    page.goto(f"{job}/tune?stage=run_ocr")
    expect(page.locator(".pair").first).to_be_visible()
    group = page.locator("fieldset[data-stage=run_ocr]")
    group.get_by_role("spinbutton", name=re.compile("min.confidence", re.IGNORECASE)).first.fill("0.9")
    expect(page.locator("#total")).not_to_be_empty(timeout=_A_RESTART)
    screenshot(page, "story-9-tuned")
    page.get_by_text("Use these settings").click()
    page.get_by_role("button", name="Replay from").click()
    page.wait_for_url(re.compile(r"/jobs/[0-9a-f-]{36}$"))
    replayed = page.url[page.url.index("/jobs/") :]
    assert replayed != job
    expect(page.get_by_role("link", name="Compare with the earlier")).to_be_visible(timeout=_A_RUN)
    screenshot(page, "story-10-replayed")
    return replayed


def compare_and_accept(page: Page, job: str, replayed: str, screenshot: Screenshot) -> None:
    page.get_by_role("link", name="Compare with the earlier").click()
    page.wait_for_url(re.compile("/compare"))
    screenshot(page, "story-11-compared")
    page.locator(".side-b").get_by_role("button", name="Accept").click()
    expect(page.locator(".side-b")).to_contain_text("Accepted")
    page.goto(job)
    expect(page.get_by_text("Not the accepted result")).to_be_visible()
    page.goto(replayed)
    expect(page.get_by_text(re.compile("^Accepted( result)?$"))).to_be_visible()


def bring_up_to_date(page: Page, screenshot: Screenshot) -> None:
    """A decision makes the accepted result outdated; its change is shown first, and then accepted."""
    page.goto("/review")
    present(page)
    page.keyboard.press("x")
    expect(page.locator("#saving")).to_be_hidden()
    page.goto("/updates")
    page.get_by_role("button", name=re.compile("^Work out the changes")).click()
    accept = page.get_by_role("button", name=re.compile("^Accept the changes"))
    expect(accept).to_be_visible(timeout=_A_RUN)
    screenshot(page, "story-12-what-changes")
    accept.click()
    expect(page.locator(".update")).to_have_count(0)
    screenshot(page, "story-13-up-to-date")


def export(page: Page, job: str) -> None:
    """Every kind of export holds the report."""
    page.goto(job)
    names = [name.strip() for name in page.locator("#r-brands tbody th").all_inner_texts()]
    assert names
    for link, begins in (("Workbook", b"PK"), ("Exposures", b""), ("Everything", b"{")):
        page.locator("summary", has_text="Export").click()
        with page.expect_download() as caught:
            page.get_by_role("link", name=re.compile(f"^{link}")).click()
        body = Path(caught.value.path()).read_bytes()
        assert body.startswith(begins)
        page.reload()
        if link == "Workbook":
            sheet = openpyxl.load_workbook(io.BytesIO(body)).worksheets[0]
            cells = {str(cell.value) for row in sheet.iter_rows() for cell in row}
            assert any(cell and cell in name for cell in cells for name in names)
    page.goto(f"{job}/print")
    expect(page.get_by_role("button", name=re.compile("Print"))).to_be_visible()


def present(page: Page) -> str:
    """The name on the card that is shown."""
    card = page.locator("#cards article:not([hidden])")
    expect(card).to_have_count(1)
    name = card.get_attribute("data-name")
    assert name
    return name


def expect_present(page: Page, fits: object) -> None:
    assert callable(fits)
    for _ in range(100):
        if fits(present(page)):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"the card that is shown is {present(page)}")


class _Line:
    """A websocket's way to the server: dead, it opens and there is never a word on it."""

    is_dead = True

    def opened(self, route: WebSocketRoute) -> None:
        if not self.is_dead:
            route.connect_to_server()
