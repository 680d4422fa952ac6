"""Pages of jobs, from the site's root on."""

from __future__ import annotations

from django.urls import path

from jobs.pages import pictures, views

urlpatterns = [
    path("", views.job_list, name="job-list"),
    path("jobs/<uuid:job_id>", views.job_page, name="job-page"),
    path("jobs/<uuid:job_id>/report.json", views.report_json, name="job-report-json"),
    path("jobs/<uuid:job_id>/report.csv", views.report_csv, name="job-report-csv"),
    path("jobs/<uuid:job_id>/frames/<int:sequence>.jpg", pictures.job_frame, name="job-frame"),
    path(
        "jobs/<uuid:job_id>/crops/<int:sequence>/<int:x>-<int:y>-<int:width>-<int:height>.jpg",
        pictures.job_crop,
        name="job-crop",
    ),
]
