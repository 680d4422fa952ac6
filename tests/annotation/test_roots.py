"""What was allowed is what is read: links that appear between the look and the use lead nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from detect.errors import MediaError, NotFoundError
from detect.media.probe import probe
from mediaproc.beneath import FoundFile, files_below, opened_below, opened_file, opened_folder
from mediaproc.roots import RootError
from tests.media.clips import write_clip


@pytest.fixture
def root(tmp_path: Path, settings: Settings) -> Path:
    """A root with a video in a folder, beside a secret folder with another of the same name."""
    root = tmp_path / "media"
    for folder, content in ((root / "cup", b"video"), (tmp_path / "secret", b"secret")):
        folder.mkdir(parents=True)
        (folder / "match.mp4").write_bytes(content)
    settings.ROOTS = [root]
    return root


@pytest.fixture
def before_opening(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], object]], None]:
    """Have something happen right before a name is opened, after everything was checked."""

    def arrange(name: str, happen: Callable[[], object]) -> None:
        real = os.open
        done: list[str] = []

        def opened(path: str | Path, flags: int, *args: int, dir_fd: int | None = None) -> int:
            if str(path) == name and not done:
                done.append(name)
                happen()
            return real(path, flags, *args, dir_fd=dir_fd)

        monkeypatch.setattr("mediaproc.beneath.os.open", opened)

    return arrange


def swap_for_link(place: Path, target: Path) -> None:
    place.rename(place.with_name(f"{place.name}.was"))
    place.symlink_to(target)


def test_the_file_itself_is_what_is_read(root: Path) -> None:
    with opened_file("cup/match.mp4") as opened:
        assert opened.real == root / "cup" / "match.mp4"
        assert opened.file.samefile(opened.real)
        swap_for_link(opened.real, root.parent / "secret" / "match.mp4")
        assert opened.file.read_bytes() == b"video"
    assert not opened.file.exists()


def test_a_program_that_is_started_reads_it_too(root: Path) -> None:
    with opened_file("cup/match.mp4") as opened:
        reading = [sys.executable, "-c", f"print(open({str(opened.file)!r}).read())"]
        assert subprocess.run(reading, capture_output=True, text=True, check=True).stdout == "video\n"


def test_links_that_stay_inside_are_resolved_first(root: Path) -> None:
    (root / "latest.mp4").symlink_to(root / "cup" / "match.mp4")
    (root / "final").symlink_to("cup", target_is_directory=True)
    for text in ("latest.mp4", "final/match.mp4"):
        with opened_file(text) as opened:
            assert opened.file.read_bytes() == b"video"


def test_a_file_swapped_for_a_link_after_the_check(root: Path, before_opening: Callable[..., None]) -> None:
    video = root / "cup" / "match.mp4"
    before_opening("match.mp4", lambda: swap_for_link(video, root.parent / "secret" / "match.mp4"))
    with pytest.raises(RootError, match="links are not followed"), opened_file("cup/match.mp4"):
        pass
    assert video.read_bytes() == b"secret"  # a look by name would have found it


def test_a_folder_swapped_for_a_link_after_the_check(root: Path, before_opening: Callable[..., None]) -> None:
    before_opening("cup", lambda: swap_for_link(root / "cup", root.parent / "secret"))
    with pytest.raises(RootError, match="links are not followed"), opened_file("cup/match.mp4"):
        pass
    assert (root / "cup" / "match.mp4").read_bytes() == b"secret"


def test_a_folder_swapped_while_it_is_open_is_still_the_one_that_was_meant(root: Path) -> None:
    with opened_folder("cup") as folder:
        swap_for_link(root / "cup", root.parent / "secret")
        with opened_below(folder, "match.mp4") as file:
            assert file.read_bytes() == b"video"
        assert [found.path for found in files_below(folder)] == ["match.mp4"]


def test_an_opened_folder_swapped_after_the_check(root: Path, before_opening: Callable[..., None]) -> None:
    before_opening("cup", lambda: swap_for_link(root / "cup", root.parent / "secret"))
    with pytest.raises(RootError, match="links are not followed"), opened_folder("cup"):
        pass


def test_a_folder_swapped_while_its_parent_is_listed(root: Path, before_opening: Callable[..., None]) -> None:
    with opened_folder(str(root)) as folder:
        before_opening("cup", lambda: swap_for_link(root / "cup", root.parent / "secret"))
        (found,) = files_below(folder)
    assert (found.path, found.size_bytes) == ("cup", 0)
    assert "cannot be listed" in found.problem


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "..",
        "../secret/match.mp4",
        "cup/../../secret/match.mp4",
        "/etc/passwd",
        "cup/match.mp4\0.txt",
        "cup\n/match.mp4",
        "out/match.mp4",
        "out.mp4",
        "cup/match.mp4/more",
    ],
)
def test_paths_that_lead_out_of_an_opened_folder(root: Path, path: str) -> None:
    (root / "out").symlink_to(root.parent / "secret", target_is_directory=True)
    (root / "out.mp4").symlink_to(root.parent / "secret" / "match.mp4")
    with opened_folder(str(root)) as folder, pytest.raises(RootError) as refused, opened_below(folder, path):
        pass
    assert "secret/" not in refused.value.message.replace(path, "")


@pytest.mark.parametrize("path", ["cup", "cup/none.mp4", "cup/pipe", "x" * 4000, "a/" * 2000 + "b"])
def test_paths_where_no_file_is(root: Path, path: str) -> None:
    os.mkfifo(root / "cup" / "pipe")
    with opened_folder(str(root)) as folder, pytest.raises(NotFoundError) as refused, opened_below(folder, path):
        pass
    assert len(refused.value.message) < 400


def test_errors_speak_of_the_file_by_the_name_that_people_know(root: Path) -> None:
    with pytest.raises(MediaError) as refused, opened_file("cup/match.mp4") as opened:
        probe(opened.file)
    assert refused.value.message.startswith(f"{root}/cup/match.mp4: ")
    assert "/proc/" not in str(refused.value)
    with (
        opened_folder("cup") as folder,
        pytest.raises(MediaError) as refused,
        opened_below(folder, "match.mp4") as file,
    ):
        probe(file)
    assert refused.value.message.startswith("match.mp4: ")


def test_a_video_is_decoded_through_it(root: Path) -> None:
    clip = write_clip(root / "clip.mp4", 50)
    with opened_file("clip.mp4") as opened:
        found = probe(opened.file)
    assert (found.duration, found.sha256) == (2.0, probe(clip).sha256)


def test_what_lies_in_a_folder_is_told_in_order_and_links_are_not_followed(root: Path) -> None:
    (root / "b" / "deep").mkdir(parents=True)
    (root / "b" / "deep" / "one.mp4").write_bytes(b"1")
    (root / "a.mp4").write_bytes(b"22")
    (root / ".hidden").mkdir()
    (root / ".hidden" / "x.mp4").touch()
    (root / ".y.mp4").touch()
    (root / "z").symlink_to(root.parent / "secret", target_is_directory=True)
    (root / "line\nbreak.mp4").touch()
    with opened_folder(str(root)) as folder:
        found = list(files_below(folder))
        without = (root / "b").stat()
        fewer = list(files_below(folder, without={(without.st_dev, without.st_ino)}))
    assert [(one.path, one.size_bytes) for one in found if not one.problem] == [
        ("a.mp4", 2),
        ("b/deep/one.mp4", 1),
        ("cup/match.mp4", 5),
    ]
    assert {one.path: one.problem for one in found if one.problem} == {
        "z": "is a link: links are not followed",
        "line\\nbreak.mp4": "its name has characters that cannot be shown: rename it",
    }
    assert [one.path for one in found if one not in fewer] == ["b/deep/one.mp4"]
    assert found[0] == FoundFile("a.mp4", 2, (root / "a.mp4").stat().st_mtime_ns)


def test_folders_may_be_deep_but_not_without_end(root: Path) -> None:
    place = root / "/".join(["d"] * 60)
    place.mkdir(parents=True)
    (place / "far.mp4").touch()
    with opened_folder(str(root)) as folder:
        (found,) = (one for one in files_below(folder) if one.problem)
    assert "folders deep" in found.problem


def test_no_handle_is_left_behind(root: Path) -> None:
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with opened_folder(str(root)) as folder:
            list(files_below(folder))
            with opened_below(folder, "cup/match.mp4"):
                pass
            with pytest.raises(RootError), opened_below(folder, "cup/match.mp4/x"):
                pass
            with pytest.raises(NotFoundError), opened_below(folder, "cup"):
                pass
        with opened_file("cup/match.mp4"):
            pass
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before
