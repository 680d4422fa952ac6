"""Links from the admin to the site and within it."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString


def link(address: str, text: object) -> SafeString:
    return format_html('<a class="cell-link" href="{}">{}</a>', address, text)


def job_link(job_id: UUID | None, text: str = "") -> str:
    """To a job in the admin, by its id's beginning where it has no better name; empty for none."""
    return "" if job_id is None else link(reverse("admin:jobs_detectjob_change", args=[job_id]), text or _short(job_id))


def checkpoint_link(checkpoint_id: UUID | None, text: str) -> str:
    if checkpoint_id is None:
        return ""
    return link(reverse("admin:detect_checkpoint_change", args=[checkpoint_id]), text)


def tree_address(job_id: UUID, checkpoint_id: UUID) -> str:
    """The tree on the site, with one checkpoint chosen."""
    return f"{reverse('page-tree', args=[job_id])}?node={checkpoint_id}#node"


def _short(row_id: UUID) -> str:
    return str(row_id)[:8]
