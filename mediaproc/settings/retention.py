"""How long is kept what nobody may want any more."""

from __future__ import annotations

from mediaproc import env

EVENT_DAYS = env.integer("MEDIAPROC_EVENT_DAYS", 30, least=1, most=36_500)
