"""How many questions a model would be asked, and what they cost at most, without asking any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from detect.errors import StorageError
from detect.providers.questions import Question, ask_about
from detect.resources import Resources
from detect.stages.base import StageContext
from detect.stages.escalation import EscalationOptions, choose, find_provider, question_about
from detect.types import Candidate

_LONGEST_TEXT = "\U0001f3f7" * 120  # as much as a question quotes, in characters of the most bytes
_NOT_A_PICTURE = b""  # a picture's tokens are counted by the provider's own figure, whatever is in it


@dataclass(frozen=True)
class QuestionForecast:
    """Questions that a model would be asked and dollars they cost at most. ``exact`` says that they are known.

    An exact forecast leaves out questions that are answered already. What a provider charges for answers that are none
    is not foreseen.
    """

    calls: int
    usd: Decimal
    exact: bool


def forecast_questions(ctx: StageContext, unresolved: Sequence[Candidate]) -> QuestionForecast:
    """What an escalation stage with ``ctx`` would ask about ``unresolved``; pictures are cut, nothing is sent."""
    options: EscalationOptions = ctx.options
    _, provider = find_provider(options, ctx.resources)
    if provider is None:
        return QuestionForecast(0, Decimal(0), exact=True)
    try:
        groups = choose(ctx, list(unresolved)).asked
        questions = [question_about(ctx, found) for found in groups]
    except StorageError:  # frames that are gone: the run would fail, and there is a bound all the same
        return bound_questions(options, ctx.resources, len(unresolved))
    digests = [question.digest(provider, options.ask_again) for question in questions]
    answered = ctx.resources.answers.find(digests)
    new = [question for digest, question in zip(digests, questions, strict=True) if digest not in answered]
    return _within_budget(options, [question.most_usd(provider) for question in new], exact=True)


def bound_questions(options: EscalationOptions, resources: Resources, candidates: int) -> QuestionForecast:
    """The most that could be asked about ``candidates`` that are not known yet, none of them answered."""
    _, provider = find_provider(options, resources)
    count = min(candidates, options.max_questions)
    if provider is None or not count:
        return QuestionForecast(0, Decimal(0), exact=provider is None)
    return _within_budget(options, [_longest(options).most_usd(provider)] * count, exact=False)


def _within_budget(options: EscalationOptions, worst: list[Decimal], *, exact: bool) -> QuestionForecast:
    """The first question that does not fit the whole budget ends the matter, as it does in a run."""
    budget = Decimal(str(options.budget_usd))
    calls = next((number for number, usd in enumerate(worst) if usd > budget), len(worst))
    return QuestionForecast(calls, min(sum(worst[:calls], Decimal(0)), budget), exact)


def _longest(options: EscalationOptions) -> Question:
    return ask_about(
        text=_LONGEST_TEXT,
        placement="overlay",
        shortlist=[_LONGEST_TEXT] * options.shortlist,
        images=[_NOT_A_PICTURE] * options.crops_per_question,
    )
