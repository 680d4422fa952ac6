"""What operators do to jobs from the admin: asked first, done by the services."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.enums import ActionVariant

from detect.admin import ReadOnlyAdmin
from detect.errors import MediaprocError
from jobs.exports.words import plural
from jobs.lifecycle import job_cancel, job_delete, job_pause, job_resume
from jobs.models import DetectJob
from jobs.pages.shown import ACTION_WORDS, ACTIONS, job_name, question
from mediaproc.principal import principal_of
from mediaproc.roles import Role

MOST_AT_ONCE = 500

_WORK: dict[str, Callable[[DetectJob], None]] = {
    "pause": job_pause,
    "resume": job_resume,
    "cancel": job_cancel,
    "delete": job_delete,
}
_DONE = {"pause": "paused", "resume": "resumed", "cancel": "cancelled", "delete": "deleted"}


def _for_selected(name: str) -> Callable[..., HttpResponse | None]:
    @admin.action(description=f"{ACTION_WORDS[name]} the selected jobs", permissions=["operate"])
    def act(acting: ActingAdmin, request: HttpRequest, queryset: QuerySet[DetectJob]) -> HttpResponse | None:
        jobs = list(queryset[: MOST_AT_ONCE + 1])
        if len(jobs) > MOST_AT_ONCE:
            messages.error(request, f"At most {MOST_AT_ONCE} jobs at once: choose fewer.")
            return None
        return acting.act(request, jobs, name)

    act.__name__ = f"{name}_selected"
    return act


class ActingAdmin(ReadOnlyAdmin):
    """Pause, resume, cancel and delete, for one job or those that are ticked."""

    actions = [_for_selected(name) for name in _WORK]
    actions_detail = ("pause_one", "resume_one", "cancel_one", "delete_one")

    def has_operate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return principal_of(request).may(Role.OPERATOR)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Those that may be done to a job in its state."""
        job: DetectJob | None = self.get_object(request, object_id)
        names = () if job is None else ACTIONS[job.status]
        able = {f"{self.opts.app_label}_{self.opts.model_name}_{name}_one" for name in names}
        return [one for one in super().get_actions_detail(request, object_id) if one.action_name in able]

    @action(description="Pause", permissions=["operate"], url_path="pause")
    def pause_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._act_on(request, object_id, "pause")

    @action(description="Resume", permissions=["operate"], url_path="resume")
    def resume_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._act_on(request, object_id, "resume")

    @action(description="Cancel", permissions=["operate"], url_path="cancel")
    def cancel_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._act_on(request, object_id, "cancel")

    @action(description="Delete", permissions=["operate"], url_path="delete", variant=ActionVariant.DANGER)
    def delete_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._act_on(request, object_id, "delete")

    def act(self, request: HttpRequest, jobs: Sequence[DetectJob], name: str, *, back: str = "") -> HttpResponse:
        """Ask, or do what was asked; leads to the list, or to ``back``."""
        if request.POST.get("confirmed") != "yes":
            return self._ask(request, jobs, name, back)
        done = 0
        for job in jobs:
            try:
                _WORK[name](job)
                done += 1
            except MediaprocError as error:
                messages.error(request, f"{job_name(job)}: {error.message}")
        if done:
            messages.success(request, f"{plural(done, 'job')} {_DONE[name]}.")
        return redirect(back or request.get_full_path())

    def _act_on(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        job: DetectJob | None = self.get_object(request, object_id)
        if job is None:
            raise Http404(f"there is no job {object_id}")
        detail = reverse("admin:jobs_detectjob_change", args=[job.id])
        gone = name == "delete" and request.method == "POST"
        return self.act(request, [job], name, back=reverse("admin:jobs_detectjob_changelist") if gone else detail)

    def _ask(self, request: HttpRequest, jobs: Sequence[DetectJob], name: str, back: str) -> HttpResponse:
        word = ACTION_WORDS[name]
        if len(jobs) == 1:
            asks = question(name, jobs[0]) or f"{word} the job for {job_name(jobs[0])}?"
        else:
            asks = f"{word} {plural(len(jobs), 'job')}?"
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": word,
            "asks": asks,
            "word": f"{word} the job" if len(jobs) == 1 else f"{word} {plural(len(jobs), 'job')}",
            "grave": name in ("cancel", "delete"),
            "jobs": [(job.id, job_name(job), job.get_status_display()) for job in jobs],
            "checkbox": ACTION_CHECKBOX_NAME,
            "action": "" if back else f"{name}_selected",
            "back": back or request.get_full_path(),
        }
        return TemplateResponse(request, "admin/jobs/confirm.html", context)
