"""What can go wrong with an embedded server, said so that a person can act on it."""

from __future__ import annotations

from detect.errors import MediaprocError


class ServiceError(MediaprocError):
    """An embedded server cannot be started or reached."""
