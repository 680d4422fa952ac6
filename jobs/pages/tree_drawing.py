"""Where the checkpoints of a family of jobs are drawn: a lane a job, a column a stage, branches below what they left.

Lengths are pixels of the drawing, from its top left corner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from jobs.branches.trees import JobTree
from jobs.choices import RunType
from jobs.exports.words import length
from jobs.pages.options import differences
from jobs.pages.shown import stage_word, when

COLUMN, LANE = 84, 76
_LEFT, _BASE = 46, 44  # the first column's centre; a lane's line below its top
_BEND = 16
_LONGEST_LABEL = 64


@dataclass(frozen=True)
class Dot:
    """A checkpoint. ``state``: ran, reused, partly or skipped."""

    id: UUID
    stage: str
    x: int
    y: int
    state: str
    title: str
    star: bool


@dataclass(frozen=True)
class Step:
    """A stage of a lane where there is no room for a drawing: its checkpoint, if it has one of its own."""

    word: str
    dot: Dot | None


@dataclass(frozen=True)
class Lane:
    """A job: its line, its dots, what it does otherwise than where it branched off.

    ``steps`` are all stages, those it shares with the lane it left among them, which have no dot here.
    """

    job: dict[str, Any]
    word: str
    when: str
    y: int
    line: str
    rest: str
    dots: list[Dot]
    steps: list[Step]
    label: str
    label_x: int
    label_end: bool
    differences: list[tuple[str, str, str]]
    seconds: str


@dataclass(frozen=True)
class Drawing:
    width: int
    height: int
    lanes: list[Lane] = field(default_factory=list)
    columns: list[tuple[int, list[str]]] = field(default_factory=list)


def draw_tree(tree: JobTree, stages: Sequence[str]) -> Drawing:
    """The drawing of a tree over the stages of its pipeline. Lines do not cross: late branches lie nearest."""
    nodes_of: defaultdict[UUID, list[dict[str, Any]]] = defaultdict(list)
    owner: dict[UUID, UUID] = {}
    for node in tree.nodes:
        nodes_of[node["job_id"]].append(node)
        owner[node["id"]] = node["job_id"]
    parents = {job["id"]: _parent(job, nodes_of[job["id"]], owner) for job in tree.jobs}
    place: dict[UUID | None, int] = {job_id: row for row, job_id in enumerate(_order(tree, parents, stages))}
    lanes = [
        _lane(job, nodes_of[job["id"]], place[job["id"]], place.get(parents[job["id"]]), stages)
        for job in sorted(tree.jobs, key=lambda job: place[job["id"]])
    ]
    return Drawing(
        width=_LEFT + COLUMN * (len(stages) - 1) + 34,
        height=LANE * len(lanes),
        lanes=lanes,
        columns=[(_x(index), stage_word(stage).split(" ", 1)) for index, stage in enumerate(stages)],
    )


def _parent(job: dict[str, Any], nodes: list[dict[str, Any]], owner: dict[UUID, UUID]) -> UUID | None:
    """The job whose line this one leaves: not always its parent, which may itself have branched off later."""
    first = nodes[0]["parent_id"] if nodes else None
    above: UUID | None = None if first is None else owner.get(first)
    return above or job["parent_job_id"]


def _order(tree: JobTree, parents: dict[UUID, UUID | None], stages: Sequence[str]) -> Iterator[UUID]:
    children: defaultdict[UUID | None, list[dict[str, Any]]] = defaultdict(list)
    known = {job["id"] for job in tree.jobs}
    for job in tree.jobs:
        parent = parents[job["id"]]
        children[parent if parent in known else None].append(job)
    waiting = list(reversed(children[None]))
    while waiting:
        job = waiting.pop()
        yield job["id"]
        waiting.extend(sorted(children[job["id"]], key=lambda one: (_start(one, stages), _reversed(one))))


def _start(job: dict[str, Any], stages: Sequence[str]) -> int:
    return stages.index(job["replay_from_stage"]) if job["replay_from_stage"] in stages else 0


def _reversed(job: dict[str, Any]) -> float:
    """Of branches at one place the oldest lies nearest; the last of a stack is taken first."""
    return -float(job["created_at"].timestamp())


def _x(index: int) -> int:
    return _LEFT + COLUMN * index


def _lane(
    job: dict[str, Any], nodes: list[dict[str, Any]], row: int, parent_row: int | None, stages: Sequence[str]
) -> Lane:
    y = row * LANE + _BASE
    start = nodes[0]["stage_index"] if nodes else _start(job, stages)
    reached = nodes[-1]["stage_index"] if nodes else start - 1
    line = f"M{_x(start)} {y}H{_x(max(start, reached))}"
    if parent_row is not None:
        above = parent_row * LANE + _BASE
        left = _x(start - 1) if start else _LEFT - 30
        line = f"M{left} {above}H{left + _BEND}V{y - _BEND}q0 {_BEND} {_BEND} {_BEND}H{_x(max(start, reached))}"
    changed = differences(job["config_overrides"])
    text = "; ".join(f"{option} {value}" for _, option, value in changed)
    text = text or ("" if parent_row is None else "the same options")
    late = start >= len(stages) // 2
    dots = [_dot(node, y) for node in nodes]
    own = {dot.stage: dot for dot in dots}
    return Lane(
        job=job,
        word=_word(job),
        when=when(job["created_at"]),
        y=y,
        line=line,
        rest="" if reached >= len(stages) - 1 else f"M{_x(max(start, reached))} {y}H{_x(len(stages) - 1)}",
        dots=dots,
        steps=[Step(stage_word(stage), own.get(stage)) for stage in stages],
        label=text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…",
        label_x=_x(len(stages) - 1) + 12 if late else _x(start) - 12,
        label_end=late,
        differences=changed,
        seconds=length(sum(node["seconds"] for node in nodes)),
    )


def _word(job: dict[str, Any]) -> str:
    kind = "first run" if job["run_type"] == RunType.INITIAL else str(job["run_type"])
    start = f" from {stage_word(job['replay_from_stage']).lower()}" if job["replay_from_stage"] else ""
    return f"{kind}{start}"


def _dot(node: dict[str, Any], y: int) -> Dot:
    if node["skipped"]:
        state, told = "skipped", f"skipped: {node['skipped']}"
    elif node["units"] and node["reused"] == node["units"]:
        state, told = "reused", "reused"
    elif node["reused"]:
        state, told = "partly", f"{node['reused']} of {node['units']} chunks reused, {node['seconds']:.1f} s"
    else:
        state, told = "ran", f"{node['seconds']:.1f} s"
    label = f", bookmarked: {node['scenario_label']}" if node["is_scenario"] else ""
    title = f"{stage_word(node['stage'])}: {told}{label}"
    return Dot(node["id"], node["stage"], _x(node["stage_index"]), y, state, title, node["is_scenario"])
