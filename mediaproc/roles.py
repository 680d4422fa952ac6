"""What people and programs are here for. Each role may do what those before it may.

A person's role is a Django group of that name, so that it can be given in the admin and by any tool that knows groups;
the groups carry no rights of their own: what a role may do is decided in ``mediaproc/access.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import models
from django.db.models.aggregates import Aggregate

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class Role(models.TextChoices):
    VIEWER = "viewer", "viewer: looks at everything, changes nothing"
    REVIEWER = "reviewer", "reviewer: confirms and corrects what was found"
    CURATOR = "curator", "curator: decides about known brands, aliases and scenarios"
    OPERATOR = "operator", "operator: submits, replays, pauses and deletes jobs"
    ADMINISTRATOR = "administrator", "administrator: users, keys and settings too"

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    def includes(self, other: Role) -> bool:
        """Whether this role may do all that ``other`` may."""
        return self.rank >= other.rank


def lesser(one: Role, other: Role) -> Role:
    return other if one.includes(other) else one


def role_names(path: str = "groups") -> Aggregate:
    """For ``annotate(role_names=role_names())``: a person's roles in the query that fetches them anyway."""
    return ArrayAgg(f"{path}__name", filter=models.Q(**{f"{path}__name__in": Role.values}), default=models.Value([]))


def role_of(user: User) -> Role:
    """The highest role among the user's groups, a viewer's without any; superusers are administrators.

    It is looked up once for each object: a change is seen by the next request.
    """
    if user.is_superuser:
        return Role.ADMINISTRATOR
    names: list[str] | None = user.__dict__.get("role_names")
    if names is None:
        names = list(user.groups.filter(name__in=Role.values).values_list("name", flat=True))
        user.__dict__["role_names"] = names
    return max((Role(name) for name in names), key=lambda role: role.rank, default=Role.VIEWER)


def give_role(user: User, role: Role) -> None:
    """Make ``role`` the one role of ``user``. Curators and up are staff: they have work in the admin."""
    from django.contrib.auth.models import Group

    group, _ = Group.objects.get_or_create(name=role.value)
    user.groups.remove(*user.groups.filter(name__in=Role.values).exclude(pk=group.pk))
    user.groups.add(group)
    user.is_staff = user.is_superuser or role.includes(Role.CURATOR)
    user.save(update_fields=["is_staff"])
    user.__dict__["role_names"] = [role.value]
