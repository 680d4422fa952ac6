"""What a job's stages get where its video is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from detect.errors import MediaprocError
from detect.planner import needs_video, reads_video
from detect.registry import load_pipeline
from jobs.runs import job_reading
from tests.trees.made import an_asset, matched_job

pytestmark = pytest.mark.django_db
STAGES = {stage.name: stage for stage in load_pipeline("brands").stages}


def test_edges_of_texts_and_logos_are_looked_up_in_the_video_but_can_do_without_it() -> None:
    reading = [name for name, stage in STAGES.items() if reads_video(stage)]
    assert reading == ["extract_frames", "run_ocr", "match_brands"]
    assert [name for name, stage in STAGES.items() if needs_video(stage)] == ["extract_frames"]


def test_a_job_goes_on_without_a_video_that_its_stages_can_do_without(tmp_path: Path, settings) -> None:
    video = tmp_path / "match.mp4"
    video.write_bytes(b"a video")
    settings.ROOTS = [tmp_path]
    job = matched_job(asset=an_asset(path=str(video)))
    for wanted in (["run_ocr"], ["extract_frames", "run_ocr"]):
        with job_reading(job, None, [STAGES[name] for name in wanted]) as request:
            assert Path(request.source.path).read_bytes() == b"a video"
    video.unlink()
    with job_reading(job, None, [STAGES["run_ocr"], STAGES["match_brands"]]) as request:
        assert request.source.path == ""
    with (
        pytest.raises(MediaprocError),
        job_reading(job, None, [STAGES["extract_frames"], STAGES["run_ocr"]]),
    ):
        pass


def test_what_goes_wrong_meanwhile_is_told(tmp_path: Path, settings) -> None:
    settings.ROOTS = [tmp_path]
    job = matched_job(asset=an_asset(path=str(tmp_path / "gone.mp4")))
    with pytest.raises(MediaprocError, match="of the stage"), job_reading(job, None, [STAGES["run_ocr"]]):
        raise MediaprocError("a fault of the stage itself")
