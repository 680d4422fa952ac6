"""The times of a pit stop: as they were measured, with those that people set over them, and who was seen meanwhile."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args

import msgspec
from django.db import transaction

from detect.errors import ConfigError, ConflictError
from detect.models import SourceAsset
from detect.stages.time_zones import TimeZonesOutput
from detect.zone_timing import Timed, measures
from detect.zones import Measure, Stop
from jobs.models import AcceptedResult, DetectJob, MetricByHand
from jobs.pitstop.selectors import pitstop_state, times_of
from jobs.selectors import job_report, problems_of

STOP: Final = "stop_time_s"
#: Names of the metrics by the measure of the zones that they are taken in.
OF_MEASURES: Final[Mapping[str, str]] = {measure: f"{measure}_time_s" for measure in get_args(Measure) if measure}
#: Every metric that has a value of its own, and so can be set by hand.
NAMES: Final = (STOP, *OF_MEASURES.values())
#: What people call them.
WORDS: Final[Mapping[str, str]] = {name: name.removesuffix("_time_s").replace("_", " ").capitalize() for name in NAMES}


def metrics_of(job: DetectJob) -> dict[str, Any]:
    """The metrics as the interface gives them, seconds of the video throughout (``docs/pitstop-api.md``).

    What nobody measured or set is left out, ``stop_time_s`` and ``uncertainty_s`` excepted: they are None then. Raises
    ``ConflictError`` while no times have been taken.
    """
    times = _times(job)
    measured = _measured(times)
    by_hand = {row.name: row for row in job.metrics_by_hand.all()}
    values = {name: timed.seconds for name, timed in measured.items()} | {
        name: row.value for name, row in by_hand.items()
    }
    stop = None if times.stop is None else times.stops[times.stop]
    is_measured = STOP in measured and STOP not in by_hand
    return {
        "job_id": str(job.id),
        STOP: None,
        **{name: _shown(values[name]) for name in NAMES if name in values},
        "uncertainty_s": _shown(measured[STOP].uncertainty) if is_measured else None,
        "zones": [_zone(zone) for zone in msgspec.to_builtins(times.zones)],
        "stop": None if stop is None else msgspec.to_builtins(stop),
        "sources": {name: "manual" if name in by_hand else "measured" for name in NAMES if name in values},
        "measured": {
            name: {"seconds": _shown(timed.seconds), "uncertainty_s": _shown(timed.uncertainty)}
            for name, timed in measured.items()
        },
        "by_hand": {
            name: {"seconds": row.value, "set_by": row.set_by, "set_at": row.set_at} for name, row in by_hand.items()
        },
        "brands": [] if stop is None else _brands_during(job.source_asset, stop),
        "problems": problems_of(job),
    }


@transaction.atomic
def metrics_set(*, job: DetectJob, values: Mapping[str, float | None], by: str) -> None:
    """Set metrics by hand, seconds; None takes one back, and what was measured counts again.

    Raises ``ConfigError`` for a name or a value that is none, ``ConflictError`` while no times have been taken.
    """
    for name, value in values.items():
        if name not in NAMES:
            raise ConfigError(f"There is no metric '{name}': those that can be set are {', '.join(NAMES)}.")
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise ConfigError(f"{name}: {value} is no length of time: give seconds, 0 or more, or null.")
    _times(job)
    for name, value in values.items():
        if value is None:
            MetricByHand.objects.filter(job=job, name=name).delete()
        else:
            MetricByHand.objects.update_or_create(job=job, name=name, defaults={"value": value, "set_by": by})


def _times(job: DetectJob) -> TimeZonesOutput:
    times = times_of(job)
    if times is None:
        state = pitstop_state(job)
        raise ConflictError(f"There are no metrics yet. Current status: {state.status}, stage: {state.stage}")
    return times


def _measured(times: TimeZonesOutput) -> dict[str, Timed]:
    """Metrics by name."""
    found = {OF_MEASURES[measure]: timed for measure, timed in measures(times).items()}
    if times.stop is None:
        return found
    stop = times.stops[times.stop]
    return {STOP: Timed(stop.seconds, math.hypot(stop.start_uncertainty, stop.end_uncertainty)), **found}


def _zone(zone: dict[str, Any]) -> dict[str, Any]:
    uncertainty = zone.pop("uncertainty")
    return {**zone, "uncertainty_s": uncertainty}


def _shown(seconds: float) -> float:
    return round(seconds, 6)


def _brands_during(asset: SourceAsset, stop: Stop) -> list[dict[str, Any]]:
    """Brands of the video's accepted result that were on screen while the car stood, the longest first.

    ``seconds`` counts an instant once, ``start`` and ``end`` are its first and last.
    """
    accepted = AcceptedResult.objects.filter(source_asset=asset).select_related("job__source_asset", "job__timeline")
    result = accepted.first()
    if result is None:
        return []
    found = []
    for brand in job_report(result.job).brands:
        seen = _within(((one.start, one.end) for one in brand.exposures), stop.start, stop.end)
        if seen:
            found.append(
                {
                    "name": brand.name,
                    "seconds": _shown(sum(end - start for start, end in seen)),
                    "start": _shown(seen[0][0]),
                    "end": _shown(seen[-1][1]),
                }
            )
    return sorted(found, key=lambda brand: (-brand["seconds"], brand["name"]))


def _within(spans: Iterable[tuple[float, float]], start: float, end: float) -> list[tuple[float, float]]:
    """What of ``spans`` lies between ``start`` and ``end``, in order, overlaps joined."""
    joined: list[tuple[float, float]] = []
    for first, last in sorted((max(start, first), min(end, last)) for first, last in spans):
        if last <= first:
            continue
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined
