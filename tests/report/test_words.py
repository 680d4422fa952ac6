"""Numbers as a reader sees them."""

from __future__ import annotations

import pytest

from jobs.exports import words


@pytest.mark.parametrize(
    ("seconds", "decimals", "text"),
    [(4.24, 1, "0:04.2"), (59.96, 1, "1:00.0"), (3723.5, 1, "1:02:03.5"), (75, 0, "1:15"), (0.0625, 3, "0:00.062")],
)
def test_moment(seconds, decimals, text):
    assert words.moment(seconds, decimals) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (184, "3 min 04 s"),
        (3599.6, "1 h 00 min"),
        (7380, "2 h 03 min"),
    ],
)
def test_length(seconds, text):
    assert words.length(seconds) == text


@pytest.mark.parametrize(
    ("share", "decimals", "text"), [(0.1234, 0, "12 %"), (0, 0, "0 %"), (0.001, 0, "< 1 %"), (0.0042, 2, "0.42 %")]
)
def test_percent(share, decimals, text):
    assert words.percent(share, decimals) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0.0042", "USD 0.0042"), ("1234.5", "USD 1,234.50"), ("0", "USD 0.00"), ("12.345678", "USD 12.345678")],
)
def test_money(amount, text):
    assert words.money(amount) == text


@pytest.mark.parametrize(
    ("ratio", "text"), [("30000/1001", "29.97 fps"), ("25/1", "25 fps"), ("0/0", "unknown frame rate")]
)
def test_frame_rate(ratio, text):
    assert words.frame_rate(ratio) == text


def test_percentages_stay_on_the_picture():
    assert [words.percentage(part, 4) for part in (-1, 1, 5)] == ["0%", "25%", "100%"]
    assert words.percentage(1, 0) == "0%"
