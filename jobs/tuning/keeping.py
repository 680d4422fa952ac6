"""Using what a search has found: the commands that do, and a profile."""

from __future__ import annotations

import shlex

from detect.config import resolve
from detect.errors import ConflictError
from detect.option_choices import assignments
from detect.option_session import Session
from detect.options import Overrides, merge
from jobs.profiles import SavedProfiles, profile_name, profile_save_options

_LONGEST = 1000


def best_settings(session: Session) -> Overrides:
    """What the best trial was made with, over the profile."""
    return merge(session.overrides, session.changes(session.best))


def best_save(session: Session, label: str) -> str:
    """Save the best settings as a profile; its name. The same settings under the same label are saved once.

    Raises ``ConflictError`` where the name is that of other settings, and what ``profile_save`` raises.
    """
    pipeline, settings = session.bench.pipeline, best_settings(session)
    clips = ", ".join(case.name for case in session.cases)
    try:
        return profile_save_options(
            pipeline=pipeline,
            profile=session.profile,
            overrides=settings,
            label=label,
            description=f"Tuned on {clips}."[:_LONGEST],
            by="command",
        ).name
    except ConflictError:
        saved = SavedProfiles().find(profile_name(label))
        if saved is None or resolve(pipeline, saved).options != resolve(pipeline, session.profile, settings).options:
            raise
        return saved.name


def how_to_use(session: Session, profile: str = "") -> list[str]:
    """The commands that use the best settings, ``profile`` being the name they were saved under."""
    settings = best_settings(session)
    sets = " ".join(f"--set {shlex.quote(text)}" for text in assignments(settings))
    stage = min(settings, key=session.bench.pipeline.index)
    own = f"--profile {profile}" if profile else f"--profile {session.profile} {sets}"
    return [
        f"Analyse with it: manage.py analyze VIDEO {own}",
        f"Replay a job with it: manage.py replay JOB --from {stage} {sets}",
    ]
