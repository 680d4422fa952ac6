"""What can go wrong in a way that a person can put right.

Everything here carries one sentence saying what is wrong and, where it helps, what to do. Anything else that is
raised is a fault of the program and keeps its traceback.
"""

from __future__ import annotations

from typing import ClassVar


class MediaprocError(Exception):
    """Base of all errors that are shown to a user as one line, without a traceback.

    To a program that asks over HTTP a kind of error is told apart by its ``code`` and by ``status``.
    """

    code: ClassVar[str] = "invalid"
    status: ClassVar[int] = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class MediaError(MediaprocError):
    """A source cannot be read: missing, not a video, broken from its start."""


class ConfigError(MediaprocError):
    """An unknown stage, profile or option, or a value out of its range."""


class StorageError(MediaprocError):
    """Something could not be kept or fetched: a full disk, a folder without write permission, a lost object."""

    code = "storage_unavailable"
    status = 503


class FrameMissingError(StorageError):
    """A frame that was sampled is not in storage any more."""


class InferenceError(StorageError):
    """The inference server cannot be reached, is overloaded or runs other models: worth trying again later."""

    code = "inference_unavailable"
    status = 503


class BudgetError(MediaprocError):
    """The next call to a paid model would break the budget."""


class ProviderError(MediaprocError):
    """A remote model is unreachable, too slow, or answers something that is no answer."""


class CancelledError(MediaprocError):
    """The run was asked to stop; what it had saved can be resumed."""


class ConflictError(MediaprocError):
    """What is asked for does not go with the state things are in."""

    code = "conflict"
    status = 409


class NotFoundError(MediaprocError):
    """There is nothing by that name."""

    code = "not_found"
    status = 404
