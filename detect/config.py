"""Profiles, and what a run is made with: every option of a pipeline's stages, checked before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import msgspec

from detect.checkpoints import serde
from detect.declarations import builtin_files, read_declaration
from detect.errors import ConfigError
from detect.options import Overrides, convert_options, merge
from detect.registry import Pipeline

DEFAULT_PROFILE = "soccer_broadcast"
_saved_profiles: ProfileSource | None = None


class _ProfileFile(msgspec.Struct, forbid_unknown_fields=True):
    label: str
    description: str
    pipeline: str = ""
    options: Overrides = msgspec.field(default_factory=dict)


@dataclass(frozen=True)
class ResolvedConfig:
    """Every option of every stage with its value: defaults, the pipeline's, the profile's, overrides; the last wins."""

    pipeline: str
    profile: str
    options: dict[str, Any]

    def snapshot(self) -> Overrides:
        """Plain values, for storing and showing."""
        return {stage: msgspec.to_builtins(options) for stage, options in self.options.items()}

    @property
    def digest(self) -> str:
        return serde.digest([self.pipeline, self.snapshot()])


@dataclass(frozen=True)
class Profile:
    """A kind of footage, as people choose it: values of options under a name.

    One that was ``saved`` is for the ``pipeline`` it was saved from; a built-in one that names none is for any that has
    its stages.
    """

    name: str
    label: str
    description: str
    options: Overrides = field(default_factory=dict)
    pipeline: str = ""
    saved: bool = False


#: Leaves every option as the pipeline has it; for pipelines that no profile of a kind of footage fits, so never listed.
PLAIN = Profile("defaults", "Defaults", "Every option as the pipeline has it.")


class ProfileSource(Protocol):
    """Profiles that are kept elsewhere than with the program. What a name stands for never changes."""

    def find(self, name: str) -> Profile | None: ...

    def all(self) -> Sequence[Profile]: ...


def use_profiles_of(source: ProfileSource | None) -> None:
    """Know the profiles of ``source`` too. A built-in one is taken without asking for it there."""
    global _saved_profiles  # noqa: PLW0603 - an installation has one such place, named when a process starts
    _saved_profiles = source


@cache
def builtin_profiles() -> dict[str, Profile]:
    """Profiles that come with the program (``detect/profiles/*.yaml``), by name."""
    files = {name: read_declaration(file, _ProfileFile) for name, file in sorted(builtin_files("profiles").items())}
    return {
        name: Profile(name, file.label, file.description, file.options, file.pipeline) for name, file in files.items()
    }


def profiles(pipeline: str = "") -> list[Profile]:
    """Profiles there are, by name, built-in and saved; with ``pipeline`` those that can be used with it."""
    saved = {} if _saved_profiles is None else {one.name: one for one in _saved_profiles.all()}
    found = sorted({**saved, **builtin_profiles()}.values(), key=lambda one: one.name)
    return [one for one in found if not pipeline or one.pipeline in ("", pipeline)]


def profile_names(pipeline: str = "") -> list[str]:
    """Names of :func:`profiles`, sorted."""
    return [one.name for one in profiles(pipeline)]


def find_profile(name: str) -> Profile:
    """Raises ``ConfigError`` naming the profiles there are."""
    if name == PLAIN.name:
        return PLAIN
    found = builtin_profiles().get(name) or (None if _saved_profiles is None else _saved_profiles.find(name))
    if found is None:
        raise ConfigError(f"unknown profile '{name}': there are {', '.join(profile_names())}")
    return found


def resolve(
    pipeline: Pipeline, profile: str | Profile = DEFAULT_PROFILE, overrides: Overrides | None = None
) -> ResolvedConfig:
    """Put the pipeline's values, profile and overrides together and check every value.

    Raises ``ConfigError`` naming the profile, stage, option or value that is wrong and what is allowed instead.
    """
    chosen = profile if isinstance(profile, Profile) else find_profile(profile)
    if chosen.pipeline not in ("", pipeline.key):
        raise ConfigError(f"the profile '{chosen.name}' is for the pipeline '{chosen.pipeline}', not '{pipeline.key}'")
    layers = [chosen.options, overrides or {}]
    for layer in layers:
        for stage in layer:
            pipeline.index(stage)
    merged = merge(pipeline.options, *layers)
    options = {stage.name: convert_options(stage, merged.get(stage.name, {})) for stage in pipeline.stages}
    return ResolvedConfig(pipeline=pipeline.key, profile=chosen.name, options=options)
