"""The jobs around a job, drawn small: where it branched off, what branched off from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from detect.registry import load_pipeline
from jobs.branches.trees import JobTree, job_tree
from jobs.models import DetectJob
from jobs.pages.tree_drawing import COLUMN, LANE, Lane, draw_tree

COLUMN_SMALL, LANE_SMALL = 22, 34
_MOST = 8
_X, _Y = COLUMN_SMALL / COLUMN, LANE_SMALL / LANE


@dataclass(frozen=True)
class SmallDot:
    """A checkpoint of the drawing, in its pixels."""

    x: float
    y: float
    state: str
    title: str


@dataclass(frozen=True)
class SmallLane:
    """A job: its line in the coordinates of the large drawing, its dots in those of the small one."""

    job: dict[str, Any]
    line: str
    dots: list[SmallDot]
    word: str
    when: str
    does: str
    this: bool


@dataclass(frozen=True)
class Family:
    """``scale`` takes the lines to the drawing's ``width`` x ``height`` pixels; ``more`` jobs are left out."""

    width: int
    height: int
    scale: str
    lanes: list[SmallLane]
    more: int


def family_drawing(job: DetectJob) -> Family | None:
    """A job's forebears, itself and the latest that came from it; None for one that stands alone."""
    tree = job_tree(job.id)
    if tree is None or len(tree.jobs) < 2:
        return None
    near = _near(tree, job.id)
    drawing = draw_tree(
        JobTree(
            tree.root_id,
            [one for one in tree.jobs if one["id"] in near],
            [node for node in tree.nodes if node["job_id"] in near],
        ),
        [stage.name for stage in load_pipeline(job.pipeline).stages],
    )
    return Family(
        width=round(drawing.width * _X),
        height=round(drawing.height * _Y),
        scale=f"{_X:.4f} {_Y:.4f}",
        lanes=[_small(lane, job.id) for lane in drawing.lanes],
        more=len(tree.jobs) - len(near),
    )


def _near(tree: JobTree, job_id: UUID) -> set[UUID]:
    parents = {one["id"]: one["parent_job_id"] for one in tree.jobs}
    near: list[UUID] = []
    above: UUID | None = job_id
    while above is not None and above in parents and above not in near:
        near.append(above)
        above = parents[above]
    if len(near) > _MOST:  # the first run, and the nearest of the long way from it
        near = [*near[: _MOST - 1], near[-1]]
    close = sorted(tree.jobs, key=lambda one: (one["parent_job_id"] != job_id, -one["created_at"].timestamp()))
    near += [one["id"] for one in close if one["id"] not in near]
    return set(near[:_MOST])


def _small(lane: Lane, this: UUID) -> SmallLane:
    return SmallLane(
        job=lane.job,
        line=lane.line,
        dots=[SmallDot(round(dot.x * _X, 1), round(dot.y * _Y, 1), dot.state, dot.title) for dot in lane.dots],
        word=lane.word,
        when=lane.when,
        does="; ".join(f"{option} {value}" for _, option, value in lane.differences),
        this=lane.job["id"] == this,
    )
