"""What the views share that take videos in: errors as HTTP knows them, who sends, a form's file straight to disk."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, UnreadablePostError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from detect.errors import StorageError
from jobs.uploads.errors import UploadCutError, UploadStorageError
from jobs.uploads.handler import VideoUploadHandler
from mediaproc.principal import principal_of


def sender_of(request: Request) -> str:
    """Who sends, as it is kept with an upload: only they may go on with it."""
    principal = principal_of(request)
    return f"user:{principal.user.pk}" if principal.key is None else f"key:{principal.key.pk}"


class MediaErrorsView(APIView):
    """A view for which storage in trouble and a connection that broke off are no faults of the program."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, UnreadablePostError):
            exc = UploadCutError("The connection broke off before the request was complete.")
        elif isinstance(exc, StorageError):
            exc = UploadStorageError(exc.message)
        return super().handle_exception(exc)


class FileView(MediaErrorsView):
    """A view that takes a video as the field ``file`` of a form: ``request.FILES["file"]`` is a ``ReceivedFile``.

    The file is on disk by then, and is removed with the answer unless it was moved to where it belongs.
    """

    upload_handler: type[VideoUploadHandler] = VideoUploadHandler
    _incoming: VideoUploadHandler

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        self._incoming = self.upload_handler(request)
        request.upload_handlers = [self._incoming]
        return super().initialize_request(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        self._incoming.discard()
        return super().finalize_response(request, response, *args, **kwargs)
