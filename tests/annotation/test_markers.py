"""Files of the brands and pit-stop pipelines, read by programs that did not write them."""

from __future__ import annotations

import csv
import json
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import opentimelineio
import pytest

from detect.artifacts import exposures, pitstop
from detect.artifacts.base import FinishedRun
from detect.formats.otio import COLOURS, Mark, markers_otio
from detect.report import Report, from_json
from detect.stages.time_zones import TimeZonesOutput
from detect.types import SourceInfo
from detect.zones import Stop, Visit, ZoneTime
from tests.report.sample import sample_report

NAME = "final “çup” #1.mp4"
STOP = Stop(start=4.0, end=6.52, track_id=3, label="car", start_uncertainty=0.03, end_uncertainty=0.04, cut="")
VISIT = Visit(start=4.32, end=6.2, track_id=9, label="person", start_uncertainty=0.03, end_uncertainty=0.04, cut="end")
FUEL = ZoneTime(name="Fuel", measure="fuel", seconds=1.88, uncertainty=0.05, visits=[VISIT])


@dataclass
class Run:
    """What a writer looks at, without a database."""

    made: Report | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    source: SourceInfo = field(
        default_factory=lambda: SourceInfo(
            path="/srv/secret place/x.mp4",
            sha256="0" * 64,
            duration=10.0,
            width=64,
            height=48,
            frame_rate="30000/1001",
            variable_frame_rate=False,
            start_time=0.0,
        )
    )
    name: str = NAME
    pipeline: str = "brands"
    options: dict[str, Any] = field(default_factory=dict)

    def output(self, stage: str) -> Any:
        return self.outputs[stage]

    def parts(self, stage: str) -> list[Any]:
        return list(self.outputs[stage])

    def video(self) -> AbstractContextManager[Path]:
        raise AssertionError("nothing is read")

    def report(self) -> Report | None:
        return self.made


def read_back(path: Path) -> Any:
    """The only clip of a timeline that another program has read."""
    (track,) = opentimelineio.adapters.read_from_file(str(path)).tracks
    (clip,) = track
    return clip


def frames(time: Any) -> float:
    return float(time.value)


class TestFormat:
    def write(self, folder: Path, *marks: Mark, **options: Any) -> Any:
        given = {"video": NAME, "duration": 10.01, "frame_rate": "30000/1001", **options}
        path = folder / "m.otio"
        path.write_text(markers_otio(marks, **given), encoding="utf-8")
        return read_back(path)

    def test_a_clip_of_the_whole_video_at_its_own_rate(self, tmp_path: Path) -> None:
        clip = self.write(tmp_path)
        assert (clip.name, clip.media_reference.target_url) == (NAME, "final%20%E2%80%9C%C3%A7up%E2%80%9D%20%231.mp4")
        assert clip.source_range.duration == opentimelineio.opentime.RationalTime(300, 30000 / 1001)
        assert clip.media_reference.available_range == clip.source_range

    @pytest.mark.parametrize("rate", ["25/1", "30000/1001", "24000/1001", "60/1"])
    def test_times_rounded_to_microseconds_lie_on_their_frames(self, tmp_path: Path, rate: str) -> None:
        marks = [
            Mark("m", round(float(n / Fraction(rate)), 6), round(float((n + 7) / Fraction(rate)), 6))
            for n in (0, 1, 17, 1001, 107_892, 215_784)
        ]
        clip = self.write(tmp_path, *marks, frame_rate=rate, duration=3600.0)
        found = [(frames(one.marked_range.start_time), frames(one.marked_range.duration)) for one in clip.markers]
        assert found == [(n, 7) for n in (0, 1, 17, 1001, 107_892, 215_784)]
        assert {one.marked_range.start_time.rate for one in clip.markers} == {float(Fraction(rate))}

    def test_between_frames_and_on_uneven_ones_times_stay_what_they_are(self, tmp_path: Path) -> None:
        (between,) = self.write(tmp_path, Mark("m", 0.5, 1.0), frame_rate="25/1").markers
        assert (frames(between.marked_range.start_time), frames(between.marked_range.duration)) == (12.5, 12.5)
        (uneven,) = self.write(tmp_path, Mark("m", 1.0004, 2.0), frame_rate="25/1", steady=False).markers
        assert frames(uneven.marked_range.start_time) == pytest.approx(25.01, abs=1e-9)
        (timeless,) = self.write(tmp_path, Mark("m", 1.25, 2.0), frame_rate="0").markers
        assert timeless.marked_range.start_time.to_seconds() == 1.25

    def test_colours_go_round(self, tmp_path: Path) -> None:
        marks = [Mark(str(number), 0, 1, number) for number in range(len(COLOURS) + 1)]
        found = [one.color for one in self.write(tmp_path, *marks).markers]
        assert found == [*COLOURS, COLOURS[0]]
        known = {name for name in dir(opentimelineio.schema.MarkerColor) if name.isupper()}
        assert set(found) <= known

    def test_an_end_before_its_start_has_no_length(self, tmp_path: Path) -> None:
        (mark,) = self.write(tmp_path, Mark("m", 2.0, 1.0)).markers
        assert frames(mark.marked_range.duration) == 0


class TestExposures:
    @pytest.fixture
    def run(self) -> Run:
        return Run(made=sample_report())

    def test_files_and_what_is_told_of_them(self, run: Run, tmp_path: Path) -> None:
        found = exposures.write(run, tmp_path)
        assert [(one.type, one.role, one.path) for one in found] == [
            ("json", "report", "report.json"),
            ("csv", "exposures", "exposures.csv"),
            ("json", "markers", "markers.otio"),
        ]
        assert {path.name for path in tmp_path.iterdir()} == {one.path for one in found}
        assert run.made is not None
        assert found[0].meta["brands"] == len(run.made.brands)

    def test_the_report_is_one_and_says_nothing_of_the_machine(self, run: Run, tmp_path: Path) -> None:
        exposures.write(run, tmp_path)
        body = (tmp_path / "report.json").read_bytes()
        report = from_json(body)
        assert run.made is not None
        assert report.source.path == NAME
        assert [brand.name for brand in report.brands] == [brand.name for brand in run.made.brands]
        assert run.made.source.path.encode() not in body and b"crops/" not in body
        again = tmp_path / "again"
        again.mkdir()
        other = msgspec.structs.replace(run.made, job_id="another", checkpoint_id="other")
        exposures.write(Run(made=other), again)
        assert (again / "report.json").read_bytes() == body

    def test_a_row_for_each_exposure(self, run: Run, tmp_path: Path) -> None:
        exposures.write(run, tmp_path)
        with (tmp_path / "exposures.csv").open(newline="", encoding="utf-8") as table:
            rows = list(csv.DictReader(table))
        assert run.made is not None
        assert [row["brand"] for row in rows] == [
            brand.name.replace("=", "'=") if brand.name.startswith("=") else brand.name
            for brand in run.made.brands
            for _ in brand.exposures
        ]

    def test_a_marker_for_each_exposure_coloured_by_brand(self, run: Run, tmp_path: Path) -> None:
        exposures.write(run, tmp_path)
        assert run.made is not None
        markers = read_back(tmp_path / "markers.otio").markers
        wanted = sorted((one.start, one.end, brand.name) for brand in run.made.brands for one in brand.exposures)
        assert [one.name for one in markers] == [name for *_, name in wanted]
        starts = [one.marked_range.start_time.to_seconds() for one in markers]
        assert starts == pytest.approx([start for start, *_ in wanted], abs=0.002)
        ends = [one.marked_range.end_time_exclusive().to_seconds() for one in markers]
        assert ends == pytest.approx([end for _, end, _ in wanted], abs=0.002)
        colours = {(one.name, one.color) for one in markers}
        assert len(colours) == len(run.made.brands)
        assert all(one.metadata["mediaproc"]["brand"] == one.name for one in markers)


class TestPitstop:
    def write(self, folder: Path, **changes: Any) -> tuple[dict[str, Any], Any]:
        given: dict[str, Any] = {"zones": [FUEL], "stops": [STOP], "stop": 0, **changes}
        run: FinishedRun = Run(outputs={"time_zones": TimeZonesOutput(**given)})
        assert [one.role for one in pitstop.write(run, folder)] == ["timing", "markers"]
        return json.loads((folder / "timing.json").read_text()), read_back(folder / "markers.otio")

    def test_stops_and_visits_in_seconds_of_the_video(self, tmp_path: Path) -> None:
        timing, clip = self.write(tmp_path)
        assert (timing["schema"], timing["video"]) == ("mediaproc.timing/1", NAME)
        assert (timing["stop_time_s"], timing["uncertainty_s"], timing["stop"]) == (2.52, 0.05, 0)
        assert timing["measures"]["fuel_time_s"]["seconds"] == 1.88
        assert timing["zones"][0]["visits"][0]["cut"] == "end"
        assert timing["zones"][0]["uncertainty_s"] == 0.05
        assert [(one.name, one.color) for one in clip.markers] == [
            ("Stop: car 3", COLOURS[0]),
            ("Fuel: person 9", COLOURS[1]),
        ]
        spans = [
            (one.marked_range.start_time.to_seconds(), one.marked_range.duration.to_seconds()) for one in clip.markers
        ]
        assert spans[0] == pytest.approx((4.0, 2.52), abs=0.002)
        assert clip.markers[1].metadata["mediaproc"]["zone"] == "Fuel"

    def test_without_a_stop(self, tmp_path: Path) -> None:
        timing, clip = self.write(tmp_path, zones=[], stops=[], stop=None)
        assert (timing["stop_time_s"], timing["stops"], len(clip.markers)) == (None, [], 0)
