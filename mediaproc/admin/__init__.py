"""The admin's own: people and keys, what its menu leads to, and its first page."""

from mediaproc.admin import keys, people

__all__ = ["keys", "people"]
