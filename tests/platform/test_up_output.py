"""What children of `manage.py up` say: put together to lines, told whose they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mediaproc.up.logs import Lines, Output


def test_lines_are_put_together_from_pieces() -> None:
    lines = Lines()
    assert lines.feed(b"one\ntw") == [b"one"]
    assert lines.feed(b"o\r\n\nthree") == [b"two", b""]
    assert (lines.end(), lines.end()) == ([b"three"], [])


def test_endless_line_is_cut() -> None:
    lines = Lines()
    assert [len(line) for line in lines.feed(b"x" * 70_000)] == [70_000]
    assert lines.end() == []


@pytest.mark.parametrize(
    ("line", "written"),
    [
        (b"hello", b"web  | hello\n"),
        (b'{"event": "x"}', b'{"from": "web", "event": "x"}\n'),
        (b"{}", b'{"from": "web"}\n'),
        (b"{not json}", b"web  | {not json}\n"),
        (b"\xff", b"web  | \xff\n"),
    ],
)
def test_line_says_whose_it_is(tmp_path: Path, line: bytes, written: bytes) -> None:
    path = tmp_path / "out"
    with path.open("wb") as stream:
        Output(stream, ["web", "long"], colour=False).write("web", line)
    assert path.read_bytes() == written


def test_prefix_is_coloured_at_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with path.open("wb") as stream:
        Output(stream, ["web"], colour=True).write("web", b"hello")
    assert path.read_bytes() == b"\x1b[36mweb | \x1b[0mhello\n"


def test_output_that_nobody_reads_disturbs_nobody() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as stream:
        Output(stream, ["web"], colour=False).write("web", b"hello")
