"""Where an installation keeps things: one folder, `MEDIAPROC_DATA`, and nothing outside it but sockets.

No Django here: the service supervisor reads this module too, and starts in a few milliseconds because of it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent

# struct sockaddr_un holds 108 bytes with the closing zero; Postgres names its socket `.s.PGSQL.5432`
_LONGEST_SOCKET_PATH = 107
_LONGEST_SOCKET_NAME = "pg/.s.PGSQL.5432.lock"


@dataclass(frozen=True)
class DataFolder:
    """The layout under one data folder. Nothing is created until :meth:`create` is called."""

    root: Path

    @classmethod
    def from_environment(cls) -> DataFolder:
        """The folder named by `MEDIAPROC_DATA` (relative to the working directory), else `data/` in the project."""
        value = os.environ.get("MEDIAPROC_DATA", "").strip()
        return cls(Path(value).expanduser().resolve() if value else PROJECT_ROOT / "data")

    @property
    def storage(self) -> Path:
        return self.root / "storage"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @property
    def s3(self) -> Path:
        return self.root / "s3"

    @property
    def static(self) -> Path:
        return self.root / "static"

    @cached_property
    def sockets(self) -> Path:
        """The folder of the Unix sockets: `run/`, or a short private one where that path is too long for a socket.

        The short one is derived from the data folder and the user, so every process of the installation finds it.
        """
        if len(os.fsencode(self.run / _LONGEST_SOCKET_NAME)) <= _LONGEST_SOCKET_PATH and _others_may_enter(self.run):
            return self.run
        return self.short_folder

    @cached_property
    def short_folder(self) -> Path:
        """A folder of this installation with a short name outside the data folder; not created here."""
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        name = f"mediaproc-{os.geteuid()}-{digest}"
        # fixed places, not TMPDIR: it differs between processes that must meet here
        for base in (Path("/tmp"), Path("/dev/shm")):  # noqa: S108 - ownership is checked before it is used
            if os.access(base, os.W_OK | os.X_OK):
                return base / name
        return Path("/tmp") / name  # noqa: S108

    @property
    def postgres_socket_folder(self) -> Path:
        return self.sockets / "pg"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def control_socket(self) -> Path:
        return self.sockets / "control.sock"

    def create(self) -> None:
        """Make the folders. As root the way in stays open to others (search only), for Postgres runs as another user.

        Raises OSError when a folder cannot be made.
        """
        mode = 0o711 if os.geteuid() == 0 else 0o700
        for folder in (self.root, self.run):
            folder.mkdir(mode=mode, parents=True, exist_ok=True)
        for folder in (self.storage, self.static, self.logs):
            folder.mkdir(mode=0o700, exist_ok=True)

    def create_sockets(self) -> None:
        """Make the folder of the sockets where it is not `run/`; whoever stops the servers removes it."""
        if self.sockets != self.run:
            private_folder(self.sockets, 0o711 if os.geteuid() == 0 else 0o700)

    def wait_until_stopped(self) -> None:
        """Return once no supervisor works on this folder: it holds a lock for as long as it lives."""
        try:
            file = (self.run / "supervisor.lock").open("rb")
        except FileNotFoundError:
            return
        with file:
            fcntl.flock(file, fcntl.LOCK_SH)

    def secret(self, name: str, *, length: int = 50) -> str:
        """A random text kept in the file ``name``, for its owner alone; made on first use, the same ever after."""
        path = self.root / name
        try:
            return path.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            pass
        self.create()
        handle, draft = tempfile.mkstemp(dir=self.root, prefix=f".{name}-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(secrets.token_urlsafe(length) + "\n")
                file.flush()
                os.fsync(file.fileno())
            # link() fails where another process was first: both then read the same whole file
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            Path(draft).unlink()
        return path.read_text(encoding="utf-8").strip()


def private_folder(path: Path, mode: int) -> None:
    """Make ``path`` with ``mode``; raises PermissionError when it exists and is not a folder of this user alone."""
    path.mkdir(mode=mode, exist_ok=True)
    found = path.lstat()
    is_folder = (found.st_mode & 0o170000) == 0o040000
    if not is_folder or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionError(f"{path} is not a folder that only this user can write to: remove it and try again")


def _others_may_enter(path: Path) -> bool:
    """Whether another user can reach ``path``; asked only as root, whose Postgres runs as another user."""
    if os.geteuid() != 0:
        return True
    return all(_search_bit(folder) for folder in (path, *path.parents))


def _search_bit(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & 0o001)
    except OSError:
        return True  # not there yet: it will be made by us, open for searching, or that fails with its own message
