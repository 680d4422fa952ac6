"""The site: `uvicorn mediaproc.asgi:application`. Embedded servers and migrations are seen to before it answers."""

from __future__ import annotations

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")

_http = get_asgi_application()

from mediaproc.services import prepare  # noqa: E402 - needs the apps, which the line above has loaded

prepare(queue=True)

application = ProtocolTypeRouter({"http": _http})
