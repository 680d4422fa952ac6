"""Paths in requests lead into allowed folders, or nowhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pytest_django import Settings

from detect.errors import NotFoundError
from mediaproc.roots import RootError, allowed_file, allowed_folder, allowed_path, allowed_roots


@pytest.fixture
def root(tmp_path: Path, settings: Settings) -> Path:
    """A root with a video in a folder, beside a secret that is in none."""
    root = tmp_path / "media"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "match.mp4").write_bytes(b"video")
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    (tmp_path / "media-too").mkdir()
    (tmp_path / "media-too" / "match.mp4").write_bytes(b"secret")
    settings.ROOTS = [root]
    return root


def test_absolute_and_relative_paths(root: Path) -> None:
    video = root / "sub" / "match.mp4"
    assert allowed_path(str(video)) == video
    assert allowed_path("sub/match.mp4") == video
    assert allowed_path("./sub//match.mp4") == video
    assert allowed_path(str(root)) == root
    assert allowed_file("sub/match.mp4") == video
    assert allowed_folder("sub") == root / "sub"


def test_a_relative_path_is_sought_in_each_root(root: Path, tmp_path: Path, settings: Settings) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "second.mp4").touch()
    settings.ROOTS = [root, tmp_path / "not mounted", other]
    assert allowed_path("second.mp4") == other / "second.mp4"
    assert allowed_path("sub/match.mp4") == root / "sub" / "match.mp4"
    assert allowed_roots() == [root, other]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "/etc/passwd",
        "../secret.mp4",
        "sub/../../secret.mp4",
        "sub/../sub/match.mp4",
        "{root}/../secret.mp4",
        "{root}-too/match.mp4",
        "{root}/sub/..",
        "sub/match.mp4\x00.txt",
        "sub/\nmatch.mp4",
        "\ud800",
        "~/secret.mp4/..",
    ],
)
def test_outside(root: Path, text: str) -> None:
    with pytest.raises(RootError) as refused:
        allowed_path(text.format(root=root))
    assert (refused.value.status, refused.value.code) == (403, "outside_roots")
    assert str(root) in refused.value.message


def test_the_answer_does_not_tell_what_is_outside(root: Path, tmp_path: Path) -> None:
    (root / "there").symlink_to(tmp_path / "secret.mp4")
    (root / "gone").symlink_to(tmp_path / "no such file")
    said = []
    for text in ("there", "gone", str(tmp_path / "secret.mp4"), str(tmp_path / "no such file")):
        with pytest.raises(RootError) as refused:
            allowed_path(text)
        said.append(refused.value.message.replace(repr(text), "X"))
    assert len(set(said)) == 1


def test_links_that_lead_out(root: Path, tmp_path: Path) -> None:
    (root / "out").symlink_to(tmp_path)
    (root / "sub" / "up").symlink_to("../..")
    (root / "chain").symlink_to(root / "out")
    for text in ("out/secret.mp4", "out", "sub/up/secret.mp4", "chain/secret.mp4", str(root / "out" / "secret.mp4")):
        with pytest.raises(RootError):
            allowed_path(text)


def test_links_that_stay_inside(root: Path) -> None:
    (root / "latest.mp4").symlink_to(root / "sub" / "match.mp4")
    assert allowed_path("latest.mp4") == root / "sub" / "match.mp4"


def test_a_root_may_itself_be_a_link(root: Path, tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "mount").symlink_to(root)
    settings.ROOTS = [tmp_path / "mount"]
    for text in (str(tmp_path / "mount" / "sub" / "match.mp4"), str(root / "sub" / "match.mp4"), "sub/match.mp4"):
        assert allowed_path(text) == root / "sub" / "match.mp4"


@pytest.mark.parametrize("text", ["none.mp4", "sub/match.mp4/more", "a" * 300, "circle", "sub/" * 3000])
def test_nothing_there(root: Path, text: str) -> None:
    (root / "circle").symlink_to(root / "circle")
    with pytest.raises(NotFoundError):
        allowed_path(text)


def test_what_is_no_file(root: Path) -> None:
    os.mkfifo(root / "pipe")
    for text in ("sub", "pipe"):
        with pytest.raises(NotFoundError, match="is not a file"):
            allowed_file(text)
    with pytest.raises(NotFoundError, match="is not a folder"):
        allowed_folder("sub/match.mp4")


def test_without_roots_nothing_is_allowed(settings: Settings) -> None:
    settings.ROOTS = []
    for text in ("/etc/passwd", "match.mp4", "."):
        with pytest.raises(RootError, match="set MEDIAPROC_ROOTS"):
            allowed_path(text)
