from __future__ import annotations

from fractions import Fraction

import pytest

from detect.timecode import format_ratio, format_timecode, parse_ratio


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "00:00:00.000"),
        (Fraction(1001, 30000), "00:00:00.033"),
        (59.9996, "00:01:00.000"),
        (Fraction(3_599_999, 1000), "00:59:59.999"),
        (100 * 3600 + 61, "100:01:01.000"),
        (-1.5, "-00:00:01.500"),
    ],
)
def test_times_are_shown_to_the_millisecond(seconds, shown):
    assert format_timecode(seconds) == shown


def test_a_ratio_survives_being_written():
    assert parse_ratio(format_ratio(Fraction(30000, 1001))) == Fraction(30000, 1001)


@pytest.mark.parametrize("text", ["", "a/b", "1/0"])
def test_what_is_no_ratio_is_refused(text):
    with pytest.raises(ValueError, match="expected a ratio"):
        parse_ratio(text)
