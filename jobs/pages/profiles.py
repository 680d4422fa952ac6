"""Profiles: what there is, saving what was tried as one, and taking one away as a file."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from detect.config import Profile, find_profile, profiles
from detect.errors import ConfigError, ConflictError, MediaprocError
from detect.models import Profile as SavedProfile
from detect.registry import load_pipeline
from jobs.exports.words import plural
from jobs.pages.options import differences, read_options
from jobs.pages.query import text_of
from jobs.pages.shown import abilities, when, words
from jobs.pages.tune import find_job, job_snapshot, tune_context
from jobs.profiles import free_label, profile_delete, profile_save, profile_uses, profile_yaml
from mediaproc.principal import principal_of


@require_safe
def profiles_page(request: HttpRequest) -> HttpResponse:
    """All of them, the saved ones first."""
    found, uses = profiles(), profile_uses()
    rows = {row.name: row for row in SavedProfile.objects.all()}
    shown = [_shown(one, rows.get(one.name), uses.get(one.name, 0)) for one in found]
    shown.sort(key=lambda one: not one["saved"])
    return render(request, "jobs/profiles.html", {"profiles": shown, "here": "profiles", **abilities(request)})


@require_POST
def profile_save_page(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Save a job's options with those of the form as a profile. ``X-Part: profile`` asks for the answer alone."""
    job = find_job(job_id)
    pipeline = load_pipeline(job.pipeline)
    sent = read_options(pipeline, request.POST, job_snapshot(job, pipeline))
    label = text_of(request.POST, "profile_label")
    answer: dict[str, Any] = {"label": label, "description": text_of(request.POST, "profile_description")}
    status = 200
    try:
        if sent.errors:
            raise ConfigError("some options have values that cannot be used: see beside them")
        saved = profile_save(
            job=job,
            overrides=sent.overrides,
            label=label,
            description=answer["description"],
            by=principal_of(request).name,
        )
        answer = {"saved": saved}
    except MediaprocError as error:
        status = error.status
        free = free_label(label) if isinstance(error, ConflictError) else ""
        answer["problem"], answer["free"] = f"{error.message[0].upper()}{error.message[1:]}.", free
    if request.headers.get("X-Part") == "profile":
        return render(request, "jobs/_profile_saved.html", {"answer": answer}, status=status)
    if "saved" in answer:
        messages.success(request, f"Saved as {answer['saved'].label}.")
        return redirect(f"{reverse('page-profiles')}#{answer['saved'].name}")
    return render(request, "jobs/tune.html", {**tune_context(request, job, sent), "answer": answer}, status=status)


@require_safe
def profile_file(request: HttpRequest, name: str) -> HttpResponse:  # noqa: ARG001
    """A profile as YAML, in the form of those that come with the program."""
    try:
        profile = find_profile(name)
    except ConfigError as error:
        raise Http404(error.message) from error
    response = HttpResponse(profile_yaml(profile), content_type="application/yaml; charset=utf-8")
    # never None for an attachment
    disposition = content_disposition_header(as_attachment=True, filename=f"{profile.name}.yaml") or ""
    response.headers["Content-Disposition"] = disposition
    return response


@require_POST
def profile_delete_page(request: HttpRequest, name: str) -> HttpResponse:
    try:
        profile_delete(name=name)
        messages.success(request, f"The profile {name} is deleted.")
    except MediaprocError as error:
        messages.error(request, error.message)
    return redirect("page-profiles")


def _shown(profile: Profile, row: SavedProfile | None, uses: int) -> dict[str, Any]:
    made = "" if row is None else f"{when(row.created_at)} by {row.created_by.removeprefix('user:')}"
    return {
        "name": profile.name,
        "label": profile.label,
        "description": profile.description,
        "saved": profile.saved,
        "made": made.removesuffix(" by "),
        "pipeline": words(profile.pipeline),
        "uses": plural(uses, "job"),
        "used": bool(uses),
        "options": differences(profile.options),
        "asks": f"Delete the profile {profile.label}?",
    }
