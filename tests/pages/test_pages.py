"""The pages of jobs, as a browser gets them."""

from __future__ import annotations

import re
import uuid

import cv2
import msgspec
import numpy as np
import pytest
from django.urls import reverse

from jobs.choices import JobStatus
from tests.report.sample import HEIGHT, WIDTH, sample_body

ADDRESSES = [
    "/jobs",
    f"/jobs/{uuid.UUID(int=1)}",
    f"/jobs/{uuid.UUID(int=1)}/report.json",
    f"/jobs/{uuid.UUID(int=1)}/report.csv",
    f"/jobs/{uuid.UUID(int=1)}/report.xlsx",
    f"/jobs/{uuid.UUID(int=1)}/print",
    f"/jobs/{uuid.UUID(int=1)}/brands/0",
    f"/jobs/{uuid.UUID(int=1)}/brands/0/exposures/0",
    f"/jobs/{uuid.UUID(int=1)}/undecided",
    f"/jobs/{uuid.UUID(int=1)}/changes",
    f"/jobs/{uuid.UUID(int=1)}/frames/3.jpg",
    f"/jobs/{uuid.UUID(int=1)}/crops/3/1-2-30-40.jpg",
]


class TestAccess:
    @pytest.mark.parametrize("address", ADDRESSES)
    def test_a_login_is_asked_for(self, db, address):
        from django.test import Client

        response = Client().get(address)
        assert response.status_code == 302
        assert response["Location"].startswith("/login")

    @pytest.mark.parametrize("address", ADDRESSES[1:])
    def test_an_unknown_job_is_not_found(self, client, address):
        assert client.get(address).status_code == 404

    @pytest.mark.parametrize("address", ADDRESSES)
    def test_nothing_here_is_written_to(self, client, address):
        assert client.post(address).status_code == 405


class TestJobList:
    def test_before_there_is_one_it_leads_to_the_first_page(self, client):
        page = client.get("/jobs").content.decode()
        assert "There is no job yet" in page
        assert 'href="/"' in page

    def test_jobs_with_their_state_and_brands(self, client, make_job):
        done = make_job(brands_found=8, total_detections=30)
        make_job(status=JobStatus.FAILED, video_path="/footage/<b>odd.mp4")
        page = client.get("/jobs").content.decode()
        assert f'href="/jobs/{done.id}"' in page
        assert re.search(r"<b>8</b>\s*brands", page)
        assert "&lt;b&gt;odd.mp4" in page
        assert "<b>odd" not in page

    def test_newest_first_in_pages(self, client, make_job):
        jobs = [make_job(status=JobStatus.PENDING, video_path=f"/v/{number:02d}.mp4") for number in range(27)]
        first, second = (client.get(f"/jobs?page={page}").content.decode() for page in (1, 2))
        assert first.index("26.mp4") < first.index("02.mp4")
        assert "01.mp4" not in first
        assert "00.mp4" in second
        assert len(jobs) == 27

    def test_the_number_of_queries_does_not_grow(self, client, make_job, django_assert_max_num_queries):
        for _ in range(12):
            make_job(status=JobStatus.PENDING)
        with django_assert_max_num_queries(6):
            client.get("/jobs")


class TestPictures:
    def test_a_frame_as_it_is_stored(self, client, make_job, store_frame):
        job = make_job()
        jpeg = store_frame(job, 3)
        response = client.get(f"/jobs/{job.id}/frames/3.jpg")
        assert (response.content, response["Content-Type"]) == (jpeg, "image/jpeg")
        assert "private" in response["Cache-Control"]

    def test_a_crop_is_cut_with_a_margin(self, client, make_job, store_frame):
        job = make_job()
        store_frame(job, 3)
        response = client.get(reverse("job-crop", args=[job.id, 3, 100, 100, 80, 40]))
        crop = cv2.imdecode(np.frombuffer(response.content, np.uint8), cv2.IMREAD_COLOR)
        assert crop is not None
        assert crop.shape == (40 + 2 * 24, 80 + 2 * 24, 3)

    @pytest.mark.parametrize("box", [(WIDTH, 0, 10, 10), (0, HEIGHT, 10, 10), (0, 0, 0, 10)])
    def test_a_crop_of_nothing_is_not_found(self, client, make_job, store_frame, box):
        job = make_job()
        store_frame(job, 3)
        assert client.get(reverse("job-crop", args=[job.id, 3, *box])).status_code == 404

    def test_a_frame_that_is_not_stored_is_not_found(self, client, make_job):
        job = make_job()
        assert client.get(f"/jobs/{job.id}/frames/99.jpg").status_code == 404
        assert client.get(f"/jobs/{job.id}/crops/99/1-1-10-10.jpg").status_code == 404

    def test_every_picture_of_the_page_can_be_had(self, client, make_job, store_frame):
        body = sample_body()
        brand = body.brands[-1]
        job = make_job(body=msgspec.structs.replace(body, brands=[brand], unresolved=[]))
        for exposure in brand.exposures:
            for evidence in exposure.evidence:
                store_frame(job, evidence.sequence)
        pages = [client.get(f"/jobs/{job.id}{part}").content.decode() for part in ("", "/brands/0", "/print")]
        pictures = {found for page in pages for found in _pictures(job.id, page)}
        assert len(pictures) >= 2 * len(brand.exposures)
        assert all(client.get(address).status_code == 200 for address in pictures)


def _pictures(job_id: uuid.UUID, page: str) -> list[str]:
    return re.findall(rf'(?:src|data-frame)="(/jobs/{job_id}/[^"]+\.jpg)"', page)
