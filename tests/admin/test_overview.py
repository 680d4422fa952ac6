"""The admin's first page and its menu."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.test import Client
from django.utils import timezone

from brands.models import ReviewGroup
from detect.models import ModelAnswer
from jobs.models import DetectJob
from mediaproc.admin.navigation import _GROUPS
from tests.admin.conftest import an_answer
from tests.admin.test_jobs import text
from tests.trees.made import a_job

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]


def menu(browser: Client) -> dict[str, str]:
    """Address and words of each link in the menu."""
    page = browser.get("/admin/").content.decode()
    beside = page[page.index('id="nav-sidebar-apps"') : page.index('id="main"')]
    found = re.findall(r'<a href="([^"]+)" class="flex h-\[38px\].*?</span>\s*<span>([^<]+)</span>', beside, re.DOTALL)
    return dict(found)


class TestOverview:
    def test_jobs_by_state_lead_to_their_list(self, curator: Client) -> None:
        for status in ("failed", "failed", "running"):
            a_job(status=status, error_message="disk full" if status == "failed" else "", video_path="/v/final.mp4")
        page = text(curator, "/admin/")
        assert "0 pending 1 running 0 paused 0 completed 2 failed 0 cancelled" in page
        assert "final.mp4" in page and "disk full" in page
        address = "/admin/jobs/detectjob/?status__exact=failed"
        assert f'href="{address}"' in curator.get("/admin/").content.decode()
        assert text(curator, address).count("final.mp4") == 2

    def test_what_waits_and_what_was_spent_this_month(self, curator: Client) -> None:
        ReviewGroup.objects.create(text="ACNE", folded="acne", open_items=3, open_sources=2, open_seconds=64)
        ReviewGroup.objects.create(text="done", folded="done")
        for number in range(3):
            an_answer(number)
        ModelAnswer.objects.filter(digest=f"{0:064x}").update(created_at=timezone.now() - timedelta(days=40))
        DetectJob.objects.filter(id=a_job().id).update(estimated_cost_usd="1.25")
        page = text(curator, "/admin/")
        assert "Decisions that wait 1 3 candidates, 1 min 04 s of video" in page
        assert f"Spent in {timezone.now():%B} USD 1.00 2 answers of models USD 1.25 in this month" in page

    def test_before_there_is_anything(self, curator: Client) -> None:
        page = text(curator, "/admin/")
        assert "Decisions that wait 0" in page and "None has failed." in page

    def test_files_in_a_bucket_have_no_disk(self, curator: Client, settings) -> None:
        settings.STORAGE_BACKEND = "s3"
        page = text(curator, "/admin/")
        assert "frames and uploads are in a bucket" in page and "free on the disk" not in page


class TestMenu:
    def test_everything_that_is_registered_is_in_it(self, administrator: Client) -> None:
        links = menu(administrator)
        for model in admin.site._registry:
            assert f"/admin/{model._meta.app_label}/{model._meta.model_name}/" in links, model
        assert {"/admin/", "/", "/admin/detect/modelanswer/providers/"} <= set(links)

    def test_curators_see_what_they_may_open(self, curator: Client) -> None:
        links = menu(curator)
        assert not [address for address in links if "/auth/" in address or "apikey" in address]
        assert links["/admin/jobs/detectjob/"] == "Jobs"
        for address in links:
            assert curator.get(address, follow=True).status_code == 200, address

    @pytest.mark.parametrize(
        ("address", "active"),
        [
            ("/admin/", "Overview"),
            ("/admin/jobs/detectjob/", "Jobs"),
            ("/admin/jobs/detectjob/?status__exact=failed", "Jobs"),
            ("/admin/detect/modelanswer/", "Answers"),
            ("/admin/detect/modelanswer/providers/", "Providers and prices"),
        ],
    )
    def test_one_of_it_is_marked(self, curator: Client, address: str, active: str) -> None:
        page = curator.get(address).content.decode()
        marked = re.findall(
            r'<a href="[^"]+" class="flex h-\[38px\][^"]* active">.*?<span>([^<]+)</span>', page, re.DOTALL
        )
        assert marked == [active]

    def test_nothing_is_named_twice(self) -> None:
        targets = [entry.target for _, entries in _GROUPS for entry in entries]
        assert len(targets) == len(set(targets))
