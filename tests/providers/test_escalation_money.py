"""What escalate_vlm may spend, and what makes its stored output another's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from detect.checkpoints import serde
from detect.errors import CancelledError
from detect.options import convert_options
from detect.providers.answers import MemoryAnswerStore
from detect.providers.catalog import Provider
from tests.providers.chat_server import chat_server, verdict
from tests.providers.escalating import KNOWN, STAGE, ask_stage, given, timeless
from tests.providers.made import PRICES, candidate, context, provider, resources


class TestMoney:
    def test_ends_before_the_call_that_would_break_the_budget(self) -> None:
        made = [candidate(f"NAME {n}", frames=20 - n) for n in range(8)]
        with chat_server(lambda ask: verdict("Acme")) as server:
            paid = provider(server.base_url, name="cloud", kind="cloud", **PRICES)
            output = ask_stage(resources([paid]), made, provider="cloud", budget_usd=0.006)
        spent = sum(Decimal(call.usd) for call in output.calls)
        assert 0 < len(output.calls) < 8
        assert spent <= Decimal("0.006")
        assert output.stats["usd"] == str(spent)
        assert [one.text for one in output.unresolved] == [f"NAME {n}" for n in range(len(output.calls), 8)]
        assert {one.reason for one in output.unresolved} == {
            "no known name is like it; budget of $0.006 would be exceeded"
        }
        assert not output.incomplete

    def test_the_output_does_not_depend_on_concurrency_or_interruption(self) -> None:
        made = [candidate(f"NAME {n}", frames=20 - n) for n in range(8)]
        with chat_server(lambda ask: verdict(f"Brand of {ask.read_text}")) as server:
            paid = provider(server.base_url, **PRICES)
            whole = ask_stage(resources([paid]), made, budget_usd=0.008)

            store = MemoryAnswerStore()
            left = len(server.asks) + 3

            def stop() -> None:
                if len(server.asks) >= left:
                    raise CancelledError("stopped")

            shared = resources([replace(paid, concurrency=3)], store)
            options = convert_options(STAGE, {"budget_usd": 0.008})
            with pytest.raises(CancelledError):
                STAGE.run(context(options, shared, KNOWN, checkpoint=stop), given(made))
            resumed = ask_stage(shared, made, budget_usd=0.008)
        assert timeless(resumed) == timeless(whole)
        assert len(server.asks) == 2 * len(whole.calls)

    def test_what_is_reused_is_byte_for_byte_the_same(self) -> None:
        with chat_server(lambda ask: verdict("Acme")) as server:
            shared = resources([provider(server.base_url, concurrency=4, **PRICES)])
            made = [candidate(f"NAME {n}") for n in range(6)]
            assert serde.encode(ask_stage(shared, made)) == serde.encode(ask_stage(shared, made))


class TestKey:
    def digests(self, *providers: Provider, **options: Any) -> tuple[str, ...]:
        digests: tuple[str, ...] = STAGE.model_digests(convert_options(STAGE, options), resources(providers))
        return digests

    def test_changes_with_what_changes_answers(self) -> None:
        one = provider("http://127.0.0.1:1/v1")
        keys = [
            self.digests(),
            self.digests(one),
            self.digests(replace(one, model="other")),
            self.digests(replace(one, base_url="http://127.0.0.1:2/v1")),
            self.digests(replace(one, extra_body={"seed": 1})),
            self.digests(replace(one, api_key_env="MISSING")),
            self.digests(replace(one, kind="cloud")),
        ]
        assert len(set(keys)) == len(keys)

    def test_stays_with_price_patience_and_key(self) -> None:
        one = provider("http://127.0.0.1:1/v1")
        changed = replace(one, timeout_s=1.0, concurrency=9, max_attempts=1, api_key_env="", **PRICES)
        assert self.digests(one) == self.digests(changed)

    def test_is_of_the_provider_that_is_asked(self) -> None:
        one, two = provider("http://127.0.0.1:1/v1"), provider("http://127.0.0.1:2/v1", name="two")
        assert self.digests(one, two) == self.digests(one)
        assert self.digests(one, two, provider="two") != self.digests(one)
