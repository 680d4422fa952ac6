"""``bench/results.json``: what was measured, when and on what, laid out the same every time; and what changed since."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from bench.machine import Machine
from bench.process import BenchError

SCHEMA = "mediaproc.bench/1"

Better = Literal["higher", "lower"]


class Headline(msgspec.Struct, frozen=True):
    """A figure worth following: its value, its unit and which way is better."""

    value: float
    unit: str
    better: Better


class Section(msgspec.Struct, frozen=True):
    """One part of the benchmark as it was last measured. ``settings`` say how; only like is compared with like."""

    measured_at: str
    commit: str
    machine: Machine
    settings: dict[str, Any]
    headlines: dict[str, Headline]
    figures: dict[str, Any]


class Results(msgspec.Struct, frozen=True):
    """The file. A part that was not measured this time keeps its figures and their date."""

    schema: str
    sections: dict[str, Section]


class Change(msgspec.Struct, frozen=True):
    """A headline then and now."""

    section: str
    name: str
    before: float
    now: float
    unit: str
    better: Better

    @property
    def improved(self) -> bool:
        return (self.now > self.before) == (self.better == "higher")


def empty() -> Results:
    """Nothing measured yet."""
    return Results(SCHEMA, {})


def read(path: Path) -> Results:
    """The results in ``path``, or none. Raises :class:`BenchError` for a file that is something else."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Results)
    except FileNotFoundError:
        return empty()
    except (OSError, msgspec.MsgspecError) as error:
        raise BenchError(f"{path} cannot be read as results of a benchmark: {error}; move it away") from error
    if found.schema != SCHEMA:
        raise BenchError(f"{path} has schema {found.schema!r}, not {SCHEMA!r}: move it away")
    return found


def write(path: Path, results: Results) -> None:
    """Write results with sorted keys and rounded figures, whole or not at all. Raises :class:`BenchError`."""
    body = msgspec.json.format(msgspec.json.encode(_rounded(msgspec.to_builtins(results)), order="sorted"), indent=2)
    draft = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(body + b"\n")
        draft.replace(path)
    except OSError as error:
        raise BenchError(f"{path} cannot be written: {error.strerror or error}") from error


def updated(results: Results, measured: Mapping[str, Section]) -> Results:
    """``results`` with the sections measured now in the place of the older ones."""
    return Results(SCHEMA, {**results.sections, **measured})


def changes(before: Results, now: Mapping[str, Section], *, least: float = 0.005) -> list[Change]:
    """Headlines that moved by more than ``least`` of themselves since ``before``, measured with the same settings."""
    moved = []
    for name in comparable(before, now):
        older = before.sections[name].headlines
        for label, headline in now[name].headlines.items():
            past = older.get(label)
            if past is not None and not math.isclose(headline.value, past.value, rel_tol=least):
                moved.append(Change(name, label, past.value, headline.value, headline.unit, headline.better))
    return moved


def comparable(before: Results, now: Mapping[str, Section]) -> list[str]:
    """The sections of ``now`` that were measured before with the same settings."""
    return [
        name
        for name, section in now.items()
        if name in before.sections and before.sections[name].settings == section.settings
    ]


def _rounded(value: Any) -> Any:
    """Six significant digits: what lies below is noise, and makes differences unreadable."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value
