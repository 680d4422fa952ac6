"""Logs through structlog: readable lines on a terminal, JSON elsewhere; quiet unless something is worth saying."""

from __future__ import annotations

import sys
from typing import Any

import structlog

from mediaproc import env

_level = env.text("MEDIAPROC_LOG_LEVEL", "WARNING").upper()
_as_json = env.flag("MEDIAPROC_LOG_JSON", default=not sys.stderr.isatty())

_shared: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]

structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_shared,
        structlog.processors.StackInfoRenderer(),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _shared,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *([structlog.processors.format_exc_info] if _as_json else []),
                structlog.processors.JSONRenderer() if _as_json else structlog.dev.ConsoleRenderer(),
            ],
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {"handlers": ["console"], "level": _level},
    "loggers": {"django.server": {"handlers": ["console"], "level": _level, "propagate": False}},
}
