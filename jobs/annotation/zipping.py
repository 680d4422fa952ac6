"""All files of a batch as one ZIP, made while it is sent."""

from __future__ import annotations

from collections.abc import Iterator

from zipstream import ZIP_STORED, ZipStream

from detect.errors import StorageError
from jobs.annotation.outputs import MANIFEST, artifacts_of, manifest_body, output_key
from jobs.annotation.records import AnnotationJob
from mediaproc.rangedfiles import stored_file

_BLOCK = 1 << 20


class ZippedOutputs:
    """Iterate once for its bytes. Files are not compressed again: ``size`` is known before the first byte is read."""

    def __init__(self, job: AnnotationJob) -> None:
        self._zip = ZipStream(sized=True, compress_type=ZIP_STORED)
        files = list(artifacts_of(job))  # once: a batch that runs lists more a moment later
        self._zip.add(manifest_body(job, files), MANIFEST)
        for file in files:
            self._zip.add(_blocks(output_key(job.id, file.path), file.size_bytes), file.path, size=file.size_bytes)
        self.size = len(self._zip)

    def __iter__(self) -> Iterator[bytes]:
        yield from (bytes(block) for block in self._zip if block)


def _blocks(key: str, size: int) -> Iterator[bytes]:
    """The file, read when its turn comes. Raises ``StorageError`` where it is not what the manifest lists any more."""
    try:
        file = stored_file(key)
        if file.size != size:
            raise OSError(f"it has {file.size} bytes where {size} were listed")
        for start in range(0, size, _BLOCK):
            yield file.read(start, min(_BLOCK, size - start))
    except OSError as error:
        raise StorageError(f"{key} cannot be read: {error}") from error
