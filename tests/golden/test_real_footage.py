"""Real broadcasts, given only their brands' names: at least what reading every frame in full reaches, and more."""

from __future__ import annotations

import pytest

from tests.golden.runs import analyse, given, read_truth, score_of


@pytest.mark.slow
@pytest.mark.parametrize(("clip", "plain_f1"), [("soccer_realmadrid_sevilla", 0.82), ("cricket_ipl_srh_mi", 0.79)])
def test_seconds_by_brand_are_better_than_plain_reading(real_media, clip, plain_f1):
    report = analyse(real_media / f"{clip}.mp4", given(real_media / f"{clip}.brands.csv"))
    result = score_of(report, read_truth(real_media / f"{clip}.truth.json"))
    assert result.f1 > plain_f1
    assert result.precision > 0.9
