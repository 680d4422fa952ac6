"""Reference pictures: what is taken for one, how it is shown, and trying it on frames as a run would."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from brands.actions import AddLogo, decide
from brands.logo_pictures import logo_load, logo_thumbnail, picture_suffix
from brands.logo_trials import FRAMES, finished_jobs, logo_try
from brands.models import BrandAppearance, BrandLogo
from detect.engines.logos import LogoMatcher
from detect.errors import ConfigError, StorageError
from detect.models import Checkpoint, Timeline
from jobs.engine import timeline_frames
from jobs.models import DetectJob
from tests.brands.known import known
from tests.matches import Finished, asset, job, storage
from tests.review.material import CLEO

__all__ = ["asset", "job", "storage"]


def picture(kind: str = "PNG", size: tuple[int, int] = (80, 60), mode: str = "RGB") -> bytes:
    made = io.BytesIO()
    Image.new(mode, size, 0).save(made, kind)
    return made.getvalue()


class TestPictures:
    @pytest.mark.parametrize(("kind", "suffix"), [("PNG", ".png"), ("JPEG", ".jpg"), ("WEBP", ".webp")])
    def test_what_is_taken(self, kind, suffix):
        assert picture_suffix(picture(kind)) == suffix

    @pytest.mark.parametrize("mode", ["RGBA", "L", "P", "1", "I;16", "LA"])
    def test_every_kind_of_png_can_be_looked_for(self, mode):
        assert picture_suffix(picture(mode=mode)) == ".png"
        decoded = cv2.imdecode(np.frombuffer(picture(mode=mode), np.uint8), cv2.IMREAD_UNCHANGED)
        assert decoded is not None
        assert LogoMatcher([("Velmora", decoded)]).find(np.zeros((90, 160, 3), np.uint8)) == []

    @pytest.mark.parametrize(
        ("content", "part"),
        [
            (b"", "no picture"),
            (b"<svg onload=alert(1)></svg>", "no picture"),
            (b"GIF89a" + b"\0" * 40, "no picture|is a GIF"),
            (picture("GIF"), "is a GIF"),
            (picture("BMP"), "is a BMP"),
            (picture(size=(23, 200)), "23x200: each side needs 24 to 6000"),
            (picture(size=(6001, 30)), "6001x30"),
            (picture()[:60], "damaged|no picture"),
            (b"\x89PNG" + b"\0" * 9_000_000, r"9\.0 MB"),
        ],
        ids=["nothing", "svg", "broken gif", "gif", "bmp", "small", "large", "cut off", "heavy"],
    )
    def test_what_is_not(self, content, part):
        with pytest.raises(ConfigError, match=part):
            picture_suffix(content)

    def test_a_picture_that_says_it_is_enormous_is_not_decoded(self):
        header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
        chunk = b"IHDR" + header
        bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
        with pytest.raises(ConfigError):
            picture_suffix(bomb)


@pytest.mark.django_db
class TestShown:
    def test_made_small_with_what_shines_through(self, storage):
        decide(AddLogo(known("Velmora").id, picture(size=(1200, 300), mode="RGBA"), ".png"), by=CLEO)
        thumb = Image.open(io.BytesIO(logo_thumbnail(BrandLogo.objects.get())))
        assert (thumb.format, thumb.size, thumb.mode) == ("PNG", (240, 60), "RGBA")

    def test_one_whose_file_is_gone_or_no_picture(self, storage):
        decide(AddLogo(known("Velmora").id, b"no picture", ".png"), by=CLEO)
        logo = BrandLogo.objects.get()
        with pytest.raises(StorageError, match="not a readable image"):
            logo_load(logo)
        logo.image.storage.delete(logo.image.name)
        with pytest.raises(StorageError, match="cannot be read"):
            logo_load(logo)


@pytest.fixture
def chunked(job: DetectJob, finished: Finished) -> DetectJob:
    """The finished match with its frames by their chunks, as a run writes them."""
    parts = finished.output("extract_frames")
    assert job.timeline_id is not None
    Timeline.objects.filter(id=job.timeline_id).update(
        frames_meta=[
            {"sequence": sample.sequence, "timestamp": sample.timestamp, "chunk_id": chunk}
            for chunk, part in enumerate(parts)
            for sample in part.samples
        ]
    )
    assert len(parts) > 1
    return job


def emblem(seed: int) -> np.ndarray:
    """A picture with much detail, like nothing else."""
    noise = np.random.default_rng(seed).integers(0, 255, (9, 14, 3), np.uint8)
    return np.asarray(cv2.resize(noise, (140, 90), interpolation=cv2.INTER_NEAREST))


def logo_of(image: np.ndarray, name: str = "Velmora") -> BrandLogo:
    decide(AddLogo(known(name).id, cv2.imencode(".png", image)[1].tobytes(), ".png"), by=CLEO)
    return BrandLogo.objects.latest("id")


@pytest.mark.django_db
class TestTrials:
    def test_the_newest_finished_job_of_each_video(self, chunked):
        (only,) = finished_jobs()
        assert (only.job_id, only.asset.id) == (chunked.id, chunked.source_asset_id)
        Checkpoint.objects.filter(stage="compile_report").delete()
        assert finished_jobs() == []

    def test_what_is_on_a_frame_is_found_where_it_is(self, chunked, finished):
        edges = [part.regions for part in finished.output("detect_edges")]
        objects = [part.regions for part in finished.output("detect_objects")]
        found: list[tuple[int, tuple[int, int]]] = []
        for chunk, scene in enumerate(finished.output("filter_scenes")):
            for sequence in scene.kept:
                boxes = [one.box for one in (*edges[chunk].get(sequence, ()), *objects[chunk].get(sequence, ()))]
                widest = max(boxes, key=lambda box: box.area, default=None)
                if widest is not None and widest.width > 180 and widest.height > 30:
                    found.append((sequence, (widest.x1, widest.y1)))
                    image = finished.frames.load(sequence).copy()
                    height = min(widest.height, 60)
                    mark = cv2.resize(emblem(3), (round(height * 14 / 9), height), interpolation=cv2.INTER_AREA)
                    image[widest.y1 : widest.y1 + height, widest.x1 : widest.x1 + mark.shape[1]] = mark
                    _store(chunked, sequence, image)
        assert found, "the match shows no wide board"
        trial = logo_try(logo_of(emblem(3)), finished_jobs())
        at = {frame.sequence: frame for frame in trial.frames}
        hits = [sequence for sequence, _ in found if sequence in at and at[sequence].sure]
        assert hits
        corner = dict(found)[hits[0]]
        box = at[hits[0]].sure[0].box
        assert abs(box.x1 - corner[0]) < 20
        assert abs(box.y1 - corner[1]) < 20
        assert trial.frames[0].sure, "the surest come first"
        assert 0 < len(trial.frames) <= FRAMES
        assert not trial.weak

    def test_what_is_on_none_is_not_found(self, chunked):
        trial = logo_try(logo_of(emblem(8)), finished_jobs())
        assert trial.frames
        assert not any(frame.sure for frame in trial.frames)

    def test_a_picture_without_detail_is_called_weak(self, chunked):
        assert logo_try(logo_of(np.full((60, 60, 3), 200, np.uint8)), finished_jobs()).weak

    def test_frames_where_the_brand_was_seen_are_among_them(self, chunked, finished):
        logo = logo_of(emblem(8))
        last = max(sequence for part in finished.output("filter_scenes") for sequence in part.kept)
        BrandAppearance.objects.create(
            source_asset=chunked.source_asset,
            brand=logo.brand,
            job_id=chunked.id,
            seconds=1.0,
            seconds_uncertainty=0.1,
            occurrences=1,
            share_of_voice=0.1,
            quality_score=50.0,
            sequence=last,
            box=[0, 0, 10, 10],
        )
        assert last in {frame.sequence for frame in logo_try(logo, finished_jobs()).frames}

    def test_frames_that_are_gone_are_counted(self, chunked, tmp_path):
        for path in (tmp_path / "timelines").rglob("*.jpg"):
            path.unlink()
        trial = logo_try(logo_of(emblem(8)), finished_jobs())
        assert (trial.frames, trial.gone > 0) == ([], True)

    def test_nothing_was_analysed_yet(self, storage):
        trial = logo_try(logo_of(emblem(8)), [])
        assert (trial.frames, trial.gone) == ([], 0)


def _store(job: DetectJob, sequence: int, image: np.ndarray) -> None:
    assert job.timeline is not None
    timeline_frames(job.timeline).save_jpeg(sequence, cv2.imencode(".jpg", image)[1].tobytes())
