"""``manage.py`` with a journal of what is computed, and a place at which the process kills itself.

    FAULTS_JOURNAL=FILE   a line ``stage unit`` for each unit of work that is begun, ``logos sequence`` for each chunk
                          that logos are sought in
    FAULTS_KILL=STAGE:MOMENT
    FAULTS_INTERRUPT=prepare|report   it sends itself what Ctrl-C sends: before work begins, among the report's files

Moments: ``working`` in the middle of a unit, the second one where there are several; ``unsaved`` when that unit is
done and not stored; ``unmarked`` when the whole stage is stored and its checkpoint is not; ``answered`` after a model's
first answer; ``seeking`` when logos begin to be sought in the second chunk. ``report:writing`` is in the middle of the
report's files, ``report:written`` right after them.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import django

import manage
from detect.stages.base import StageContext


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
    django.setup()
    stage, _, moment = os.environ.get("FAULTS_KILL", "").partition(":")
    if stage == "report":
        _die_at_report(moment)
    elif stage:
        _die_in_stage(stage, moment)
    _interrupt(os.environ.get("FAULTS_INTERRUPT", ""))
    _keep_journal()  # last, and so outermost: what kills itself at once has been noted
    return manage.main()


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_if(here: bool) -> None:
    if here:
        _die()


def _keep_journal() -> None:
    import detect.logo_search

    journal = Path(os.environ["FAULTS_JOURNAL"])
    for kind in _stages().values():
        _before_run(kind, lambda kind, ctx: _note(journal, f"{kind.name} {_unit(ctx)}"))
    _call_before(detect.logo_search, "_sights", lambda _, __, ___, regions: _note(journal, f"logos {min(regions)}"))


def _stages() -> dict[str, Any]:
    """Classes of all pipelines' stages, by name."""
    from detect.registry import load_pipeline, pipeline_names

    return {stage.name: type(stage) for name in pipeline_names() for stage in load_pipeline(name).stages}


def _note(journal: Path, line: str) -> None:
    with journal.open("a") as file:
        file.write(line + "\n")


def _unit(ctx: StageContext) -> int:
    return 0 if ctx.chunk is None else ctx.chunk.index


def _before_run(kind: Any, act: Any) -> None:
    """Have ``act(kind, ctx)`` called before each unit; it may return another context for it."""
    run = kind.run

    @wraps(run)
    def wrapped(self: Any, ctx: StageContext, data: Any) -> Any:
        return run(self, act(kind, ctx) or ctx, data)

    kind.run = wrapped


def _die_in_stage(name: str, moment: str) -> None:
    import detect.logo_search
    from detect.persistence import DatabaseAnswerStore, DatabaseCheckpointStore

    kind = _stages()[name]
    last = 0 if kind.scope == "asset" else 1

    if moment == "working":

        def watch(_: Any, ctx: StageContext) -> StageContext:
            def progress(done: int, total: int) -> None:
                if _unit(ctx) == last and 2 * done >= total:
                    _die()

            return replace(ctx, progress=progress)

        _before_run(kind, watch)
    elif moment == "unsaved":
        _call_before(DatabaseCheckpointStore, "put_output", lambda _, ref, *__: _die_if(ref.stage == name))
    elif moment == "seeking":
        _call_before(detect.logo_search, "_sights", lambda _, __, ___, regions: _die_if(min(regions) > 0))
    elif moment == "unmarked":
        _call_before(DatabaseCheckpointStore, "add_checkpoint", lambda _, node: _die_if(node.stage == name))
    elif moment == "answered":
        put = DatabaseAnswerStore.put

        def put_and_die(*args: Any) -> None:
            put(*args)
            _die()

        _before_run(kind, lambda *_: setattr(DatabaseAnswerStore, "put", put_and_die))
    else:
        raise ValueError(moment)


def _die_at_report(moment: str) -> None:
    import jobs.exports.write
    import jobs.services

    if moment == "writing":
        _call_before(jobs.exports.write, "render_html", _die)
    elif moment == "written":
        _call_before(jobs.services, "job_complete", _die)
    else:
        raise ValueError(moment)


def _interrupt(moment: str) -> None:
    import jobs.exports.write
    import jobs.management.commands.analyze

    places = {"prepare": (jobs.management.commands.analyze, "prepare"), "report": (jobs.exports.write, "render_html")}
    if moment:
        _call_before(*places[moment], lambda *_: os.kill(os.getpid(), signal.SIGINT))


def _call_before(owner: Any, name: str, act: Any) -> None:
    original = getattr(owner, name)

    @wraps(original)
    def wrapped(*args: Any, **options: Any) -> Any:
        act(*args, **options)
        return original(*args, **options)

    setattr(owner, name, wrapped)


if __name__ == "__main__":
    sys.argv[0] = "manage.py"
    sys.exit(main())
