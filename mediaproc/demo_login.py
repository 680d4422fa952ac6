"""The demo's user and key: random, kept in the data folder for its owner alone, the same at every run."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from jobs.api_keys import ApiKey
from mediaproc.datafolder import DataFolder
from mediaproc.roles import Role

NAME = "demo"


@dataclass(frozen=True)
class Login:
    user: str
    password: str
    api_key: str


@transaction.atomic
def demo_login(data: DataFolder) -> Login:
    """Make the user and a key that works, or find them. The user may do everything: it is this machine's owner."""
    password = data.secret("demo_password", length=12)
    user, made = User.objects.get_or_create(username=NAME, defaults={"is_staff": True, "is_superuser": True})
    if made or not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return Login(NAME, password, _key(data, user))


def _key(data: DataFolder, user: User) -> str:
    path = data.root / "demo_api_key"
    kept = path.read_text(encoding="utf-8").strip() if path.exists() else ""
    found = ApiKey.objects.find_usable(kept) if kept else None
    if found is not None and found.user == user:
        return kept
    _, key = ApiKey.objects.create_key(name=NAME, user=user, role=Role.ADMINISTRATOR)
    path.touch(mode=0o600)
    path.write_text(f"{key}\n", encoding="utf-8")
    return key
