"""Profiles that people saved: what a job was tried with, under a name, known wherever the built-in ones are.

Jobs are resumed and replayed by the name of their profile. So a saved profile never changes, a name that jobs go by is
not given to another one, and a profile that jobs use is not deleted.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

import msgspec
import yaml
from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet
from django.utils.text import slugify

from detect import models
from detect.config import Profile, builtin_profiles, resolve
from detect.errors import ConfigError, ConflictError, NotFoundError
from detect.options import Overrides, merge
from detect.registry import Pipeline, load_pipeline
from jobs.exports.words import plural
from jobs.models import DetectJob

_LONGEST, _LONGEST_DESCRIPTION = 100, 1000


class SavedProfiles:
    """:class:`~detect.config.ProfileSource` in Postgres. Asked anew each time: what one process saves all know."""

    def find(self, name: str) -> Profile | None:
        row = _rows(name).first()
        return None if row is None else _profile(row)

    def all(self) -> list[Profile]:
        return [_profile(row) for row in models.Profile.objects.all()]


def profile_save(
    *, job: DetectJob, overrides: Overrides, label: str, description: str = "", by: str = ""
) -> models.Profile:
    """Save a job's options, with ``overrides`` over them, as a profile of the job's pipeline.

    What is kept are the values that differ from the stages' defaults, so that it stands by itself. Raises
    ``ConfigError`` for a label that makes no name, for an unknown option or value, and where nothing differs from the
    job's profile; ``ConflictError``, which proposes a free label, where the name is taken.
    """
    return profile_save_options(
        pipeline=load_pipeline(job.pipeline),
        profile=job.profile_name,
        overrides=merge(job.config_overrides, overrides),
        label=label,
        description=description,
        by=by,
    )


def profile_save_options(
    *, pipeline: Pipeline, profile: str, overrides: Overrides, label: str, description: str = "", by: str = ""
) -> models.Profile:
    """Save a profile's options with ``overrides`` over them as another one. Raises as :func:`profile_save` does."""
    label, description = " ".join(label.split()), description.strip()
    name = profile_name(label)
    if len(description) > _LONGEST_DESCRIPTION:
        raise ConfigError(f"the description has {len(description)} letters: at most {_LONGEST_DESCRIPTION} are kept")
    options = changed_options(pipeline, profile, overrides)
    if options == changed_options(pipeline, profile, {}):
        raise ConfigError(f"nothing differs from the profile '{profile}': change an option first")
    if _is_taken(name):
        raise _taken(name, label)
    try:
        with transaction.atomic():
            return models.Profile.objects.create(
                name=name,
                label=label,
                description=description,
                pipeline=pipeline.key,
                options=options,
                created_by=by,
            )
    except IntegrityError as error:  # somebody else was faster
        raise _taken(name, label) from error


def profile_delete(*, name: str) -> None:
    """Raises ``NotFoundError`` for a profile that nobody saved, ``ConflictError`` for one that jobs use."""
    with transaction.atomic():
        row = _rows(name).select_for_update().first()
        if row is None:
            raise NotFoundError(f"There is no saved profile '{name}'.")
        uses = profile_uses().get(name, 0)
        if uses:
            raise ConflictError(
                f"{plural(uses, 'job uses', 'jobs use')} the profile '{name}': it is deleted once they are"
            )
        row.delete()


def profile_uses() -> dict[str, int]:
    """How many jobs go by each profile that any goes by."""
    rows = DetectJob.objects.order_by().values_list("profile_name").annotate(Count("id"))
    return dict(rows)


def profile_name(label: str) -> str:
    """The name under which a profile of that label is saved. Raises ``ConfigError`` where it makes none."""
    name = _name(label)
    if not name:
        raise ConfigError("a profile needs a name with letters or digits")
    if not _fits(label):
        raise ConfigError(f"the name of a profile has at most {_LONGEST} letters")
    return name


def free_label(label: str) -> str:
    """The first of ``label 2``, ``label 3``, … whose name is free, the label cut short where it would be too long."""
    numbered = (
        next(text for end in range(len(label), -1, -1) if _fits(text := f"{label[:end].rstrip()} {number}"))
        for number in count(2)
    )
    return next(text for text in numbered if not _is_taken(_name(text)))


def changed_options(pipeline: Pipeline, profile: str | Profile, overrides: Overrides) -> Overrides:
    """``{stage: {option: value}}`` that differ from the stages' defaults, in the order of the pipeline.

    Raises ``ConfigError`` for a profile, option or value that there is not.
    """
    snapshot = resolve(pipeline, profile, overrides).snapshot()
    differing: Overrides = {}
    for stage in pipeline.stages:
        standard: dict[str, Any] = msgspec.to_builtins(stage.Options())
        values = {name: value for name, value in snapshot[stage.name].items() if value != standard[name]}
        if values:
            differing[stage.name] = values
    return differing


def profile_yaml(profile: Profile) -> str:
    """A profile as a file of ``detect/profiles/``, to be kept in a repository."""
    body = {"label": profile.label, "description": profile.description, "options": profile.options}
    return yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=120)


def _rows(name: str) -> QuerySet[models.Profile]:
    """The one of that name; the database takes no text with whatever may stand in an address."""
    rows = models.Profile.objects.all()
    return rows.filter(name=name) if "\0" not in name else rows.none()


def _name(label: str) -> str:
    return slugify(label, allow_unicode=True).replace("-", "_")


def _fits(label: str) -> bool:
    """Some letters are spelled out in a name, and take more room there."""
    return max(len(label), len(_name(label))) <= _LONGEST


def _is_taken(name: str) -> bool:
    """Also by jobs whose profile is gone: they would become jobs of another one."""
    return (
        name in builtin_profiles()
        or models.Profile.objects.filter(name=name).exists()
        or DetectJob.objects.filter(profile_name=name).exists()
    )


def _taken(name: str, label: str) -> ConflictError:
    return ConflictError(
        f"there is a profile '{name}' already, and profiles do not change: save this one as '{free_label(label)}'"
    )


def _profile(row: models.Profile) -> Profile:
    return Profile(
        name=row.name,
        label=row.label,
        description=row.description,
        options=_in_order(row),
        pipeline=row.pipeline,
        saved=True,
    )


def _in_order(row: models.Profile) -> Overrides:
    """Stages and options as the pipeline has them, for the database keeps no order; what it has no more comes last."""
    try:
        stages = load_pipeline(row.pipeline).stages
    except ConfigError:  # resolving it tells
        stages = ()
    order = {stage.name: list(stage.Options.__struct_fields__) for stage in stages}
    return {
        stage: {option: row.options[stage][option] for option in _sorted(row.options[stage], order.get(stage, []))}
        for stage in _sorted(row.options, list(order))
    }


def _sorted(names: Iterable[str], order: list[str]) -> list[str]:
    return sorted(names, key=lambda name: order.index(name) if name in order else len(order))
