"""An installation for one measurement: a data folder of its own, in which nothing is stored yet."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.process import BenchError, Measured, measure
from detect.report import Report, ReportStage, from_json
from mediaproc.datafolder import DataFolder
from mediaproc.services.client import claim_on

RUN_WITHIN = 4 * 3600.0
SET_UP_WITHIN = 300.0
_KEPT = {"MEDIAPROC_THREADS", "MEDIAPROC_OBJECT_WEIGHTS"}
"""Settings of this machine that a measurement keeps; providers are not among them: a benchmark pays for nothing."""
_STAGE_LINE = re.compile(r"^(?P<number>\d+)/\d+ (?P<stage>\w+) +(?P<seconds>[\d.]+) s\b")


@dataclass(frozen=True)
class StageTime:
    """When a stage ran: seconds after the start of the process."""

    stage: str
    start: float
    end: float


@dataclass(frozen=True)
class Analysis:
    """One run of ``analyze`` or ``replay``: what it took and what it found."""

    measured: Measured
    report: Report
    stages: list[StageTime]

    @property
    def start_up(self) -> float:
        """Seconds from the start of the process until its first stage began."""
        return self.stages[0].start

    @property
    def work(self) -> float:
        """Seconds from the beginning of the first stage to the end of the process: stages, report, pictures."""
        return self.measured.wall - self.start_up

    @property
    def closing(self) -> float:
        """Seconds from the end of the last stage to the end of the process: report, pictures, shut-down."""
        return self.measured.wall - self.stages[-1].end

    @property
    def ran(self) -> list[ReportStage]:
        """Stages that this run computed."""
        return [stage for stage in self.report.stages if not stage.reused and not stage.skipped]


class StoredOutputs(msgspec.Struct, frozen=True):
    """What an installation keeps of one stage: rows and their bytes as stored."""

    rows: int
    bytes: int


class Stored(msgspec.Struct, frozen=True):
    """What an installation keeps: outputs by stage (manifests included), and frames in storage."""

    outputs: dict[str, StoredOutputs]
    frames: int
    frame_bytes: int


class Installation:
    """Commands of the software over one data folder, which is set up once with its database."""

    def __init__(self, folder: Path) -> None:
        self.data = DataFolder(folder)
        self.environment = isolated(os.environ, folder)

    def analyze(
        self,
        video: Path,
        brands: Path,
        *,
        logos: Mapping[str, Path] | None = None,
        settings: Sequence[str] = (),
        watch: bool = False,
    ) -> Analysis:
        """``manage.py analyze`` as a person types it. Raises :class:`BenchError` when it fails."""
        pictures = [f"--logo={name}={path}" for name, path in (logos or {}).items()]
        return self._run(["analyze", video, "--brands", brands, *pictures, *_sets(settings)], watch=watch)

    def analyze_after(
        self, warm_up: Path, its_brands: Path, video: Path, brands: Path, *, logos: Mapping[str, Path] | None = None
    ) -> Report:
        """The report on ``video`` by a process that analysed ``warm_up`` before: its models are loaded by then.

        Raises :class:`BenchError` when it fails.
        """
        pictures = [f"{name}={path}" for name, path in (logos or {}).items()]
        with tempfile.TemporaryDirectory(dir=self.data.root, prefix="report-") as out:
            videos = [warm_up, its_brands, video, brands]
            measure(
                [sys.executable, "-m", "bench.loaded", out, *videos, *pictures],
                timeout=RUN_WITHIN,
                environment=self.environment,
            )
            return from_json((Path(out) / "second/report.json").read_bytes())

    def replay(self, job: str, *, stage: str, settings: Sequence[str] = ()) -> Analysis:
        """``manage.py replay JOB --from STAGE``. Raises :class:`BenchError` when it fails."""
        return self._run(["replay", job, "--from", stage, *_sets(settings)])

    def stored(self) -> Stored:
        """Rows and bytes of all that is kept."""
        told = measure([sys.executable, "-m", "bench.stored"], timeout=SET_UP_WITHIN, environment=self.environment)
        outputs = msgspec.convert(json.loads(told.output), dict[str, StoredOutputs])
        frames = [path for path in self.data.storage.rglob("*.jpg") if path.is_file()]
        return Stored(outputs, len(frames), sum(path.stat().st_size for path in frames))

    def set_up(self) -> None:
        """Database and migrations: what ``make setup`` does once on a machine."""
        migrate = [sys.executable, "manage.py", "migrate", "--noinput", "--verbosity=0"]
        measure(migrate, timeout=SET_UP_WITHIN, environment=self.environment)

    @contextmanager
    def database_up(self) -> Iterator[None]:
        """Keeps the database running from one command to the next, as beside a running site."""
        claim = claim_on(self.data)
        claim.ensure("postgres")
        try:
            yield
        finally:
            claim.release()

    def _run(self, arguments: Sequence[str | Path], *, watch: bool = False) -> Analysis:
        with tempfile.TemporaryDirectory(dir=self.data.root, prefix="report-") as out:
            command = [sys.executable, "manage.py", *arguments, "--out", out]
            measured = measure(command, timeout=RUN_WITHIN, environment=self.environment, watch=watch)
            report = from_json((Path(out) / "report.json").read_bytes())
        stages = stage_times(measured)
        if not stages:
            raise BenchError(f"{arguments[0]} did not say which stages it ran: its progress lines have changed")
        return Analysis(measured, report, stages)


@contextmanager
def installation() -> Iterator[Installation]:
    """A new installation in a temporary folder, set up, its servers stopped; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="mediaproc-bench-"))
    folder.chmod(0o711)  # as root, Postgres enters as another user
    here = Installation(folder)
    try:
        here.set_up()
        yield here
    finally:
        here.data.wait_until_stopped()
        shutil.rmtree(folder, ignore_errors=True)


def isolated(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """``environment`` for ``folder`` alone: without this machine's database, queue, bucket and keys."""
    foreign = ("MEDIAPROC_", "AWS_", "DATABASE_URL", "REDIS_URL", "STORAGE_BACKEND")
    kept = {name: value for name, value in environment.items() if name in _KEPT or not name.startswith(foreign)}
    own = {"MEDIAPROC_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "mediaproc.settings", "COLUMNS": "200"}
    return {**kept, **own}


def stage_times(measured: Measured) -> list[StageTime]:
    """When each stage ran, from the line that ends it."""
    times = []
    for line in measured.lines:
        found = _STAGE_LINE.match(line.text)
        if found:
            times.append(StageTime(found["stage"], max(0.0, line.at - float(found["seconds"])), line.at))
    return times


def _sets(settings: Sequence[str]) -> list[str]:
    return [part for setting in settings for part in ("--set", setting)]


def exposures(report: Report) -> dict[str, list[tuple[float, float]]]:
    """``{brand: [(start, end), …]}`` of a report, for scoring; proposals that nobody confirmed are claims too."""
    return {brand.name: [(item.start, item.end) for item in brand.exposures] for brand in report.brands}
