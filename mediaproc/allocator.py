"""How the C library gives memory back: glibc keeps what threads freed in pools, eight a core, for these threads alone.

Pictures are worked on by many threads that come and go. What they left behind was a third of the memory of a process,
and grew with the video.
"""

from __future__ import annotations

import ctypes
import os

_M_ARENA_MAX = -8  # malloc.h
_MOST_POOLS = 2


def share_pools() -> None:
    """Let all threads of this process share a few pools; to be called before it has threads.

    Where MALLOC_ARENA_MAX says how many there may be, or the C library knows no such thing, nothing is done.
    """
    if "MALLOC_ARENA_MAX" in os.environ:
        return
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_M_ARENA_MAX, _MOST_POOLS)
