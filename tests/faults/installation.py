"""An installation of its own, used as people use it: commands as processes, results as files, rows in Postgres."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from mediaproc.datafolder import PROJECT_ROOT, DataFolder
from mediaproc.services.client import Claim
from mediaproc.services.postgres import DATABASE, USER

Row = dict[str, Any]

#: What two runs of the same request may differ in.
_OF_THE_RUN = ("job_id", "checkpoint_id")
_OF_THE_STAGE = ("seconds", "reused", "reused_units")


@dataclass(frozen=True)
class Outcome:
    """How a command ended. ``code`` is negative when a signal ended it."""

    code: int
    out: str
    err: str

    def error(self) -> str:
        """The one line that says what is wrong. Fails where there is a traceback, or more than one such line."""
        assert self.code == 1, f"exit code {self.code}\n{self.err}\n{self.out}"
        assert "Traceback" not in self.err + self.out, self.err
        *before, last = self.err.rstrip("\n").split("\n")
        assert last.startswith("Error: "), self.err
        assert not any(line.startswith("Error") for line in before), self.err
        return last


@dataclass
class Installation:
    """A data folder, and the commands that are run on it."""

    data: DataFolder
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Beside the data folder, for what else a test writes."""
        return self.data.root.parent

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    def start(
        self,
        *arguments: str | Path,
        kill: str = "",
        interrupt: str = "",
        plain: bool = False,
        **options: Any,
    ) -> subprocess.Popen[str]:
        """Start ``manage.py`` with a journal; ``plain`` starts it as it is. ``options`` are those of Popen."""
        program = ["manage.py"] if plain else ["-m", "tests.faults.driver"]
        faults = {"FAULTS_JOURNAL": str(self.journal), "FAULTS_KILL": kill, "FAULTS_INTERRUPT": interrupt}
        return self._start([*program, *map(str, arguments)], faults, **options)

    def start_module(self, module: str, **options: Any) -> subprocess.Popen[str]:
        """Start a module of ours on the installation."""
        return self._start(["-m", module], {"FAULTS_JOURNAL": str(self.journal)}, **options)

    def _start(self, program: list[str], faults: dict[str, str], **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *program],
            cwd=PROJECT_ROOT,
            env={
                **_clean_environment(),
                **self.environment,
                "MEDIAPROC_DATA": str(self.data.root),
                **faults,
            },
            **{
                "stdin": subprocess.DEVNULL,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
                "text": True,
                **options,
            },
        )

    def run(self, *arguments: str | Path, **options: Any) -> Outcome:
        """Run ``manage.py`` to its end."""
        return finish(self.start(*arguments, **options))

    def run_each(
        self, requests: Sequence[Sequence[str | Path]], folder: Path, *, uid: int | None = None
    ) -> list[Outcome]:
        """Run command lines that end before any work begins, each in a process of its own; ``folder`` is for notes.

        With ``uid`` root runs them as another user.
        """
        notes = Path(tempfile.mkdtemp(dir=folder))
        user = [] if uid is None else [str(uid)]
        process = self._start(["-m", "tests.faults.requests", str(notes), *user], {}, stdin=subprocess.PIPE)
        _, err = process.communicate(json.dumps([list(map(str, request)) for request in requests]), timeout=240)
        assert process.returncode == 0, err
        return [
            Outcome(int(_text(notes, number, "code")), _text(notes, number, "out"), _text(notes, number, "err"))
            for number in range(len(requests))
        ]

    def begun(self) -> Counter[str]:
        """How often each unit of work, ``stage number``, was begun in all runs so far."""
        return Counter(self.journal.read_text().splitlines() if self.journal.exists() else ())

    def rows(self, query: str) -> list[Row]:
        """Rows of the installation's database, which must be running."""
        with psycopg.connect(
            dbname=DATABASE, user=USER, host=str(self.data.postgres_socket_folder), row_factory=dict_row
        ) as connection:
            return connection.execute(query.encode()).fetchall()

    def jobs(self) -> list[Row]:
        return self.rows("SELECT * FROM jobs_detectjob ORDER BY created_at")

    @contextmanager
    def database(self) -> Iterator[None]:
        """Keep Postgres running between commands: it need not be started for each of them."""
        claim = Claim(self.data, durable=False)
        claim.ensure("postgres")
        try:
            yield
        finally:
            claim.release()


def finish(process: subprocess.Popen[str], timeout: float = 240) -> Outcome:
    """Wait for a command to end."""
    try:
        out, err = process.communicate(timeout=timeout)
    finally:
        process.kill()
    return Outcome(process.returncode, out, err)


@contextmanager
def installation(**environment: str) -> Iterator[Installation]:
    """A new data folder, removed at the end. Not under pytest's own: root's Postgres could not enter there."""
    base = Path(tempfile.mkdtemp(prefix="mediaproc-faults-"))
    base.chmod(0o711)
    data = DataFolder(base / "data")
    try:
        yield Installation(data, {"MEDIAPROC_DURABLE": "false", **environment})
    finally:
        data.wait_until_stopped()
        shutil.rmtree(base)


def comparable(folder: Path) -> dict[str, bytes]:
    """The files of a written report by name, without what belongs to the run alone: ids, times, and what was reused."""
    report = json.loads((folder / "report.json").read_bytes())
    for name in _OF_THE_RUN:
        del report[name]
    for stage in report["stages"]:
        for name in _OF_THE_STAGE:
            del stage[name]
    del report["costs"]["seconds"]
    files = {path.name: path.read_bytes() for path in sorted((folder / "crops").iterdir())}
    return {
        **files,
        "report.csv": (folder / "report.csv").read_bytes(),
        "report.json": json.dumps(report, indent=1).encode(),
    }


def _text(notes: Path, number: int, suffix: str) -> str:
    return (notes / f"{number}.{suffix}").read_text()


def _clean_environment() -> dict[str, str]:
    """Without this machine's servers and settings."""
    foreign = ("DATABASE_URL", "REDIS_URL", "STORAGE_BACKEND")
    return {
        name: value
        for name, value in os.environ.items()
        if name not in foreign and not name.startswith(("AWS_", "MEDIAPROC_", "DJANGO_"))
    }
