"""One stream of log lines out of those of many children, each line saying whose it is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import IO

_COLOURS = (36, 33, 32, 35, 34, 31, 96, 93)
_LONGEST_LINE = 64 * 1024


class Lines:
    """Cuts what arrives in pieces into lines; one that grows past 64 KiB is cut there."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that ``piece`` completes, without their ends."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            lines.append(self._rest)
            self._rest = b""
        return [line.rstrip(b"\r") for line in lines]

    def end(self) -> list[bytes]:
        """What is left when nothing more comes."""
        rest, self._rest = self._rest, b""
        return [rest] if rest else []


class Output:
    """Writes lines to ``stream`` (binary): `web | text`, or a JSON object as it is, with `from` as its first key."""

    def __init__(self, stream: IO[bytes], names: Iterable[str], *, colour: bool) -> None:
        self._file = stream.fileno()
        listed = list(names)
        width = max(map(len, listed), default=0)
        self._prefixes = {
            name: _prefix(name, width, _COLOURS[number % len(_COLOURS)] if colour else None)
            for number, name in enumerate(listed)
        }

    def write(self, name: str, line: bytes) -> None:
        """One line of the child ``name``. Where the reader of the stream is gone the line is lost, and nothing else."""
        text = _named_object(name, line) or self._prefixes[name] + line
        rest = memoryview(text + b"\n")
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            pass  # children are looked after whether or not somebody reads

    def stream_of(self, name: str) -> _Stream:
        """A text stream, for a logging handler, whose lines come out as those of ``name``."""
        return _Stream(self, name)


class _Stream:
    def __init__(self, output: Output, name: str) -> None:
        self._output, self._name, self._lines = output, name, Lines()

    def write(self, text: str) -> None:
        for line in self._lines.feed(text.encode(errors="replace")):
            self._output.write(self._name, line)

    def flush(self) -> None:
        """Nothing is held back but the beginning of a line."""


def _prefix(name: str, width: int, colour: int | None) -> bytes:
    plain = f"{name:<{width}} | "
    return (plain if colour is None else f"\x1b[{colour}m{plain}\x1b[0m").encode()


def _named_object(name: str, line: bytes) -> bytes | None:
    """The JSON object in ``line`` with its origin added, or None where it is something else."""
    if not (line.startswith(b"{") and line.endswith(b"}")):
        return None
    try:
        json.loads(line)
    except ValueError:
        return None
    inside = line[1:].lstrip()
    comma = b"" if inside == b"}" else b", "
    return b'{"from": ' + json.dumps(name).encode() + comma + inside
