"""Paths of the batch interface, ``/api/v0``, without trailing slashes."""

from __future__ import annotations

from django.urls import path

from jobs.api.annotation_artifacts import AnnotationArtifact, AnnotationArtifacts, AnnotationZip
from jobs.api.annotation_catalog import PipelineList, PresetDetail, PresetList
from jobs.api.annotation_datasets import DatasetDetail, DatasetList, DatasetScan, DatasetVideos
from jobs.api.annotation_events import AnnotationEvents
from jobs.api.annotation_jobs import AnnotationJobAgain, AnnotationJobCancel, AnnotationJobDetail, AnnotationJobs

urlpatterns = [
    path("datasets", DatasetList.as_view(), name="dataset-list"),
    path("datasets/<uuid:dataset_id>", DatasetDetail.as_view(), name="dataset-detail"),
    path("datasets/<uuid:dataset_id>/videos", DatasetVideos.as_view(), name="dataset-videos"),
    path("datasets/<uuid:dataset_id>/videos/scan", DatasetScan.as_view(), name="dataset-scan"),
    path("events/stream", AnnotationEvents.as_view(), name="annotation-events"),
    path("jobs", AnnotationJobs.as_view(), name="annotation-jobs"),
    path("jobs/<uuid:job_id>", AnnotationJobDetail.as_view(), name="annotation-job"),
    path("jobs/<uuid:job_id>/again", AnnotationJobAgain.as_view(), name="annotation-job-again"),
    path("jobs/<uuid:job_id>/artifacts", AnnotationArtifacts.as_view(), name="annotation-artifacts"),
    path("jobs/<uuid:job_id>/artifacts.zip", AnnotationZip.as_view(), name="annotation-zip"),
    path("jobs/<uuid:job_id>/artifacts/<path:path>", AnnotationArtifact.as_view(), name="annotation-artifact"),
    path("jobs/<uuid:job_id>/cancel", AnnotationJobCancel.as_view(), name="annotation-job-cancel"),
    path("pipelines", PipelineList.as_view(), name="pipeline-list"),
    path("presets", PresetList.as_view(), name="preset-list"),
    path("presets/<slug:name>", PresetDetail.as_view(), name="preset-detail"),
]
