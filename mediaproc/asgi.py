"""The site: `uvicorn mediaproc.asgi:application`. Embedded servers and migrations are seen to before it answers."""

from __future__ import annotations

import os
from typing import Any

from asgiref.sync import sync_to_async
from channels.routing import ProtocolTypeRouter, URLRouter

from mediaproc.streaming import get_streaming_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")

_http = get_streaming_application()

import mediaproc.urls  # noqa: E402, F401 - now, for else the first request would wait for it
from brands.routing import websocket_urlpatterns as brands_sockets  # noqa: E402 - as the next lines
from detect.errors import MediaprocError  # noqa: E402
from jobs.live.routing import websocket_urlpatterns as jobs_sockets  # noqa: E402
from mediaproc.handover import HandOver, end_streams_on_signal  # noqa: E402
from mediaproc.services import prepare  # noqa: E402 - needs the apps, which the line above has loaded
from mediaproc.websockets import Guarded  # noqa: E402


async def lifespan(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001 - the protocol's signature
    """Have database and queue there before the first request; a start that fails says why and ends the server."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            end_streams_on_signal()
            try:
                await sync_to_async(prepare)(queue=True)
            except MediaprocError as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return


application = ProtocolTypeRouter(
    {
        "http": HandOver(_http),
        "websocket": Guarded(URLRouter([*jobs_sockets, *brands_sockets])),
        "lifespan": lifespan,
    }
)
