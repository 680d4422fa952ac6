"""Pages in which somebody has begun something: what opens, what is asked, what is refused."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from mediaproc.roles import Role
from tests.browser.audit import Troubles
from tests.browser.conftest import Filled, Look, PageAs

#: A form as it is sent without scripts, which would ask in place.
_ASK_ON_A_PAGE = """
(address) => {
    const form = document.createElement("form");
    Object.assign(form, {method: "post", action: address});
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    for (const [name, value] of Object.entries({csrfmiddlewaretoken: token, action: "delete", next: "/"}))
        form.append(Object.assign(document.createElement("input"), {type: "hidden", name, value}));
    document.body.append(form);
    form.submit();
}
"""


@pytest.mark.parametrize("width", [1280, 390])
def test_submission_that_is_refused(page_as: PageAs, look: Look, troubles: Troubles, width: int) -> None:
    page = page_as(Role.OPERATOR, width=width)
    page.goto(reverse("page-submit"))
    page.get_by_role("radio", name="Storage key").check()
    page.get_by_label("Key in the storage").fill("videos/there-is-none.mp4")
    with troubles.allowed("POST .*/submit: 400$"):
        page.get_by_role("button", name="Start the analysis").click()
        expect(page.get_by_role("alert").first).to_be_visible()
    look(page, f"submit-refused-{width}")


@pytest.mark.parametrize("width", [1280, 390])
def test_every_option_of_every_stage(page_as: PageAs, look: Look, width: int) -> None:
    page = page_as(Role.OPERATOR, width=width)
    page.goto(reverse("page-submit"))
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    look(page, f"submit-options-{width}")


@pytest.mark.parametrize("width", [1280, 390])
def test_chosen_jobs_and_what_is_asked(page_as: PageAs, look: Look, width: int) -> None:
    page = page_as(Role.OPERATOR, width=width)
    page.goto(reverse("job-list"))
    rows = page.get_by_role("checkbox", name="Choose match.mp4")
    rows.nth(0).check()
    rows.nth(1).check()
    expect(page.get_by_role("status").filter(has_text="2")).to_be_visible()
    page.get_by_label("More actions for gone.mp4").first.click()
    look(page, f"jobs-chosen-{width}")
    page.keyboard.press("Escape")
    page.locator("#bulk").get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Delete the chosen jobs?")
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    look(page, f"jobs-delete-{width}")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_what_is_asked_without_scripts(page_as: PageAs, filled: Filled, look: Look) -> None:
    page = page_as(Role.OPERATOR, width=390)
    page.goto(reverse("job-page", args=[filled.ids["paused"]]))
    page.evaluate(_ASK_ON_A_PAGE, reverse("page-act", args=[filled.ids["paused"]]))
    expect(page.get_by_role("heading")).to_contain_text("Delete the job")
    look(page, "ask-390")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(("key", "name"), [("n", "New brand"), ("a", "Alias of"), ("?", "Keys"), ("f", "Whole frame")])
def test_what_a_key_opens_in_the_review(page_as: PageAs, look: Look, key: str, name: str, width: int) -> None:
    page = page_as(Role.REVIEWER, width=width)
    page.goto(reverse("review") + "?text=STAND")
    page.keyboard.press(key)
    dialog = page.get_by_role("dialog", name=name)
    expect(dialog).to_be_visible()
    look(page, f"review-{name.lower().replace(' ', '-')}-{width}")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
