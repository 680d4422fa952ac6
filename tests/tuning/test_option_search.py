"""Reading what to try, the order of a search, and which setting is the best."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from detect.checkpoints.memory import MemoryCheckpointStore
from detect.checkpoints.outputs import make_ref
from detect.config import resolve
from detect.errors import CancelledError, ConfigError
from detect.option_choices import Choice, Setting, assignments, changes, present_setting, read_choices
from detect.option_search import Objective, Search, SearchKind, Trial, by_stage, check_grid
from detect.option_trials import Figures, WholeWork, by_spans, by_totals, together
from detect.options import Overrides
from detect.registry import load_pipeline
from detect.report import ReportBody
from detect.scoring import BrandScore
from tests.checkpoints.toy import SizeOutput

BRANDS = load_pipeline("brands")


def choices(*texts: str) -> list[Choice]:
    return read_choices(texts, BRANDS, resolve(BRANDS))


def figures(f1: float = 0.9, *, precision: float = 1.0, seconds: float = 10.0, usd: str = "0") -> Figures:
    """Of one brand, with this F1 and precision."""
    recall = f1 * precision / (2 * precision - f1)
    brand = BrandScore("Acme", 100.0, 100.0 * recall / precision, 100.0 * recall)
    return Figures([brand], {"run_ocr": seconds}, Decimal(usd))


class TestReading:
    @pytest.mark.parametrize(
        ("text", "tried"),
        [
            ("match_brands.min_similarity=0.75, 0.8,0.85", [0.75, 0.8, 0.85]),
            ("match_brands.min_similarity=0.7:0.9:0.05", [0.7, 0.75, 0.8, 0.85, 0.9]),
            ("run_ocr.detect_side=960:1600:320", [960, 1280, 1600]),
            ("run_ocr.detect_side=960:1500:256,2000", [960, 1216, 1472, 2000]),
            ("run_ocr.detect_every=1:3", [1, 2, 3]),
            ("run_ocr.detect_side=960,960,960.0", [960]),
            ("match_brands.partial_names=false,true", [False, True]),
            ("detect_objects.classes=[person],[person, car]", [("person",), ("person", "car")]),
        ],
    )
    def test_lists_and_ranges(self, text: str, tried: list[Any]):
        [choice] = choices(text)
        assert [choice.values[position] for position in choice.tried] == tried

    def test_the_value_there_is_can_always_be_gone_back_to(self):
        [choice] = choices("match_brands.min_similarity=0.9,0.7")
        assert choice.values == (0.7, 0.8, 0.9)
        assert (choice.present, choice.tried) == (1, (0, 2))
        assert choice.name == "match_brands.min_similarity"

    def test_in_the_order_of_the_pipeline(self):
        named = choices("compile_report.min_seconds=1", "run_ocr.min_letters=3", "run_ocr.detect_side=960")
        assert [choice.name for choice in named] == [
            "run_ocr.detect_side",
            "run_ocr.min_letters",
            "compile_report.min_seconds",
        ]

    @pytest.mark.parametrize(
        ("texts", "message"),
        [
            ([], "nothing to try"),
            (["min_similarity=0.8"], "is not of the form stage.option=values"),
            (["match_brands.min_similarity"], "is not of the form"),
            (["match_brands.min_similarity="], "is not of the form"),
            (["match_brand.min_similarity=0.8"], "unknown stage 'match_brand': the stages of 'brands' are extract_f"),
            (["match_brands.similarity=0.8"], r"unknown option 'match_brands\.similarity': allowed are candidate_"),
            (["match_brands.min_similarity=0.9,1.1"], r"min_similarity = 1\.1: .*at least 0\.5, at most 1"),
            (["match_brands.min_similarity=high"], "min_similarity = 'high'"),
            (["match_brands.min_similarity=0.9:0.7:0.1"], r"'0\.9:0\.7:0\.1' is no range: give first:last:step"),
            (["run_ocr.detect_side=960:1600:0"], "is no range"),
            (["run_ocr.detect_side=400:4000:1"], "with at most 200 values"),
            (["match_brands.min_similarity=0.8"], r"min_similarity is 0\.8 already: give other values"),
            (["match_brands.min_similarity=0.7", "match_brands.min_similarity=0.9"], "given twice"),
            (["detect_objects.classes=[person"], r"the value '.*' cannot be read"),
        ],
    )
    def test_what_cannot_be_tried_is_told(self, texts: list[str], message: str):
        with pytest.raises(ConfigError, match=message):
            choices(*texts)

    def test_changes_are_what_set_takes(self):
        tried = choices("run_ocr.detect_side=960", "detect_objects.classes=[person]", "escalate_vlm.provider=other")
        assert changes(present_setting(tried), tried) == {}
        setting = tuple(choice.tried[0] for choice in tried)
        changed: Overrides = {
            "detect_objects": {"classes": ("person",)},
            "run_ocr": {"detect_side": 960},
            "escalate_vlm": {"provider": "other"},
        }
        assert changes(setting, tried) == changed
        assert assignments(changed) == [
            'detect_objects.classes=["person"]',
            "run_ocr.detect_side=960",
            "escalate_vlm.provider=other",
        ]
        assert assignments({"escalate_vlm": {"provider": "1"}}) == ['escalate_vlm.provider="1"']


def trial(number: int, *setting: int, **values: Any) -> Trial:
    return Trial(number, setting, figures(**values))


class TestObjective:
    TRIED = choices("match_brands.min_similarity=0.7,0.9", "match_brands.min_confidence=0.5,0.7")

    def best(self, *trials: Trial, least: float = 0.95) -> int:
        return Objective(least).best(trials, self.TRIED).number

    def test_the_highest_f1_that_is_precise_enough(self):
        assert self.best(trial(0, 1, 1, f1=0.8), trial(1, 0, 1, f1=0.9), trial(2, 2, 1, f1=0.85)) == 1
        assert self.best(trial(0, 1, 1, f1=0.8), trial(1, 0, 1, f1=0.9, precision=0.94)) == 0
        assert self.best(trial(0, 1, 1, f1=0.8), trial(1, 0, 1, f1=0.9, precision=0.94), least=0.9) == 1

    def test_where_none_is_the_most_precise(self):
        assert self.best(trial(0, 1, 1, f1=0.8, precision=0.9), trial(1, 0, 1, f1=0.7, precision=0.93)) == 1

    def test_of_equals_the_cheaper_then_the_faster_then_the_one_that_changes_less(self):
        assert self.best(trial(0, 1, 1, usd="0.02"), trial(1, 0, 1, usd="0.01", seconds=99)) == 1
        assert self.best(trial(0, 1, 1, seconds=10), trial(1, 0, 1, seconds=8)) == 1
        assert self.best(trial(0, 0, 0, seconds=10), trial(1, 1, 0, seconds=10.1)) == 1
        assert self.best(trial(0, 1, 1, f1=0.9), trial(1, 0, 1, f1=0.9001)) == 0

    def test_the_front_is_what_nothing_beats_in_both(self):
        trials = [
            trial(0, 1, 1, f1=0.90, seconds=20),
            trial(1, 0, 1, f1=0.80, seconds=5),
            trial(2, 2, 1, f1=0.85, seconds=25),
            trial(3, 0, 0, f1=0.95, seconds=30),
            trial(4, 2, 0, f1=0.99, seconds=1, precision=0.9),
            trial(5, 2, 2, f1=0.80, seconds=6),
        ]
        assert [one.number for one in Objective().front(trials, self.TRIED)] == [1, 0, 3]

    def test_of_equals_the_front_has_the_one_that_changes_less(self):
        trials = [trial(0, 1, 1, f1=0.8), trial(1, 2, 2, seconds=10.0), trial(2, 2, 1, seconds=10.1)]
        assert [one.number for one in Objective().front(trials, self.TRIED)] == [2]


class TestSearch:
    TRIED = choices(
        "run_ocr.detect_side=960,1312,1600", "match_brands.min_similarity=0.7,0.9", "compile_report.min_seconds=1"
    )

    def search(
        self, evaluate: Callable[[Setting], Figures], kind: SearchKind = "one-by-one", **values: Any
    ) -> list[Setting]:
        search = Search(self.TRIED, Objective(), evaluate, kind, **values)
        best = search.run()
        settings = [one.setting for one in search.trials]
        assert len(set(settings)) == len(settings) <= search.at_most
        assert settings[0] == present_setting(self.TRIED)
        assert best is search.best
        self.found = best.setting
        return settings

    def test_one_by_one_holds_the_best_known(self):
        """The first pass finds 1600, then 0.7 with it; the second tries what it has not, and nothing is better."""
        settings = self.search(lambda setting: figures(0.5 + 0.1 * setting[0] - 0.05 * setting[1]))
        assert settings == [(1, 1, 0), (0, 1, 0), (2, 1, 0), (2, 0, 0), (2, 2, 0), (2, 0, 1), (0, 0, 0), (1, 0, 0)]
        assert self.found == (2, 0, 0)

    def test_one_by_one_goes_round_again_while_that_helps(self):
        """The first option pays once the second has another value, which the first pass learns too late."""
        settings = self.search(lambda one: figures(0.9 if one == (2, 0, 0) else 0.7 if one[1] == 0 else 0.6))
        assert self.found == (2, 0, 0)
        assert settings.index((2, 0, 0)) > settings.index((1, 0, 1))

    def test_a_grid_is_everything_in_the_order_of_the_stages(self):
        settings = self.search(lambda _: figures(), "grid")
        assert settings == [
            (1, 1, 0),
            *((side, similarity, 1) for side in (0, 1, 2) for similarity in (0, 2)),
        ]

    def test_random_is_drawn_by_its_seed_without_repeats(self):
        drawn = [self.search(lambda _: figures(), "random", most=4, seed=seed) for seed in (1, 1, 2)]
        assert drawn[0] == drawn[1] != drawn[2]
        assert len(drawn[0]) == 5
        everything = self.search(lambda _: figures(), "random", most=99)
        assert set(everything) == set(self.search(lambda _: figures(), "grid"))

    def test_no_more_than_wanted(self):
        assert len(self.search(lambda _: figures(), most=2)) == 3

    def test_a_grid_too_large_says_what_to_do(self):
        with pytest.raises(ConfigError, match=r"has 6 settings, more than 5: .*--search random --trials 5"):
            check_grid(self.TRIED, 5)
        check_grid(self.TRIED, 6)

    def test_what_was_evaluated_before_it_was_stopped_is_kept(self):
        def evaluate(setting: Setting) -> Figures:
            if setting[0] == 2:
                raise CancelledError("stopped")
            return figures(0.8 + 0.1 * (setting[0] == 0))

        search = Search(self.TRIED, Objective(), evaluate)
        with pytest.raises(CancelledError):
            search.run()
        assert [one.setting for one in search.trials] == [(1, 1, 0), (0, 1, 0)]
        assert search.best.number == 1

    def test_shown_by_stage_the_present_first(self):
        trials = [trial(0, 1, 1), trial(1, 2, 1), trial(2, 0, 2), trial(3, 0, 1)]
        assert [one.number for one in by_stage(trials)] == [0, 3, 2, 1]


class TestFigures:
    def test_several_clips_are_one_by_their_seconds(self):
        one = Figures([BrandScore("Acme", 10, 8, 8)], {"run_ocr": 2.0}, Decimal("0.1"))
        other = Figures([BrandScore("Acme", 90, 50, 45)], {"run_ocr": 3.0, "match_brands": 1.0}, Decimal("0.2"), True)
        both = together([one, other])
        assert (both.precision, both.recall) == (53 / 58, 0.53)
        assert (both.seconds, both.usd, both.incomplete) == (6.0, Decimal("0.3"), True)

    def test_nothing_reported_is_precise_and_nothing_true_is_recalled(self):
        assert Figures([], {}, Decimal(0)).f1 == 1.0
        assert Figures([BrandScore("Acme", 5, 0, 0)], {}, Decimal(0)).f1 == 0.0

    def test_judged_by_spans_and_by_totals(self, finished):
        [body] = finished.output("compile_report")
        assert isinstance(body, ReportBody)
        truth = [
            {"brand": brand.name, "t_start": one.start, "t_end": one.end}
            for brand in body.brands
            for one in brand.exposures
        ]
        assert Figures(by_spans(truth)(body), {}, Decimal(0)).f1 == 1.0
        totals = [(brand.name.upper(), brand.seconds + 0.5, 0.6) for brand in body.brands]
        assert Figures(by_totals(totals)(body), {}, Decimal(0)).f1 == 1.0
        first, *others = totals
        missing = [(first[0], first[1], 0.0), *others[:-1], ("Nowhere", 3.0, 0.0)]
        scores = {one.brand: one for one in by_totals(missing)(body)}
        assert scores[first[0]].recall < scores[first[0]].precision == 1.0
        assert (scores["Nowhere"].recall, scores["Nowhere"].true_seconds) == (0.0, 3.0)
        assert not scores[body.brands[-1].name].in_truth and scores[body.brands[-1].name].precision == 0.0


def test_parts_that_were_found_again_count_as_work():
    """A stage that finds a costly part of its work stored is not the faster for it."""
    store = MemoryCheckpointStore()
    part, body = make_ref("part", "size.pictures", SizeOutput(size=1), seconds=5.0)
    missing: list[str] = []
    first = WholeWork(store, lambda: missing.append("part"))
    assert first.find_output("part") is None and missing == ["part"]
    first.put_output(part, body)
    assert first.find_output("part") == part
    first.put_output(*make_ref("one", "size", SizeOutput(size=2), seconds=6.0))
    again = WholeWork(store)
    again.find_output("part")
    again.put_output(*make_ref("two", "size", SizeOutput(size=3), seconds=1.0))
    again.put_output(*make_ref("three", "size", SizeOutput(size=4), seconds=1.0))
    stored = store.find_outputs(["one", "two", "three"])
    assert {key: ref.seconds for key, ref in stored.items()} == {"one": 6.0, "two": 6.0, "three": 1.0}
