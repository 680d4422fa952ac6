"""Redis or Valkey: the queues by what their work needs, and the live channel."""

from __future__ import annotations

from mediaproc import env

_given = env.text("REDIS_URL")

EMBEDDED_QUEUE = not _given
REDIS_URL = _given or f"unix://{env.DATA.valkey_socket}"

RQ_QUEUES = {
    name: {
        "URL": REDIS_URL,
        "DEFAULT_TIMEOUT": 6 * 3600,
        "REDIS_CLIENT_KWARGS": {"socket_connect_timeout": 5, "socket_timeout": 10},
    }
    for name in ("cpu", "gpu", "cloud")
}
RQ_SHOW_ADMIN_LINK = True

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # it waits for messages 5 s at a time: a client that gives up as early would lose those of each quiet moment
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": 15, "socket_connect_timeout": 5}]},
    },
}
