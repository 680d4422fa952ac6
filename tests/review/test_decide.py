"""Decisions as the page's script sends them: made once, refused with a reason, told with what is left."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from brands.models import Decision, KnownBrand, RejectedText, ReviewGroup, ReviewItem
from brands.services import brands_ensure
from detect.types import KnownBrandRecord
from mediaproc.roles import Role
from tests.review.material import group, proposed, record
from tests.review.test_page import refs

pytestmark = pytest.mark.django_db

JSON = {"Accept": "application/json"}


def send(browser: Client, action: str, groups: list[str] | None = None, **fields: Any) -> Any:
    return browser.post("/review/decide", {"action": action, "groups": groups or [], **fields}, headers=JSON)


def test_what_is_told_of_a_decision(ana):
    record("one", "FLY BETTER", seconds=126)
    record("two", "FLY BETTER", "ORBITAL", seconds=126)
    answer = send(ana, "reject", refs("FLY BETTER")).json()
    made, left = Decision.objects.get(), group("FLY BETTER")
    assert answer == {
        "decision": made.id,
        "sentence": "'FLY BETTER' rejected",
        "items": 2,
        "seconds": 252.0,
        "settled": "settled 4 min 12 s in 2 reports",
        "groups": [{"id": left.id, "revision": left.revision, "open": False}],
        "left": {"groups": 1, "seconds": 126.0, "groups_words": "1 decision", "seconds_words": "2 min 06 s"},
    }
    assert made.by == "user:ana"


def test_what_is_left_is_of_what_the_reader_looks_at(ana):
    record("one", "FLY BETTER", "ORBITAL", brands=[proposed("Velmora")])
    answer = send(ana, "reject", refs("FLY BETTER"), query="kind=undecided").json()
    assert answer["left"]["groups"] == 1


class TestOnce:
    def test_the_same_token_again_is_the_same_decision(self, ana):
        record("one", "FLY BETTER")
        seen, token = refs("FLY BETTER"), str(uuid.uuid4())
        answers = [send(ana, "reject", seen, token=token).json() for _ in range(3)]
        assert answers[0] == answers[1] == answers[2]
        assert Decision.objects.count() == 1

    def test_an_undoing_sent_again_does_not_make_the_decision_again(self, ana):
        record("one", "FLY BETTER")
        made, token = send(ana, "reject", refs("FLY BETTER")).json()["decision"], str(uuid.uuid4())
        for _ in range(2):
            assert send(ana, f"undo:{made}", token=token).status_code == 200
        assert group("FLY BETTER").open_items == 1
        assert Decision.objects.count() == 2

    def test_two_people_may_have_one_token(self, ana, browser_of):
        record("one", "FLY BETTER", "ORBITAL")
        token = str(uuid.uuid4())
        send(ana, "reject", refs("FLY BETTER"), token=token)
        send(browser_of("ben"), "reject", refs("ORBITAL"), token=token)
        assert RejectedText.objects.count() == 2

    def test_a_refused_one_may_be_sent_again(self, ana):
        record("one", "FLY BETTER")
        brands_ensure(listed=[KnownBrandRecord("Velmora", ())])
        token = str(uuid.uuid4())
        assert send(ana, "new", refs("FLY BETTER"), name="Velmora", token=token).status_code == 409
        assert send(ana, "new", refs("FLY BETTER"), name="Orbital", token=token).status_code == 200


class TestTwoPeople:
    def test_the_second_learns_who_decided_what(self, ana, browser_of):
        record("one", "FLY BETTER", "ORBITAL")
        seen = refs("FLY BETTER", "ORBITAL")
        made = send(browser_of("ben"), "reject", seen[:1]).json()["decision"]
        refused = send(ana, "confirm", seen)
        assert refused.status_code == 409
        assert refused.json() == {
            "detail": "Ben decided on 'FLY BETTER' meanwhile: 'FLY BETTER' rejected",
            "code": "conflict",
            "decision": made,
        }
        assert group("ORBITAL").open_items == 1
        assert not KnownBrand.objects.exists()

    def test_only_a_curator_undoes_what_somebody_else_decided(self, ana, browser_of):
        record("one", "FLY BETTER")
        made = send(ana, "reject", refs("FLY BETTER")).json()["decision"]
        refused = send(browser_of("ben"), f"undo:{made}")
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
        assert "a curator can undo it" in refused.json()["detail"]
        assert send(browser_of("cleo", Role.CURATOR), f"undo:{made}").status_code == 200

    def test_an_undoing_names_what_stands_in_its_way(self, ana):
        record("one", "FLY BETTER", "ORBITAL")
        first = send(ana, "new", refs("FLY BETTER"), name="Velmora").json()["decision"]
        brand = KnownBrand.objects.get()
        second = send(ana, f"alias:{brand.id}", refs("ORBITAL")).json()["decision"]
        refused = send(ana, f"undo:{first}")
        assert (refused.status_code, refused.json()["decision"]) == (409, second)


class TestUndo:
    def test_it_tells_what_waits_again(self, ana):
        record("one", "FLY BETTER")
        made = send(ana, "confirm", refs("FLY BETTER")).json()["decision"]
        undone = send(ana, f"undo:{made}").json()
        assert undone["sentence"] == "Undone: FLY BETTER confirmed"
        assert undone["settled"] == "5.0 s in 1 report wait again"
        assert undone["groups"][0]["open"]
        again = send(ana, f"undo:{made}").json()
        assert (again["sentence"], again["settled"]) == (
            "Made again: FLY BETTER confirmed",
            "settled 5.0 s in 1 report",
        )


class TestSplit:
    def test_both_groups_are_told(self, ana):
        record("one", "FLY BETTER", "FLY 8ETTER")
        item = ReviewItem.objects.get(text="FLY 8ETTER")
        answer = send(ana, "split", refs("FLY BETTER"), items=[item.id]).json()
        assert {one["id"] for one in answer["groups"]} == set(ReviewGroup.objects.values_list("id", flat=True))
        assert all(one["open"] for one in answer["groups"])

    def test_one_group_at_a_time(self, ana):
        record("one", "FLY BETTER", "ORBITAL")
        refused = send(ana, "split", refs("FLY BETTER", "ORBITAL"), items=["1"])
        assert refused.status_code == 400
        assert "one group at a time" in refused.json()["detail"]


class TestEffect:
    def test_it_says_what_would_be_settled_and_settles_nothing(self, ana):
        record("one", "FLY BETTER", seconds=126)
        record("two", "FLY BETTER", "ORBITAL", seconds=126)
        told = ana.post("/review/effect", {"action": "confirm", "groups": refs("FLY BETTER", "ORBITAL")}).json()
        assert told == {
            "sentence": "FLY BETTER, ORBITAL confirmed",
            "items": 3,
            "seconds": 378.0,
            "sources": 2,
            "settles": "6 min 18 s in 2 reports",
        }
        assert not Decision.objects.exists()

    def test_it_says_why_it_cannot_be(self, ana):
        record("one", "FLY BETTER")
        brands_ensure(listed=[KnownBrandRecord("Velmora", ())])
        told = ana.post("/review/effect", {"action": "new", "name": "velmora", "groups": refs("FLY BETTER")}).json()
        assert told == {"refused": "Velmora is known already: make it an alias of that brand"}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"action": "merge"},
        {"action": "confirm"},
        {"action": "confirm", "groups": "x"},
        {"action": "confirm", "groups": "1"},
        {"action": "confirm", "groups": "1:²"},
        {"action": "confirm", "groups": [f"{number}:1" for number in range(501)]},
        {"action": "alias:x", "groups": "1:1"},
        {"action": "undo:x"},
        {"action": "undo"},
        {"action": "split", "groups": "1:1", "items": "x"},
        {"action": "confirm", "groups": "1:1", "token": "x"},
        {"action": "new", "groups": "1:1", "name": "\0"},
    ],
)
def test_what_cannot_be_understood_changes_nothing(ana, fields):
    record("one", "FLY BETTER")
    answer = ana.post("/review/decide", fields, headers=JSON)
    assert answer.status_code in (400, 404, 409)
    assert answer.json()["detail"]
    if "token" not in fields:
        assert ana.post("/review/effect", fields).json()["refused"]
    assert not Decision.objects.exists()


def test_a_decision_that_is_not_there(ana):
    assert send(ana, "undo:99999").status_code == 404
    assert send(ana, f"alias:{uuid.uuid4()}", ["1:1"]).status_code in (404, 409)
