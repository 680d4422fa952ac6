"""Child processes that never outlive their parent."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Account:
    """The user a server runs as. ``uid`` is None for the user of this process."""

    name: str
    uid: int | None = None
    gid: int | None = None

    @classmethod
    def current(cls) -> Account:
        return cls(name=_name_of(os.geteuid()))

    @classmethod
    def for_postgres(cls, cluster: Path) -> Account:
        """Who runs Postgres, which refuses root: this user, or as root the cluster's owner, `postgres` or `nobody`.

        Raises LookupError when root finds no such user.
        """
        if os.geteuid() != 0:
            return cls.current()
        if cluster.exists() and cluster.stat().st_uid != 0:
            entry = pwd.getpwuid(cluster.stat().st_uid)
            return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)
        for name in ("postgres", "nobody"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)
        raise LookupError("Postgres does not run as root and there is no user `postgres` or `nobody` to run it as.")

    @property
    def no_groups(self) -> list[int] | None:
        """What `subprocess` needs so that another user does not keep root's groups."""
        return None if self.uid is None else []

    def take(self, path: Path) -> None:
        """Give ``path`` to this account, where it is not the current one."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def spawn(
    command: Sequence[str | Path],
    *,
    account: Account,
    cwd: Path,
    log: IO[bytes],
    on_parent_death: signal.Signals,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server that gets ``on_parent_death`` the moment the calling thread is gone, kill -9 included.

    It runs in a session of its own, so a Ctrl-C in the terminal reaches it only through its parent.
    """
    # subprocess drops privileges before preexec_fn, and dropping them would clear the death signal
    return subprocess.Popen(
        [str(part) for part in command],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        user=account.uid,
        group=account.gid,
        extra_groups=account.no_groups,
        env={**_plain_environment(), **(environment or {})},
        start_new_session=True,
        preexec_fn=die_with_parent(os.getpid(), on_parent_death),  # noqa: PLW1509 - one C call, and no threads here
    )


def die_with_parent(parent: int, how: signal.Signals) -> Callable[[], None]:
    """What a child calls before its program begins, to get ``how`` when the thread that made it is gone."""

    def arrange() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(how))
        if os.getppid() != parent:  # the parent died before the call above took effect
            os._exit(1)

    return arrange


def _plain_environment() -> dict[str, str]:
    """The environment without what would change how a server behaves: PG* variables and a foreign locale."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def stop(process: subprocess.Popen[bytes], how: signal.Signals, *, patience: float) -> None:
    """Ask ``process`` to end with ``how``; after ``patience`` seconds kill it."""
    if process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def run_as(account: Account, command: Sequence[str | Path], *, cwd: Path, log: IO[bytes], text: str = "") -> int:
    """Run ``command`` to its end as ``account``, ``text`` being its input; returns its exit code."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        input=text.encode(),
        stdout=log,
        stderr=subprocess.STDOUT,
        user=account.uid,
        group=account.gid,
        extra_groups=account.no_groups,
        env=_plain_environment(),
        timeout=120,
        check=False,
    ).returncode


def runnable_by(account: Account, program: Path) -> bool:
    """Whether ``account`` can execute ``program`` where it lies (a folder above it may be closed to others)."""
    with Path(os.devnull).open("wb") as nowhere:
        try:
            return run_as(account, [program, "--version"], cwd=Path("/"), log=nowhere) == 0
        except PermissionError:
            return False


def tail(path: Path, lines: int = 3) -> str:
    """The last lines of a log, for an error message."""
    try:
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def rotate(path: Path, *, most_bytes: int = 5_000_000) -> None:
    """Move a log that has grown past ``most_bytes`` aside, keeping one older file."""
    if path.exists() and path.stat().st_size > most_bytes:
        shutil.move(path, path.with_suffix(".old.log"))
