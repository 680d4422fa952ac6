"""What `manage.py check` finds out about this installation."""

from __future__ import annotations

import os
from typing import Any

from django.core.checks import Error, register

from mediaproc import env

#: The checks of this project's own, which commands make that open no page: those of pages need every page loaded.
INSTALLATION = "installation"


@register(INSTALLATION)
def data_folder_is_writable(**_: Any) -> list[Error]:
    """Everything kept lies under the data folder; without it nothing runs."""
    folder = env.DATA.root
    try:
        env.DATA.create()
        writable = os.access(folder, os.W_OK | os.X_OK)
        reason = "it is not writable"
    except OSError as error:
        writable, reason = False, error.strerror or str(error)
    if writable:
        return []
    return [
        Error(
            f"The data folder {folder} cannot be used: {reason}.",
            hint="Make it writable, or set MEDIAPROC_DATA to another folder.",
            id="mediaproc.E001",
        )
    ]
