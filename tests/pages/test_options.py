"""Forms made from the stages' option schemas."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict

from detect.config import resolve
from detect.registry import load_pipeline
from jobs.pages.brand_text import read_brand_text
from jobs.pages.options import OptionField, SentOptions, differences, option_groups, read_options

PIPELINE = load_pipeline("brands")
SNAPSHOT = resolve(PIPELINE).snapshot()


def sent(**fields: Any) -> SentOptions:
    data = QueryDict(mutable=True)
    for name, value in fields.items():
        data.setlist("option." + name.replace("__", "."), value if isinstance(value, list) else [value])
    return read_options(PIPELINE, data, SNAPSHOT)


def field(stage: str, name: str, answer: SentOptions | None = None) -> OptionField:
    groups = option_groups(PIPELINE.stages, SNAPSHOT, answer)
    return next(one for group in groups if group.stage == stage for one in group.fields if one.name == name)


def test_every_option_of_every_stage_has_a_field_that_sends_nothing_unchanged():
    groups = option_groups(PIPELINE.stages, SNAPSHOT)
    assert {group.stage for group in groups} == set(SNAPSHOT)
    data = QueryDict(mutable=True)
    for group in groups:
        assert {one.name for one in group.fields} == set(SNAPSHOT[group.stage])
        for one in group.fields:
            data[one.field_name] = one.value
    answer = read_options(PIPELINE, data, SNAPSHOT)
    assert (answer.overrides, answer.errors) == ({}, {})


def test_only_what_differs_is_an_override_in_its_own_type():
    answer = sent(run_ocr__min_confidence="0.7", run_ocr__detect_side="1312", match_brands__partial_names=["false"])
    assert answer.overrides == {"run_ocr": {"min_confidence": 0.7}, "match_brands": {"partial_names": False}}
    assert sent(match_brands__partial_names=["false", "true"]).overrides == {}
    assert sent(detect_objects__classes="person, car").overrides == {"detect_objects": {"classes": ["person", "car"]}}
    assert sent(extract_frames__fps="2,5").overrides == {"extract_frames": {"fps": 2.5}}
    assert sent(extract_frames__fps="2.0").overrides == {}


@pytest.mark.parametrize("text", ["7", "-1", "nan", "inf", "many", ""])
def test_a_wrong_value_is_told_beside_its_field_and_kept(text):
    answer = sent(run_ocr__min_confidence=text, extract_frames__fps="3")
    assert answer.errors == {"run_ocr.min_confidence": "Must be a number from 0 to 1."}
    assert answer.overrides == {"extract_frames": {"fps": 3.0}}
    shown = field("run_ocr", "min_confidence", answer)
    assert (shown.value, shown.error) == (text, "Must be a number from 0 to 1.")


def test_a_text_that_its_stage_refuses_is_told_what_it_is():
    assert "three letters" in sent(compile_report__currency="euros").errors["compile_report.currency"]


def test_limits_steps_and_kinds():
    similarity = field("match_brands", "min_similarity")
    assert (similarity.kind, similarity.minimum, similarity.maximum, similarity.step) == ("number", "0.5", "1", "0.01")
    assert field("match_brands", "partial_names").kind == "switch"
    assert field("run_ocr", "detect_side").step == "1"


@pytest.mark.parametrize("stage", PIPELINE.stages, ids=lambda stage: stage.name)
def test_a_browser_takes_every_default_for_valid(stage):
    for one in option_groups([stage], SNAPSHOT)[0].fields:
        if one.kind == "number" and one.step != "any":
            steps = (float(one.value) - float(one.minimum)) / float(one.step)
            assert steps == pytest.approx(round(steps), abs=1e-6), one.name


def test_differences_are_words():
    assert differences({"run_ocr": {"min_confidence": 0.7}, "match_brands": {"partial_names": False}}) == [
        ("Read text", "min confidence", "0.7"),
        ("Match brands", "partial names", "false"),
    ]


class TestBrandText:
    def test_lines_commas_and_other_spellings(self):
        found = read_brand_text("Acme, Globex\n\nAstral Pipes = Astral; Astral Ltd\nacme")
        assert [(one.name, one.aliases) for one in found] == [
            ("Acme", ()),
            ("Globex", ()),
            ("Astral Pipes", ("Astral", "Astral Ltd")),
        ]

    def test_a_pasted_csv(self):
        found = read_brand_text('Name,Aliases\n"Smith, Sons",Smith;S&S\nAcme,')
        assert [(one.name, one.aliases) for one in found] == [("Smith, Sons", ("Smith", "S&S")), ("Acme", ())]

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", "at least one"),
            ("name,aliases", "at least one"),
            ("Acme, ---", "'---'"),
            ("x" * 301, "301 letters"),
            ("= Alias", "''"),
        ],
    )
    def test_what_cannot_be_used_is_named(self, text, told):
        from detect.errors import ConfigError

        with pytest.raises(ConfigError, match=told):
            read_brand_text(text)

    def test_a_name_of_a_file_is_a_name(self, tmp_path):
        path = tmp_path / "secret.csv"
        path.write_text("hidden")
        assert [one.name for one in read_brand_text(str(path))] == [str(path)]
