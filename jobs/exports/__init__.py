"""A report as files and as a page: the parts that need templates."""

from __future__ import annotations

from jobs.exports.write import write_report

__all__ = ["write_report"]
