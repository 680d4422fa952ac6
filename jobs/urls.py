"""Pages of jobs, from the site's root on."""

from __future__ import annotations

from django.urls import path

from jobs.pages import (
    actions,
    boxes,
    compare,
    downloads,
    evidence,
    listing,
    pictures,
    profiles,
    scenarios,
    submit,
    tree,
    tune,
    video,
    views,
)

urlpatterns = [
    path("", listing.job_list, name="job-list"),
    path("submit", submit.job_submit_page, name="page-submit"),
    path("scenarios", scenarios.scenarios_page, name="page-scenarios"),
    path("compare", compare.compare_page, name="page-compare"),
    path("jobs/act", actions.jobs_act, name="page-act-many"),
    path("jobs/<uuid:job_id>", views.job_page, name="job-page"),
    path("jobs/<uuid:job_id>/act", actions.job_act, name="page-act"),
    path("jobs/<uuid:job_id>/tree", tree.tree_page, name="page-tree"),
    path("jobs/<uuid:job_id>/replay", tree.replay, name="page-replay"),
    path("checkpoints/<uuid:checkpoint_id>/bookmark", tree.bookmark, name="page-bookmark"),
    path("jobs/<uuid:job_id>/tune", tune.tune_page, name="page-tune"),
    path("jobs/<uuid:job_id>/tune/frames.json", tune.tune_frames, name="page-tune-frames"),
    path("jobs/<uuid:job_id>/try", tune.try_stage, name="page-try"),
    path("jobs/<uuid:job_id>/profile", profiles.profile_save_page, name="page-profile-save"),
    path("profiles", profiles.profiles_page, name="page-profiles"),
    path("profiles/<str:name>.yaml", profiles.profile_file, name="page-profile-file"),
    path("profiles/<str:name>/delete", profiles.profile_delete_page, name="page-profile-delete"),
    path("jobs/<uuid:job_id>/report.json", downloads.report_json, name="job-report-json"),
    path("jobs/<uuid:job_id>/report.csv", downloads.report_csv, name="job-report-csv"),
    path("jobs/<uuid:job_id>/report.xlsx", downloads.report_xlsx, name="job-report-xlsx"),
    path("jobs/<uuid:job_id>/print", downloads.report_print, name="job-report-print"),
    path("jobs/<uuid:job_id>/brands/<int:brand>", evidence.exposures, name="job-exposures"),
    path("jobs/<uuid:job_id>/brands/<int:brand>/exposures/<int:place>", evidence.exposure, name="job-exposure"),
    path("jobs/<uuid:job_id>/undecided", evidence.undecided, name="job-undecided"),
    path("jobs/<uuid:job_id>/changes", evidence.changes, name="job-changes"),
    path("assets/<uuid:asset_id>/video", video.asset_video, name="asset-video"),
    path("jobs/<uuid:job_id>/boxes.json", boxes.job_boxes_json, name="job-boxes"),
    path("jobs/<uuid:job_id>/frames.json", video.job_frame_times, name="job-frame-times"),
    path("jobs/<uuid:job_id>/frames/<int:sequence>.jpg", pictures.job_frame, name="job-frame"),
    path("jobs/<uuid:job_id>/thumbs/<int:sequence>.jpg", pictures.job_thumb, name="job-thumb"),
    path(
        "jobs/<uuid:job_id>/crops/<int:sequence>/<int:x>-<int:y>-<int:width>-<int:height>.jpg",
        pictures.job_crop,
        name="job-crop",
    ),
]
