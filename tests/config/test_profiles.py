"""Profiles that are kept elsewhere than with the program."""

from __future__ import annotations

import pytest

from detect.config import Profile, builtin_profiles, profile_names, profiles, resolve
from detect.errors import ConfigError
from detect.registry import load_pipeline

BRANDS = load_pipeline("brands")
NIGHT = Profile(
    "night",
    "Night",
    "Floodlight",
    {"extract_frames": {"fps": 4.0}, "run_ocr": {"min_letters": 3}},
    "brands",
    saved=True,
)
PITS = Profile("pits", "Pits", "", pipeline="pitstop", saved=True)


class Kept:
    def __init__(self, *kept: Profile) -> None:
        self.kept = {one.name: one for one in kept}
        self.asked: list[str] = []

    def find(self, name: str) -> Profile | None:
        self.asked.append(name)
        return self.kept.get(name)

    def all(self) -> list[Profile]:
        return list(self.kept.values())


@pytest.fixture
def kept(monkeypatch) -> Kept:
    source = Kept(NIGHT, PITS)
    monkeypatch.setattr("detect.config._saved_profiles", source)
    return source


def test_they_are_listed_with_the_built_in_ones(kept):
    assert profile_names() == ["motorsport", "night", "pit_stop", "pits", "soccer_broadcast"]
    assert profile_names("brands") == ["motorsport", "night", "soccer_broadcast"]
    assert [one.label for one in profiles("brands") if one.saved] == ["Night"]


def test_one_resolves_over_defaults_and_under_overrides(kept):
    config = resolve(BRANDS, "night", {"run_ocr": {"min_letters": 4}})
    assert config.profile == "night"
    assert (config.options["extract_frames"].fps, config.options["run_ocr"].min_letters) == (4.0, 4)
    assert resolve(BRANDS, NIGHT).options == resolve(BRANDS, "night").options


def test_a_built_in_one_is_found_without_asking(kept):
    resolve(BRANDS, "motorsport")
    assert kept.asked == []


def test_a_built_in_one_is_not_replaced(kept):
    kept.kept["motorsport"] = Profile("motorsport", "Mine", "", {"extract_frames": {"fps": 9}}, "brands", saved=True)
    assert resolve(BRANDS, "motorsport").options["extract_frames"].fps == 3.0
    assert [one.label for one in profiles() if one.name == "motorsport"] == ["Motorsport"]


def test_one_of_another_pipeline_is_refused(kept):
    with pytest.raises(ConfigError, match="'pits' is for the pipeline 'pitstop', not 'brands'"):
        resolve(BRANDS, "pits")


def test_an_unknown_one_is_told_with_all_there_are(kept):
    with pytest.raises(
        ConfigError, match="unknown profile 'curling': there are motorsport, night, pit_stop, pits, soccer_bro"
    ):
        resolve(BRANDS, "curling")


def test_what_it_sets_is_checked(kept):
    kept.kept["old"] = Profile("old", "Old", "", {"run_ocr": {"gone": 1}}, "brands", saved=True)
    with pytest.raises(ConfigError, match=r"unknown option 'run_ocr\.gone'"):
        resolve(BRANDS, "old")


def test_every_built_in_one_has_words_for_people():
    assert all(one.label and one.description and not one.saved for one in builtin_profiles().values())
