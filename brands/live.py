"""Decisions as they are made, told to everybody who reviews."""

from __future__ import annotations

from mediaproc.nudges import nudge

#: Group of the channel layer that every reviewer's connection joins.
REVIEW = "review"


def announce(decision_id: int) -> None:
    """Tell reviewers to look at a decision. Returns at once; it may be lost, and they look by themselves too."""
    nudge(REVIEW, type="review.nudge", decision=str(decision_id))


def announce_results() -> None:
    """Tell reviewers that other items may be waiting now."""
    nudge(REVIEW, type="review.nudge", decision="")
