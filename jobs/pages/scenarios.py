"""Scenarios: bookmarked checkpoints, to tune on and to judge other settings by."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import PurePath
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from jobs.branches.scenarios import Scenario, scenario_list
from jobs.exports.words import length, plural
from jobs.models import DetectJob
from jobs.pages.shown import abilities, job_name, stage_word, when, words


@require_safe
def scenarios_page(request: HttpRequest) -> HttpResponse:
    """All of them, newest first."""
    found = scenario_list()
    jobs = DetectJob.objects.select_related("source_asset").in_bulk([one.job_id for one in found])
    context = {"scenarios": [_shown(one, jobs[one.job_id]) for one in found], "here": "scenarios", **abilities(request)}
    return render(request, "jobs/scenarios.html", context)


def _shown(scenario: Scenario, job: DetectJob) -> dict[str, Any]:
    expected = sorted(scenario.expected, key=lambda brand: -brand.seconds)
    return {
        **asdict(scenario),
        "asset_id": job.source_asset_id,
        "name": job_name(job) or PurePath(scenario.video_path).name,
        "after": stage_word(scenario.stage).lower(),
        "profile": words(scenario.profile_name),
        "when": when(scenario.created_at),
        "frames": plural(scenario.frame_count, "frame"),
        "expected": [f"{brand.name} {length(brand.seconds)}" for brand in expected],
    }
