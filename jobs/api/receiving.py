"""What the views share that take files in: errors as HTTP knows them, who sends, a form's file straight to disk."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, UnreadablePostError
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from detect.errors import ConflictError, MediaprocError, NotFoundError, StorageError
from jobs.api_keys import ApiKey
from jobs.asset_intake import TooLargeError
from jobs.uploads.errors import UploadCutError, UploadError
from jobs.uploads.handler import VideoUploadHandler

#: HTTP status and word of errors that say nothing of HTTP themselves; what is not named is a 400.
_STATUS: tuple[tuple[type[MediaprocError], int, str], ...] = (
    (TooLargeError, 413, "too_large"),
    (NotFoundError, 404, "not_found"),
    (ConflictError, 409, "conflict"),
    (StorageError, 503, "storage"),
)


def sender_of(request: Request) -> str:
    """Who sends, as it is kept with an upload: only they may go on with it."""
    if isinstance(request.auth, ApiKey):
        return f"key:{request.auth.pk}"
    return f"user:{request.user.pk}"


class MediaErrorsView(APIView):
    """A view whose errors about videos and storage answer with the status they have in HTTP."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, UnreadablePostError):
            exc = UploadCutError("The connection broke off before the request was complete.")
        if isinstance(exc, UploadError):
            exc = _api_error(exc, exc.status, exc.code)
        elif isinstance(exc, MediaprocError):
            status, code = next(
                ((status, code) for kind, status, code in _STATUS if isinstance(exc, kind)), (400, "invalid")
            )
            exc = _api_error(exc, status, code)
        return super().handle_exception(exc)


class FileView(MediaErrorsView):
    """A view that takes a video as the field ``file`` of a form: ``request.FILES["file"]`` is a ``ReceivedFile``.

    The file is on disk by then, and is removed with the answer unless it was moved to where it belongs.
    """

    _incoming: VideoUploadHandler

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        self._incoming = VideoUploadHandler(request)
        request.upload_handlers = [self._incoming]
        return super().initialize_request(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        self._incoming.discard()
        return super().finalize_response(request, response, *args, **kwargs)


def _api_error(error: MediaprocError, status: int, code: str) -> APIException:
    raised = APIException(error.message, code)
    raised.status_code = status
    return raised
