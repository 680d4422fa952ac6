"""Files that are no video and requests that make no sense: one line that says so, exit code 1, nothing begun."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.faults.footage import BRANDS
from tests.faults.installation import Installation, Outcome, installation
from tests.media.clips import cut_file, write_clip, write_sound
from tests.platform.processes import NOBODY

PICTURE = cv2.imencode(".png", np.full((8, 8, 3), 90, np.uint8))[1].tobytes()


@dataclass(frozen=True)
class Bench:
    """An installation that never does anything, and a folder with a clip for what is asked of it."""

    installation: Installation
    folder: Path
    clip: Path

    @property
    def out(self) -> Path:
        return self.folder / "report"

    def refused(self, outcome: Outcome, *words: str) -> None:
        error = outcome.error()
        assert outcome.err == error + "\n", "more than one line"
        assert outcome.out == ""
        assert [word for word in words if word not in error] == [], error
        assert not self.out.exists()
        assert not self.installation.data.postgres.exists(), "the database was started"


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with installation() as made:
        folder = made.folder / "files"  # where other users come too
        folder.mkdir(mode=0o755)
        yield Bench(made, folder, write_clip(folder / "clip.mp4", 25))


# --- files -----------------------------------------------------------------------------------------------------------


def _pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


FILES: dict[str, tuple[Callable[[Path, Path], Path], str]] = {
    "sound only": (lambda folder, _: write_sound(folder / "sound.m4a"), "has no video stream (sound only)"),
    "still image": (lambda folder, _: _write(folder / "still.png", PICTURE), "is a still image (PNG)"),
    "still image by another name": (lambda folder, _: _write(folder / "still.mp4", PICTURE), "is a still image (PNG)"),
    "zero length": (lambda folder, _: _write(folder / "zero.mp4", b""), "is empty (0 bytes)"),
    "truncated": (lambda folder, clip: cut_file(clip, folder / "cut.mp4", 0.5), "without a usable index"),
    "text by another name": (lambda folder, _: _write(folder / "text.mp4", b"Dear all,\n" * 99), "is not a video"),
    "noise": (lambda folder, _: _write(folder / "noise.mkv", np.random.default_rng(1).bytes(9999)), "is not a video"),
    "missing": (lambda folder, _: folder / "nothing.mp4", "there is no such file"),
    "folder": (lambda folder, _: _folder(folder / "folder.mp4"), "is a folder, not a video"),
    "pipe": (lambda folder, _: _pipe(folder / "pipe.mp4"), "is not a regular file"),
    "name that is no text": (
        lambda folder, clip: _write(folder / os.fsdecode(b"caf\xe9.mp4"), clip.read_bytes()),
        "its name is not UTF-8 text",
    ),
}


@pytest.fixture(scope="module")
def files(bench: Bench) -> dict[str, tuple[Path, Outcome]]:
    paths = {kind: make(bench.folder, bench.clip) for kind, (make, _) in FILES.items()}
    requests = [("analyze", path, "--out", bench.out) for path in paths.values()]
    outcomes = bench.installation.run_each(requests, bench.folder)
    return {kind: (path, outcome) for (kind, path), outcome in zip(paths.items(), outcomes, strict=True)}


@pytest.mark.parametrize("kind", FILES)
def test_file_that_is_no_video(bench: Bench, files: dict[str, tuple[Path, Outcome]], kind: str) -> None:
    path, outcome = files[kind]
    shown = str(path).encode(errors="backslashreplace").decode()
    bench.refused(outcome, shown, FILES[kind][1])


#: Root may do everything, and so runs these as another user.
SOMEONE_ELSE = NOBODY if os.geteuid() == 0 else None


def test_file_without_permission(bench: Bench) -> None:
    path = write_clip(bench.folder / "closed.mp4", 5)
    path.chmod(0)
    bench.installation.data.create()
    bench.installation.data.root.chmod(0o777)
    (outcome,) = bench.installation.run_each([("analyze", path)], bench.folder, uid=SOMEONE_ELSE)
    bench.refused(outcome, str(path), "permission denied")


def test_report_folder_without_permission(bench: Bench) -> None:
    closed = bench.folder / "closed"
    closed.mkdir(mode=0o555)
    bench.installation.data.create()
    bench.installation.data.root.chmod(0o777)
    request = ("analyze", bench.clip, "--out", closed)
    (outcome,) = bench.installation.run_each([request], bench.folder, uid=SOMEONE_ELSE)
    bench.refused(outcome, f"cannot write into the folder {closed}")


def test_data_folder_without_permission(bench: Bench) -> None:
    bench.installation.data.create()
    bench.installation.data.root.chmod(0o511)
    (outcome,) = bench.installation.run_each([("analyze", bench.clip)], bench.folder, uid=SOMEONE_ELSE)
    bench.installation.data.root.chmod(0o711)
    assert outcome.code == 1
    assert "Traceback" not in outcome.err
    assert f"The data folder {bench.installation.data.root} cannot be used: it is not writable." in outcome.err


# --- requests --------------------------------------------------------------------------------------------------------

STAGES = "extract_frames, filter_scenes, detect_edges, detect_objects, run_ocr, match_brands, escalate_vlm"

REQUESTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "unknown stage": (("--set", "extract_frame.fps=2"), ("unknown stage 'extract_frame'", STAGES)),
    "unknown option": (
        ("--set", "extract_frames.fsp=2"),
        ("unknown option 'extract_frames.fsp'", "chunk_seconds, fps, jpeg_quality"),
    ),
    "value out of range": (
        ("--set", "extract_frames.fps=200"),
        ("extract_frames.fps = 200", "at least 0.05", "at most 30"),
    ),
    "value of another kind": (("--set", "extract_frames.fps=fast"), ("extract_frames.fps = 'fast'", "at most 30")),
    "value that is no YAML": (("--set", "extract_frames.fps=[1"), ("extract_frames.fps=[1", "cannot be read")),
    "no value": (("--set", "extract_frames.fps"), ("stage.option=value", "for example")),
    "unknown profile": (("--profile", "chess"), ("unknown profile 'chess'", "motorsport", "soccer_broadcast")),
    "no brands in the list": (("--brands", " , "), ("no brand is named",)),
    "brand without letters": (("--brands", "Acme, !!"), ("'!!' has no letter or digit",)),
    "missing list": (("--brands", "{folder}/nothing.csv"), ("nothing.csv cannot be read", "No such file")),
    "bad line in the list": (("--brands", "{folder}/bad.csv"), ("bad.csv", "line 2", "'???'")),
    "list that is no text": (("--brands", "{folder}/noise.csv"), ("noise.csv cannot be read",)),
    "logo of another brand": (("--brands", BRANDS, "--logo", "Tyrell=x.png"), ("Tyrell=x.png", f"({BRANDS})")),
    "logo without brands": (("--logo", "Acme Cola=x.png"), ("Acme Cola=x.png", "there is no --brands")),
    "logo without picture": (("--brands", BRANDS, "--logo", "Globex"), ("BRAND=IMAGE",)),
    "missing logo": (("--brands", BRANDS, "--logo", "Globex={folder}/no.png"), ("no.png", "No such file")),
    "logo that is no picture": (
        ("--brands", BRANDS, "--logo", "Globex={folder}/bad.csv"),
        ("bad.csv", "not a picture that can be read"),
    ),
    "report where a file is": (("--out", "{folder}/clip.mp4"), ("cannot make the folder", "clip.mp4", "File exists")),
}


@pytest.fixture(scope="module")
def requests(bench: Bench) -> dict[str, Outcome]:
    (bench.folder / "bad.csv").write_text("Acme Cola,Acme\n???,\n")
    (bench.folder / "noise.csv").write_bytes(b"\xff\xfe\x00\x81" * 9)
    given: list[tuple[str | Path, ...]] = [
        ("analyze", bench.clip, "--out", bench.out, *(text.format(folder=bench.folder) for text in arguments))
        for arguments, _ in REQUESTS.values()
    ]
    return dict(zip(REQUESTS, bench.installation.run_each(given, bench.folder), strict=True))


@pytest.mark.parametrize("kind", REQUESTS)
def test_request_that_cannot_be_met(bench: Bench, requests: dict[str, Outcome], kind: str) -> None:
    bench.refused(requests[kind], *REQUESTS[kind][1])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("providers: {local: {base_url: 'http://x/v1', model: m, price: 3}}", ("'local'", "unknown field 'price'")),
        ("providers: [", ("not valid YAML",)),
    ],
)
def test_providers_file_that_cannot_be_used(bench: Bench, content: str, words: tuple[str, ...]) -> None:
    path = _write(bench.folder / "providers.yaml", content.encode())
    bench.installation.environment["MEDIAPROC_PROVIDERS"] = str(path)
    outcome = bench.installation.run("analyze", bench.clip, "--out", bench.out)
    del bench.installation.environment["MEDIAPROC_PROVIDERS"]
    bench.refused(outcome, str(path), *words)


def test_weights_that_are_not_there(bench: Bench) -> None:
    bench.installation.environment["MEDIAPROC_OBJECT_WEIGHTS"] = "/nowhere/yolo.onnx"
    outcome = bench.installation.run("analyze", bench.clip, "--out", bench.out)
    del bench.installation.environment["MEDIAPROC_OBJECT_WEIGHTS"]
    bench.refused(outcome, "/nowhere/yolo.onnx", "MEDIAPROC_OBJECT_WEIGHTS")
