"""Rows of everything that the admin lists, and browsers in which somebody of each role is logged in."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from django.contrib.auth.models import User
from django.test import Client

from brands.actions import AddBrand, decide
from brands.models import KnownBrand, RejectedText
from brands.review.items import result_record
from brands.services import sightings_record
from detect.models import ModelAnswer, ModelCharge, Profile, SourceAsset
from detect.providers.answers import Answer, StoredAnswer
from jobs.api_keys import ApiKey
from jobs.choices import EventKind, JobStatus, UnitState
from jobs.models import AcceptedResult, DetectJob, JobEvent, WorkUnit
from mediaproc.roles import Role, give_role
from tests.brands.factories import report_brand
from tests.pages.conftest import client_of, curator, make_job, operator, storage, store_frame
from tests.review.material import CLEO, report_of
from tests.trees.conftest import use_providers
from tests.trees.made import an_asset, matched_job

__all__ = ["client_of", "curator", "make_job", "operator", "storage", "store_frame", "use_providers"]


@pytest.fixture
def administrator(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.ADMINISTRATOR)


def an_answer(number: int = 0, **changes: Any) -> ModelAnswer:
    verdict = Answer(is_brand=True, brand="Acme", confidence=0.9, reason="It reads <b>Acme</b>")
    fields = {"provider": "cloud", "model": "big-vl", "usd": Decimal("0.5"), **changes}
    stored = StoredAnswer(
        answer=verdict,
        provider=fields["provider"],
        model=fields["model"],
        raw="{}",
        input_tokens=1200,
        output_tokens=40,
        usd=str(fields["usd"]),
        seconds=2.0,
    )
    return ModelAnswer.objects.create(digest=f"{number:064x}", body=msgspec.json.encode(stored), **fields)


def a_profile(name: str = "night_games") -> Profile:
    options = {"run_ocr": {"detect_side": 960}}
    return Profile.objects.create(name=name, label=name.title(), pipeline="brands", options=options)


def a_brand(name: str, asset: SourceAsset) -> KnownBrand:
    """A brand with an alias, seen in a video, added by a person, and a text that is no brand."""
    brand = decide(AddBrand(name, (f"Alias of {name}",)), by=CLEO).brand
    assert brand is not None
    shown = report_brand(name, spans=[(1.0, 4.0)])
    sightings_record(asset=asset, found=[shown])
    result_record(asset=asset, report=report_of([shown]), hashes={})
    RejectedText.objects.create(text=f"no{name}".lower().replace(" ", ""))
    return brand


def a_row_of_everything(number: int) -> DetectJob:
    """A job on a video of its own, with all that can come with one; of each number one."""
    asset = an_asset(sha256=f"{number:064x}", path=f"/videos/match {number}.mp4")
    job = matched_job(asset=asset, requested_by="key:reports", status=JobStatus.COMPLETED)
    assert job.timeline is not None
    job.timeline.frames_meta = [{"sequence": 0, "chunk_id": 0, "timestamp": 0.0, "perceptual_hash": ""}]
    job.timeline.save()
    AcceptedResult.objects.create(source_asset=asset, job=job)
    WorkUnit.objects.create(job=job, stage="run_ocr", stage_index=4, chunk=0, state=UnitState.READY)
    JobEvent.objects.create(job=job, number=1, kind=EventKind.LOG, data={"level": "info", "line": "Begun"})
    answer = an_answer(number)
    ModelCharge.objects.create(job_id=job.id, digest=answer.digest, calls=1, usd=answer.usd)
    a_profile(f"profile_{number}")
    a_brand(f"Brand {number}", asset)
    give_role(User.objects.create_user(f"person {number}"), Role.OPERATOR)
    ApiKey.objects.create_key(name=f"key {uuid.uuid4()}", user=User.objects.get(username=f"person {number}"))
    return job
