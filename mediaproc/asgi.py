"""The site: `uvicorn mediaproc.asgi:application`. Embedded servers and migrations are seen to before it answers."""

from __future__ import annotations

import os
from typing import Any

from asgiref.sync import sync_to_async
from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")

_http = get_asgi_application()

from detect.errors import MediaprocError  # noqa: E402 - as the next line
from mediaproc.services import prepare  # noqa: E402 - needs the apps, which the line above has loaded


async def lifespan(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001 - the protocol's signature
    """Have database and queue there before the first request; a start that fails says why and ends the server."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                await sync_to_async(prepare)(queue=True)
            except MediaprocError as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return


application = ProtocolTypeRouter({"http": _http, "lifespan": lifespan})
