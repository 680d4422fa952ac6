"""``manage.py models`` and ``manage.py datasets``, as a person at a terminal sees them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from detect.engines.objects import WeightsError
from detect.errors import ConfigError, NotFoundError
from detect.registry import use_pipelines_of
from jobs.management.commands.models import Command
from mediaproc.roots import RootError
from tests.inference.fake_server import FakeServer, Reply
from tests.media.clips import write_clip

CONTENT = b"weights of a toy" * 1000
TOY = """
key: toy
label: Toy
version: 1
stages: [detect.stages.extract_frames:ExtractFrames]
models:
  toy:
    what: playing
    files: [toy*.bin]
    download: {{url: "{url}", sha256: {sha256}}}
  kit: {{what: building, setting: MEDIAPROC_KIT_MODEL}}
"""


@pytest.fixture
def own(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    folder = tmp_path / "pipelines"
    folder.mkdir()
    settings.WEIGHTS_FOLDERS = (tmp_path / "model_weights",)
    settings.CACHE_FOLDER = tmp_path / "cache"
    settings.MODELS_FILE = tmp_path / "models.yaml"
    yield folder
    use_pipelines_of(settings.PIPELINES_FOLDER)


def declare(folder: Path, url: str = "http://127.0.0.1:1/toy.bin", sha256: str = "") -> None:
    digest = sha256 or hashlib.sha256(CONTENT).hexdigest()
    (folder / "toy.yaml").write_text(TOY.format(url=url, sha256=digest))
    use_pipelines_of(folder)


def as_json(*args: str) -> Any:
    out = StringIO()
    call_command(*args, "--json", stdout=out)
    return json.loads(out.getvalue())


def known(*args: str) -> dict[str, Any]:
    return {one["name"]: one for one in as_json("models", *args)}


class TestModels:
    def test_what_is_missing_and_what_to_do(self, own: Path, capsys: pytest.CaptureFixture[str]) -> None:
        declare(own)
        found = known()
        assert (found["toy"]["found"], found["toy"]["pipelines"], found["toy"]["can_be_fetched"]) == (
            False,
            ["toy"],
            True,
        )
        assert "--fetch toy" in found["toy"]["reason"]
        assert found["kit"]["can_be_fetched"] is False
        call_command("models")
        shown = capsys.readouterr().out
        assert all(word in shown for word in ("toy", "playing", "missing", "MEDIAPROC_KIT_MODEL"))

    def test_where_one_was_found(self, own: Path, settings: Settings) -> None:
        declare(own)
        settings.WEIGHTS_FOLDERS[0].mkdir()
        place = settings.WEIGHTS_FOLDERS[0] / "toy-2.bin"
        place.write_bytes(CONTENT)
        toy = known()["toy"]
        assert (toy["place"], toy["sha256"]) == (str(place), hashlib.sha256(CONTENT).hexdigest())

    def test_a_broken_pipeline_is_told(self, own: Path, capsys: pytest.CaptureFixture[str]) -> None:
        declare(own)
        (own / "bad.yaml").write_text("key: [")
        use_pipelines_of(own)
        call_command("models")
        assert "'bad' cannot be used" in capsys.readouterr().out

    def test_fetching_one(self, own: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with FakeServer(Reply(200, CONTENT)).running() as server:
            declare(own, f"{server.url}/toy.bin")
            call_command("models", "--fetch", "toy")
            assert "toy: 0.0 MB, its checksum is right" in capsys.readouterr().err
            toy = known()["toy"]
            assert (toy["found"], Path(toy["place"]).read_bytes()) == (True, CONTENT)
            call_command("models", "--fetch", "toy")
            assert len(server.asked) == 1

    def test_fetching_all_takes_what_is_missing_and_can_be_had(
        self, own: Path, capsys: pytest.CaptureFixture[str], settings: Settings
    ) -> None:
        settings.WEIGHTS_FOLDERS[0].mkdir()
        (settings.WEIGHTS_FOLDERS[0] / "face_detection_yunet.onnx").write_bytes(b"there")
        with FakeServer(Reply(200, CONTENT)).running() as server:
            declare(own, f"{server.url}/toy.bin")
            call_command("models", "--fetch", "--all")
            assert [request.path for request in server.asked] == ["/toy.bin"]
        call_command("models", "--all")
        assert "nothing to fetch" in capsys.readouterr().err

    def test_other_content_than_was_declared_is_not_kept(self, own: Path, settings: Settings) -> None:
        with FakeServer(Reply(200, b"something else")).running() as server:
            declare(own, f"{server.url}/toy.bin")
            with pytest.raises(WeightsError, match="not those that were meant"):
                call_command("models", "--fetch", "toy")
        assert not known()["toy"]["found"]
        assert not list((settings.CACHE_FOLDER / "models").glob("*.part"))

    @pytest.mark.parametrize(
        ("names", "reason"),
        [((), "name the models"), (("none",), "there is no model 'none'"), (("kit",), "nobody has said where 'kit'")],
    )
    def test_what_cannot_be_fetched(self, own: Path, names: tuple[str, ...], reason: str) -> None:
        declare(own)
        with pytest.raises(ConfigError, match=reason):
            call_command("models", "--fetch", *names)

    def test_its_help_teaches(self) -> None:
        text = Command().create_parser("manage.py", "models").format_help()
        assert all(word in text for word in ("model_weights/", "SHA-256", "--fetch faces", "examples:"))


class TestDatasets:
    @pytest.fixture(autouse=True)
    def root(self, db: None, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr("jobs.management.commands.datasets.prepare", lambda: None)
        root = tmp_path / "media"
        (root / "cup").mkdir(parents=True)
        write_clip(root / "cup" / "match.mp4", 25)
        (root / "cup" / "broken.mp4").write_bytes(b"none")
        settings.ROOTS = [root]
        return root

    def test_made_scanned_and_listed(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        made = as_json("datasets", "create", "Cup [red]2026", "cup")
        assert as_json("datasets", "scan", made["id"][:8]) == as_json("datasets", "scan", "Cup [red]2026")
        found = {one["path"]: one for one in as_json("datasets", "scan", made["id"])}
        assert (found["match.mp4"]["duration_sec"], found["match.mp4"]["error"]) == (1.0, None)
        assert "not a video" in found["broken.mp4"]["error"]
        assert as_json("datasets", "list") == [made]
        for action in (("list",), ("scan", made["id"]), ("create", "Another", str(root))):
            call_command("datasets", *action)
        shown = capsys.readouterr().out
        assert all(word in shown for word in ("Cup [red]2026", "match.mp4", "0:00:01", "datasets scan"))

    def test_one_that_is_unknown_outside_or_may_be_two(self, root: Path) -> None:
        with pytest.raises(NotFoundError, match="datasets list"):
            call_command("datasets", "scan", "none")
        with pytest.raises(RootError):
            call_command("datasets", "create", "Out", str(root.parent))
        for _ in range(2):
            as_json("datasets", "create", "Cup", "cup")
        with pytest.raises(ConfigError, match="one of 2 datasets"):
            call_command("datasets", "scan", "Cup")
