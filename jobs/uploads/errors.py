"""What can go wrong with an upload, and how the interfaces say so."""

from __future__ import annotations

from detect.errors import MediaprocError


class UploadError(MediaprocError):
    """Base of them."""


class UploadRefusedError(UploadError):
    """What was sent is not taken: no video, empty, a name that says it is something else."""

    code = "refused"


class UploadCutError(UploadError):
    """The connection broke off, or fell silent; what had come is kept."""

    code = "cut"


class UploadMissingError(UploadError):
    """There is no such upload, or it is somebody else's."""

    status = 404
    code = "not_found"


class UploadGoneError(UploadError):
    """What was received has been refused and removed."""

    status = 410
    code = "gone"


class UploadOffsetError(UploadError):
    """A piece does not begin where what was received ends."""

    status = 409
    code = "wrong_offset"


class UploadIncompleteError(UploadError):
    """A part is still missing."""

    status = 409
    code = "incomplete"


class UploadBusyError(UploadError):
    """Another request is writing to the upload, or checking it."""

    status = 423
    code = "busy"


class UploadTooLargeError(UploadError):
    """More than a file may have, or more than was announced."""

    status = 413
    code = "too_large"


class UploadDiskFullError(UploadError):
    """There is no room for it; what had come is kept."""

    status = 507
    code = "disk_full"


class UploadStorageError(UploadError):
    """Storage cannot be reached, or takes nothing, just now; what had come is kept."""

    status = 503
    code = "storage"
