"""Files in YAML that people write: one top-level entry, under which names stand for settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from detect.errors import ConfigError


def read_named_entries(path: Path, top: str, *, kind: str, settings: str) -> dict[str, Any]:
    """What stands under the entry ``top``, by name; nothing for a file that does not exist.

    Raises ``ConfigError`` in terms of ``kind`` ("providers file") and of what names map to ("settings"); it never
    quotes a line, which may hold a secret.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"{kind} {path} cannot be read: {reason}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        # `from None`: the parser's own error quotes the line.
        raise ConfigError(f"{kind} {path}{where}: not valid YAML") from None
    if content is None:
        return {}
    if not isinstance(content, dict) or set(content) - {top}:
        raise ConfigError(f"{kind} {path}: expected one top-level entry '{top}'")
    entries = content.get(top) or {}
    if not isinstance(entries, dict) or not all(isinstance(name, str) for name in entries):
        raise ConfigError(f"{kind} {path}: '{top}' must map names to {settings}")
    return entries
