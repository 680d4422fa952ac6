"""escalate_vlm and escalate_cloud: from unresolved candidates to brands, with a real server on loopback."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from detect.checkpoints import serde
from detect.errors import CancelledError, ConfigError
from detect.options import convert_options
from detect.providers.catalog import ProviderCatalog
from detect.resources import Resources
from detect.stages.escalate_cloud import EscalateCloud, EscalateCloudInput, EscalateCloudOutput
from detect.stages.escalate_vlm import EscalateVlm, EscalateVlmOutput
from detect.types import BrandDetection, Observation
from tests.providers.chat_server import Ask, Reaction, chat_server, completion, error, verdict
from tests.providers.escalating import KNOWN, STAGE, ask_stage, by_text, given
from tests.providers.made import PRICES, candidate, context, provider, resources


class TestWithoutProvider:
    def test_it_is_skipped_and_says_so(self) -> None:
        left = [candidate("ACME"), candidate("FOO")]
        output = ask_stage(resources([]), left)
        assert output.skipped == "no provider 'local' in providers file"
        assert (output.unresolved, output.detections, output.calls, output.incomplete) == (left, [], [], False)

    def test_the_other_stage_names_its_own(self) -> None:
        stage: Any = EscalateCloud()
        before = EscalateVlmOutput(detections=[], unresolved=[candidate("FOO")], calls=[])
        output = stage.run(context(convert_options(stage, {}), resources([])), EscalateCloudInput(escalate_vlm=before))
        assert isinstance(output, EscalateCloudOutput)
        assert output.skipped == "no provider 'cloud' in providers file"
        assert output.unresolved == before.unresolved

    @pytest.mark.parametrize("environment", [{}, {"SOME_KEY": ""}, {"SOME_KEY": "not a key"}])
    def test_a_provider_without_usable_key_is_as_none(self, environment: dict[str, str]) -> None:
        shared = Resources(providers=ProviderCatalog({"local": provider("http://127.0.0.1:1/v1")}, environment))
        output = ask_stage(shared, [candidate("FOO")])
        assert "SOME_KEY" in output.skipped
        assert len(output.unresolved) == 1


class TestAnswers:
    def test_become_detections_or_nothing(self) -> None:
        made = [candidate("ACNE"), candidate("BOIT"), candidate("CORA"), candidate("12:30")]
        with chat_server(by_text(ACNE="acme corp", BOIT="Bolt", CORA="Cora", **{"12:30": ""})) as server:
            output = ask_stage(resources([provider(server.base_url)]), made)
        first = made[0]
        assert output.detections[0] == BrandDetection(
            brand="Acme",
            source="local_vlm",
            confidence=0.9,
            text="ACNE",
            placement="board",
            observations=first.observations,
            rule="model, known brand",
            model="tiny-vl",
            confirmed=True,
        )
        assert [(one.brand, one.confirmed) for one in output.detections] == [
            ("Acme", True),
            ("Bolt", False),
            ("Cora", False),
        ]
        assert output.unresolved == []
        assert (output.skipped, output.incomplete) == ("", False)
        assert output.stats == {
            "candidates": 4,
            "distinct": 4,
            "answered": 4,
            "unanswered": 0,
            "unsure": 0,
            "brands": 3,
            "detections": 3,
            "not_brands": 1,
            "calls": 4,
            "input_tokens": 1600,
            "output_tokens": 120,
            "usd": "0",
        }

    def test_a_brand_that_is_not_in_a_given_list_stays_unresolved(self) -> None:
        with chat_server(by_text(CORA="Cora", ACNE="ACM")) as server:
            known = replace(KNOWN, given=True)
            output = ask_stage(resources([provider(server.base_url)]), [candidate("CORA"), candidate("ACNE")], known)
        assert [one.brand for one in output.detections] == ["Acme"]
        assert [one.reason for one in output.unresolved] == [
            "no known name is like it; tiny-vl says 'Cora', which is not among the given brands"
        ]

    def test_what_people_said_is_no_brand_is_none(self) -> None:
        with chat_server(by_text(CORA="Córa!")) as server:
            known = replace(KNOWN, rejected=("cora",))
            output = ask_stage(resources([provider(server.base_url)]), [candidate("CORA")], known)
        assert (output.detections, output.unresolved, output.stats["not_brands"]) == ([], [], 1)

    @pytest.mark.parametrize(("brand", "said"), [("Cora", "'Cora'"), ("", "no brand")])
    def test_an_unsure_one_leaves_the_candidate_with_the_reason(self, brand: str, said: str) -> None:
        with chat_server(lambda ask: verdict(brand, confidence=0.4)) as server:
            shared = resources([provider(server.base_url)])
            output = ask_stage(shared, [candidate("CORA")])
            assert output.unresolved[0].reason.endswith(f"tiny-vl says {said}, not surely (0.40)")
            assert output.stats["unsure"] == 1
            assert not output.incomplete
            # the same answer, taken as sure enough, without asking again
            assert ask_stage(shared, [candidate("CORA")], min_confidence=0.4).unresolved == []
            assert len(server.asks) == 1

    @pytest.mark.parametrize(("kind", "source"), [("local", "local_vlm"), ("cloud", "cloud_llm")])
    def test_are_marked_by_the_kind_of_provider(self, kind: str, source: str) -> None:
        with chat_server(lambda ask: verdict("Acme")) as server:
            output = ask_stage(resources([provider(server.base_url, kind=kind)]), [candidate("ACNE")])
        assert output.detections[0].source == source


class TestTrouble:
    @pytest.mark.parametrize(
        ("behave", "told"),
        [
            (lambda ask: error(503, "overloaded"), "status 503: overloaded (after 3 attempts)"),
            (lambda ask: error(429, "slow down"), "status 429: slow down (after 3 attempts)"),
            (lambda ask: completion("hm"), "it answered nonsense: no JSON object in 'hm' (after 3 attempts)"),
            (lambda ask: Reaction(hang=True), "no answer within 0.1 s (after 3 attempts)"),
            (lambda ask: Reaction(hang_up=True), "(after 3 attempts)"),
            (lambda ask: error(401), "refused access (401)"),
        ],
    )
    def test_leaves_candidates_with_the_reason_and_the_run_goes_on(
        self, behave: Callable[[Ask], Reaction], told: str
    ) -> None:
        with chat_server(behave) as server:
            output = ask_stage(resources([provider(server.base_url, timeout_s=0.1)]), [candidate("ACNE")])
        assert output.unresolved[0].reason.startswith("no known name is like it; ")
        assert told in output.unresolved[0].reason
        assert output.incomplete
        assert output.detections == []

    def test_nobody_there(self) -> None:
        with socket.socket() as unheard:
            unheard.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{unheard.getsockname()[1]}/v1"
            output = ask_stage(resources([provider(address)]), [candidate(f"N{n}") for n in range(9)])
        assert output.incomplete
        assert len(output.unresolved) == 9
        assert sum("provider 'local' is unreachable" in one.reason for one in output.unresolved) == 6

    def test_a_later_run_asks_only_what_is_missing(self) -> None:
        def half(ask: Ask) -> Reaction:
            return verdict("Acme") if ask.read_text == "ONE" else error(500)

        with chat_server(half) as server:
            shared = resources([provider(server.base_url)])
            made = [candidate("ONE"), candidate("TWO")]
            first = ask_stage(shared, made)
            server.behave = lambda ask: verdict("Bolt")
            second = ask_stage(shared, made)
        assert (first.incomplete, second.incomplete) == (True, False)
        assert [one.brand for one in second.detections] == ["Acme", "Bolt"]
        assert [ask.read_text for ask in server.asks] == ["ONE", "TWO", "TWO", "TWO", "TWO"]

    def test_stopping_is_heard(self) -> None:
        def stop() -> None:
            raise CancelledError("stopped")

        with chat_server(lambda ask: verdict("Acme")) as server, pytest.raises(CancelledError):
            shared = resources([provider(server.base_url)])
            STAGE.run(context(convert_options(STAGE, {}), shared, checkpoint=stop), given([candidate("ACNE")]))
        assert server.asks == []


class TestShape:
    @pytest.mark.parametrize("stage", [EscalateVlm(), EscalateCloud()])
    def test_every_option_has_a_default_and_a_description(self, stage: Any) -> None:
        schema = msgspec.json.schema(stage.Options)["$defs"][stage.Options.__name__]
        assert schema.get("required", []) == []
        assert all(field.get("description") for field in schema["properties"].values())

    @pytest.mark.parametrize(
        "values",
        [
            {"max_questions": -1},
            {"budget_usd": -0.01},
            {"budget_usd": float("nan")},
            {"min_confidence": 1.1},
            {"crops_per_question": 0},
            {"crops_per_question": 5},
            {"max_image_side": 10},
            {"ask_again": -1},
            {"provider": ""},
        ],
    )
    def test_values_out_of_range_are_named(self, values: dict[str, Any]) -> None:
        [name] = values
        with pytest.raises(ConfigError, match=f"escalate_vlm.{name}"):
            convert_options(STAGE, values)

    def test_outputs_survive_storing(self) -> None:
        with chat_server(lambda ask: verdict("Acme") if ask.read_text == "A" else error(500)) as server:
            output = ask_stage(resources([provider(server.base_url, **PRICES)]), [candidate("A"), candidate("B")])
        assert output.unresolved
        assert output.detections
        assert serde.unpack(serde.pack(serde.encode(output)), EscalateVlmOutput) == output
        assert isinstance(output.detections[0].observations[0], Observation)
