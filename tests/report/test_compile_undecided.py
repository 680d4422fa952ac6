"""What compile_report says of candidates nobody decided, and of what models were paid."""

from __future__ import annotations

from typing import Any

import msgspec

from detect.stages.compile_report import CompileReportOptions
from detect.stages.escalate_cloud import EscalateCloudOutput
from detect.stages.escalate_vlm import EscalateVlmOutput
from detect.stages.match_brands import MatchBrandsOutput
from detect.types import (
    Candidate,
    ModelCall,
    Observation,
    Suggestion,
)
from tests.report.factories import BOX, compile_case, detection


def candidate(name: str, sequences: list[int], **change) -> Candidate:
    values = {
        "candidate_id": f"id-{name}",
        "text": name,
        "confidence": 0.61234,
        "placement": "led",
        "observations": [Observation(sequence, BOX, 0.6) for sequence in sequences],
        "crop_sequence": sequences[0],
        "crop_box": BOX,
        "members": 2,
        "reason": "resembles two brands",
        "suggestions": [Suggestion("Acme", 0.71)],
    }
    return Candidate(**{**values, **change})


class TestUnresolvedAndCosts:
    def test_unresolved_is_what_the_last_stage_left(self):
        left = [candidate("KOBE", [1]), candidate("ZUMA", [4, 5])]
        report = compile_case(
            [],
            match_brands=MatchBrandsOutput(detections=[], unresolved=[*left, candidate("DONE", [2])]),
            escalate_cloud=EscalateCloudOutput(detections=[], unresolved=left, calls=[]),
        )
        first, second = report.unresolved
        assert (first.text, first.seconds, second.text, second.seconds) == ("ZUMA", 1.0, "KOBE", 0.5)
        assert (first.crop, first.time, first.confidence) == ("crops/0000004-450-225-100-50.jpg", 2.0, 0.6123)
        assert (first.suggestions[0].name, first.reason) == ("Acme", "resembles two brands")

    def test_a_limit_is_said(self):
        left = [candidate(str(number), [number]) for number in range(1, 5)]
        report = compile_case(
            [],
            options=CompileReportOptions(max_unresolved=3),
            escalate_cloud=EscalateCloudOutput(detections=[], unresolved=left, calls=[]),
        )
        assert len(report.unresolved) == 3
        assert report.notes[-1].reason.startswith("1 more unresolved candidates, each at most 0.5 s")
        assert report.stats["unresolved"] == 4

    def test_costs_are_exact(self):
        calls = [ModelCall("d", "p", "m", 100, 10, "0.1", 1.5), ModelCall("e", "p", "m", 50, 5, "0.0000002", 0.25)]
        report = compile_case(
            [],
            escalate_vlm=EscalateVlmOutput(detections=[], unresolved=[], calls=calls[:1]),
            escalate_cloud=EscalateCloudOutput(detections=[], unresolved=[], calls=calls[1:]),
        )
        assert msgspec.to_builtins(report.costs) == {
            "calls": 2,
            "tokens": 165,
            "usd": "0.1000002",
            "input_tokens": 150,
            "output_tokens": 15,
            "seconds": 1.75,
        }

    def test_detections_of_all_three_sources_are_one_brand(self):
        report = compile_case(
            [detection("Acme", [2])],
            escalate_vlm=EscalateVlmOutput(
                detections=[detection("Acme", [3], source="local_vlm", model="m1")], unresolved=[], calls=[]
            ),
            escalate_cloud=EscalateCloudOutput(
                detections=[detection("Acme", [4], source="cloud_llm", model="m2")], unresolved=[], calls=[]
            ),
        )
        (exposure,) = report.brands[0].exposures
        assert (exposure.start, exposure.end) == (0.77, 2.27)
        assert {item.source for item in exposure.evidence} == {"ocr", "local_vlm", "cloud_llm"}


def test_lettering_nobody_decided_on_is_listed_as_an_unconfirmed_brand_and_only_there():
    seen = [Observation(sequence, BOX, 0.9) for sequence in range(4)]
    known: dict[str, Any] = {
        "text": "KRONBERG",
        "confidence": 0.9,
        "placement": "board",
        "observations": seen,
        "crop_sequence": 0,
        "crop_box": BOX,
        "members": 1,
        "reason": "no known brand is spelled like it",
    }
    lasting, brief = Candidate(candidate_id="a", brand_like=True, **known), Candidate(candidate_id="b", **known)
    left = EscalateCloudOutput(detections=[], unresolved=[lasting, brief], calls=[])
    body = compile_case([], escalate_cloud=left)
    assert [(brand.name, brand.confirmed) for brand in body.brands] == [("KRONBERG", False)]
    assert body.brands[0].exposures[0].evidence[0].rule == "proposed"
    assert [item.candidate_id for item in body.unresolved] == ["b"]
