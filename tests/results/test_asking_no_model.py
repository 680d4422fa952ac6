"""An update asks no model, and keeps what models told before."""

from __future__ import annotations

from typing import Any

import pytest

from brands.actions import Confirm, Reject, decide
from detect.models import ModelCharge
from jobs.models import DetectJob
from jobs.results.updates import update_begin
from jobs.selectors import job_report
from tests.providers.chat_server import verdict
from tests.results.made import accepted, analysed, brands_of, group, known, undecided
from tests.review.material import ANA
from tests.trees.made import run

pytestmark = pytest.mark.django_db

LOCAL = "providers:\n  local: {{base_url: '{url}', model: tiny-vl}}\n"


def begin() -> DetectJob:
    return update_begin(result=accepted(), by="user:ana")


@pytest.fixture
def asked(models: Any, use_providers: Any) -> Any:
    use_providers(LOCAL.format(url=models.base_url))
    return models


def test_what_a_model_named_stays_named(asked: Any):
    known("Acme")
    asked.behave = lambda ask: verdict({"AKME": "Acme", "XQTZ": "Tarn"}.get(ask.read_text, ""))
    first = analysed("AKME", "XQTZ", "KORD", frames=True)
    assert set(brands_of(first)) == {"Acme", "Tarn"}
    decide(Confirm((group("Tarn"),)), by=ANA)
    questions = len(asked.asks)
    job = run(begin())
    assert len(asked.asks) == questions
    assert set(brands_of(job)) == {"Acme", "Tarn"}
    assert ModelCharge.objects.filter(job_id=job.id).count() == 0


def test_what_a_model_named_stays_named_though_the_question_would_be_another_now(asked: Any):
    """A question names the brands that a text resembles: with a new one it is not the one that was answered."""
    asked.behave = lambda ask: verdict("Tarn", confidence=0.9 if ask.read_text == "TARNE" else 0.1)
    first = analysed("TARNE", "KORD", frames=True)
    assert set(brands_of(first)) == {"Tarn"}
    questions = len(asked.asks)
    known("Tarex")
    decide(Confirm((group("KORD"),)), by=ANA)
    job = run(begin())
    assert len(asked.asks) == questions
    assert set(brands_of(job)) == {"Tarn", "KORD"}


def test_what_a_model_named_and_a_person_rejected_is_gone(asked: Any):
    asked.behave = lambda ask: verdict("Tarn")
    first = analysed("TARNE", frames=True)
    assert set(brands_of(first)) == {"Tarn"}
    decide(Reject((group("Tarn"),)), by=ANA)
    job = run(begin())
    assert (brands_of(job), undecided(job_report(job))) == ({}, [])


def test_what_no_model_was_asked_about_stays_open(asked: Any, use_providers: Any):
    use_providers("providers: {}\n")
    analysed("ZORB", "KLAXON", frames=True)
    use_providers(LOCAL.format(url=asked.base_url))
    decide(Confirm((group("ZORB"),)), by=ANA)
    job = run(begin())
    assert asked.asks == []
    assert "KLAXON" in undecided(job_report(job))
