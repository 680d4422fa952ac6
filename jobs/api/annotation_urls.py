"""Paths of the batch interface, ``/api/v0``, without trailing slashes."""

from __future__ import annotations

from django.urls import path

from jobs.api.annotation_datasets import DatasetDetail, DatasetList, DatasetScan, DatasetVideos

urlpatterns = [
    path("datasets", DatasetList.as_view(), name="dataset-list"),
    path("datasets/<uuid:dataset_id>", DatasetDetail.as_view(), name="dataset-detail"),
    path("datasets/<uuid:dataset_id>/videos", DatasetVideos.as_view(), name="dataset-videos"),
    path("datasets/<uuid:dataset_id>/videos/scan", DatasetScan.as_view(), name="dataset-scan"),
]
