"""Paths of the REST interfaces, without trailing slashes."""

from __future__ import annotations

from django.urls import include, path

from jobs.api.assets import AssetDetail, AssetList, AssetThumbnail, RootFolders
from jobs.api.comparisons import CompareView
from jobs.api.detection import CheckpointList
from jobs.api.estimates import EstimateView
from jobs.api.events import JobEvents, JobLog
from jobs.api.gpu_proxy import GpuDetectEdges, GpuDetectEdgesDebug
from jobs.api.jobs import JobCancel, JobDetail, JobList, JobPause, JobResume
from jobs.api.pictures import FrameList, FramePicture
from jobs.api.pitstop import PitstopJob, PitstopJobs, PitstopOutput
from jobs.api.pitstop_metrics import PitstopMetrics
from jobs.api.replays import Replay, Retry
from jobs.api.reports import JobReport
from jobs.api.scenarios import Bookmark, ScenarioList
from jobs.api.sightings import SightingList
from jobs.api.stages import StageList
from jobs.api.trees import JobTreeView
from jobs.api.tuning import ReplayStage
from jobs.api.uploads import UploadDetail, UploadList

urlpatterns = [
    path("api/assets", AssetList.as_view(), name="asset-list"),
    path("api/assets/<uuid:asset_id>", AssetDetail.as_view(), name="asset-detail"),
    path("api/assets/<uuid:asset_id>/thumbnail.jpg", AssetThumbnail.as_view(), name="asset-thumbnail"),
    path("api/pitstop/jobs", PitstopJobs.as_view(), name="pitstop-jobs"),
    path("api/pitstop/jobs/<uuid:job_id>", PitstopJob.as_view(), name="pitstop-job"),
    path("api/pitstop/jobs/<uuid:job_id>/metrics", PitstopMetrics.as_view(), name="pitstop-metrics"),
    path("api/pitstop/jobs/<uuid:job_id>/output", PitstopOutput.as_view(), name="pitstop-output"),
    path("api/roots", RootFolders.as_view(), name="root-folders"),
    path("api/uploads", UploadList.as_view(), name="upload-list"),
    path("api/uploads/<uuid:upload_id>", UploadDetail.as_view(), name="upload-detail"),
    path("api/v0/", include("jobs.api.annotation_urls")),
    path("detect/checkpoints/<uuid:job_id>", CheckpointList.as_view(), name="detect-checkpoints"),
    path("detect/checkpoints/<uuid:checkpoint_id>/bookmark", Bookmark.as_view(), name="detect-bookmark"),
    path("detect/compare", CompareView.as_view(), name="detect-compare"),
    path("detect/estimate", EstimateView.as_view(), name="detect-estimate"),
    path("detect/gpu/detect_edges", GpuDetectEdges.as_view(), name="detect-gpu-edges"),
    path("detect/gpu/detect_edges/debug", GpuDetectEdgesDebug.as_view(), name="detect-gpu-edges-debug"),
    path("detect/jobs", JobList.as_view(), name="detect-jobs"),
    path("detect/jobs/<uuid:job_id>", JobDetail.as_view(), name="detect-job"),
    path("detect/jobs/<uuid:job_id>/cancel", JobCancel.as_view(), name="detect-job-cancel"),
    path("detect/jobs/<uuid:job_id>/events", JobEvents.as_view(), name="job-events"),
    path("detect/jobs/<uuid:job_id>/frames", FrameList.as_view(), name="detect-job-frames"),
    path("detect/jobs/<uuid:job_id>/frames/<int:sequence>.jpg", FramePicture.as_view(), name="detect-job-frame"),
    path("detect/jobs/<uuid:job_id>/log", JobLog.as_view(), name="job-log"),
    path("detect/jobs/<uuid:job_id>/tree", JobTreeView.as_view(), name="job-tree"),
    path("detect/jobs/<uuid:job_id>/pause", JobPause.as_view(), name="detect-job-pause"),
    path("detect/jobs/<uuid:job_id>/report", JobReport.as_view(), name="detect-job-report"),
    path("detect/jobs/<uuid:job_id>/resume", JobResume.as_view(), name="detect-job-resume"),
    path("detect/replay", Replay.as_view(), name="detect-replay"),
    path("detect/replay-stage", ReplayStage.as_view(), name="detect-replay-stage"),
    path("detect/retry", Retry.as_view(), name="detect-retry"),
    path("detect/scenarios", ScenarioList.as_view(), name="detect-scenarios"),
    path("detect/stages", StageList.as_view(), name="detect-stages"),
    path("detect/sightings", SightingList.as_view(), name="detect-sightings"),
]
