"""How checked scenarios look in a terminal and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from detect.options import Overrides
from jobs.bulk.regressions import CaseResult, Judged, Verdict

_COLOURS = {
    Verdict.LOST: "red",
    Verdict.FARTHER: "red",
    Verdict.MISSED: "yellow",
    Verdict.FOUND: "green",
    Verdict.NEARER: "green",
}


def case_table(results: Sequence[CaseResult]) -> Table:
    """Every brand of every scenario that is not just kept, and a line for each scenario where all are."""
    table = Table(header_style="bold")
    for heading in ("scenario", "job", "from", "brand", "", "expected", "before", "now"):
        right = heading in ("expected", "before", "now")
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for result in results:
        table.add_section()
        where = (
            escape(result.case.scenario.label),
            str(result.case.scenario.job_id)[:8],
            result.case.wanted.settings.start_stage,
        )
        if result.problem:
            table.add_row(*where, "", f"[red]failed: {escape(result.problem)}")
            continue
        told = [brand for brand in result.brands if brand.verdict != Verdict.KEPT]
        kept = len(result.brands) - len(told)
        for brand in told:
            table.add_row(*where, escape(brand.name), _word(brand.verdict), *_figures(brand))
            where = ("", "", "")
        if kept or not told:
            table.add_row(*where, "", f"{kept} kept")
    return table


def case_line(results: Sequence[CaseResult]) -> str:
    """All scenarios in one line."""
    failed = sum(result.failed for result in results)
    counts = case_counts(results)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    problems = sum(bool(result.problem) for result in results)
    said = f"{len(results)} scenarios, {failed} with losses or failed. Brands: {told or 'none'}"
    return said + (f"; {problems} replays failed" if problems else "")


def case_counts(results: Sequence[CaseResult]) -> Counter[Verdict]:
    return Counter(brand.verdict for result in results for brand in result.brands)


def case_json(overrides: Overrides, results: Sequence[CaseResult], *, updated: int) -> dict[str, Any]:
    """For programs."""
    counts = case_counts(results)
    return {
        "config_overrides": overrides,
        "scenarios": [_case_json(result) for result in results],
        "totals": {
            "scenarios": len(results),
            "failed": sum(result.failed for result in results),
            "updated": updated,
            **{verdict.value: counts[verdict] for verdict in Verdict},
        },
    }


def _case_json(result: CaseResult) -> dict[str, Any]:
    scenario = result.case.scenario
    return {
        "checkpoint_id": str(scenario.checkpoint_id),
        "job_id": str(scenario.job_id),
        "label": scenario.label,
        "stage": scenario.stage,
        "start_stage": result.case.wanted.settings.start_stage,
        "replay_id": None if result.replay_id is None else str(result.replay_id),
        "failed": result.failed,
        "problem": result.problem,
        "brands": [
            {
                "name": brand.name,
                "verdict": brand.verdict.value,
                "seconds": brand.seconds,
                "expected": brand.expected,
                "tolerance": brand.tolerance,
                "before": brand.before,
            }
            for brand in result.brands
        ],
    }


def _word(verdict: Verdict) -> str:
    colour = _COLOURS.get(verdict)
    return f"[{colour}]{verdict.value}[/{colour}]" if colour else verdict.value


def _figures(brand: Judged) -> tuple[str, str, str]:
    expected = "" if brand.expected is None else f"{brand.expected:.2f} ±{brand.tolerance:.2f}"
    return expected, "" if brand.before is None else f"{brand.before:.2f}", f"{brand.seconds:.2f}"
