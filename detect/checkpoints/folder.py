"""A store whose outputs are files: for runs that shall be found again, and leave nothing in a database."""

from __future__ import annotations

from pathlib import Path

import msgspec

from detect.checkpoints.memory import MemoryCheckpointStore
from detect.checkpoints.store import CheckpointStore, OutputRef
from detect.errors import StorageError
from detect.exports.files import make_folder, write_atomic


class FolderCheckpointStore(MemoryCheckpointStore):
    """Outputs in files of a folder, checkpoints for the life of the process.

    What the folder does not have is looked for ``behind`` it, where nothing is ever written. A file is an output whole:
    its facts in the first line, then its body. Several processes may use one folder.
    """

    def __init__(self, folder: Path, behind: CheckpointStore | None = None) -> None:
        super().__init__()
        self._folder = folder
        self._behind = behind

    def find_output(self, key: str) -> OutputRef | None:
        return self.find_outputs([key]).get(key)

    def find_outputs(self, keys: list[str]) -> dict[str, OutputRef]:
        found = {key: ref for key in keys if (ref := self._ref(key)) is not None}
        missing = [key for key in keys if key not in found]
        if self._behind is not None and missing:
            found |= self._behind.find_outputs(missing)
        return found

    def load_output(self, key: str) -> bytes:
        try:
            with self._path(key).open("rb") as file:
                file.readline()
                return file.read()
        except FileNotFoundError:
            if self._behind is None:
                raise KeyError(key) from None
            return self._behind.load_output(key)
        except OSError as error:
            raise StorageError(f"the stored output {self._path(key)} cannot be read: {error.strerror}") from error

    def put_output(self, ref: OutputRef, packed: bytes) -> None:
        path = self._path(ref.key)
        if path.exists():
            return
        make_folder(path.parent)
        write_atomic(path, msgspec.json.encode(ref) + b"\n" + packed)

    def _ref(self, key: str) -> OutputRef | None:
        try:
            with self._path(key).open("rb") as file:
                return msgspec.json.decode(file.readline(), type=OutputRef)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"the stored output {self._path(key)} cannot be read: {error.strerror}") from error

    def _path(self, key: str) -> Path:
        """Keys are digests; those that begin alike share a folder, so that none grows without bound."""
        return self._folder / key[:2] / key
