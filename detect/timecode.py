"""Exact times and how they are shown.

A time is a `Fraction` of seconds, a presentation timestamp times its stream's time base; it becomes text or a float
only on its way out.
"""

from __future__ import annotations

from fractions import Fraction


def format_timecode(seconds: Fraction | float | int) -> str:
    """Show a time as `HH:MM:SS.mmm`, rounded to the nearest millisecond; hours grow beyond 99, negatives get a `-`."""
    milliseconds = round(Fraction(seconds) * 1000)
    sign = "-" if milliseconds < 0 else ""
    whole, thousandths = divmod(abs(milliseconds), 1000)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{sign}{hour:02d}:{minute:02d}:{second:02d}.{thousandths:03d}"


def format_ratio(value: Fraction) -> str:
    """Show an exact ratio, a frame rate or a time base, as `num/den`."""
    return f"{value.numerator}/{value.denominator}"


def parse_ratio(text: str) -> Fraction:
    """Read what `format_ratio` wrote.

    Raises:
        ValueError: the text is no ratio.
    """
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError(f"expected a ratio such as 30000/1001, got {text!r}") from error
