"""Files of the pit-stop pipeline besides the annotated video: the times, as JSON and as markers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import msgspec

from detect.artifacts.base import Artifact, FinishedRun
from detect.formats.otio import Mark, markers_otio
from detect.stages.time_zones import TimeZonesOutput
from detect.zone_timing import measures
from detect.zones import Stop, ZoneTime

SCHEMA = "mediaproc.timing/1"


def write(run: FinishedRun, folder: Path) -> list[Artifact]:
    """``timing.json`` and ``markers.otio``: stops of cars and visits to zones, seconds of the video."""
    times: TimeZonesOutput = run.output("time_zones")
    body = json.dumps(_timing(run, times), indent=2, sort_keys=True, ensure_ascii=False)
    (folder / "timing.json").write_text(f"{body}\n", encoding="utf-8")
    marks, source = _marks(times), run.source
    text = markers_otio(
        marks,
        video=run.name,
        duration=source.duration,
        frame_rate=source.frame_rate,
        steady=not source.variable_frame_rate,
    )
    (folder / "markers.otio").write_text(text, encoding="utf-8")
    return [
        Artifact("json", "timing", "timing.json", {"stops": len(times.stops), "zones": len(times.zones)}),
        Artifact("json", "markers", "markers.otio", {"format": "OpenTimelineIO", "markers": len(marks)}),
    ]


def _timing(run: FinishedRun, times: TimeZonesOutput) -> dict[str, Any]:
    """What was measured, as in the metrics of a pit-stop job, without what people set by hand there."""
    stop = None if times.stop is None else times.stops[times.stop]
    return {
        "schema": SCHEMA,
        "video": run.name,
        "duration": run.source.duration,
        "stop_time_s": None if stop is None else round(stop.seconds, 6),
        "uncertainty_s": None if stop is None else round(_uncertainty(stop), 6),
        "stop": times.stop,
        "stops": msgspec.to_builtins(times.stops),
        "zones": [_zone(zone) for zone in times.zones],
        "measures": {
            f"{measure}_time_s": {"seconds": round(timed.seconds, 6), "uncertainty_s": round(timed.uncertainty, 6)}
            for measure, timed in measures(times).items()
        },
        "problems": times.problems,
    }


def _uncertainty(stop: Stop) -> float:
    return math.hypot(stop.start_uncertainty, stop.end_uncertainty)


def _zone(zone: ZoneTime) -> dict[str, Any]:
    plain = msgspec.to_builtins(zone)
    return {**plain, "uncertainty_s": plain.pop("uncertainty")}


def _marks(times: TimeZonesOutput) -> list[Mark]:
    """Stops have the first colour, each zone the next, in the order of time."""
    marks = [
        Mark(f"Stop: {stop.label} {stop.track_id}", stop.start, stop.end, 0, {"kind": "stop", **_told(stop)})
        for stop in times.stops
    ]
    marks += [
        Mark(
            f"{zone.name}: {visit.label} {visit.track_id}",
            visit.start,
            visit.end,
            number,
            {"kind": "visit", "zone": zone.name, "measure": zone.measure, **_told(visit)},
        )
        for number, zone in enumerate(times.zones, 1)
        for visit in zone.visits
    ]
    return sorted(marks, key=lambda mark: (mark.start, mark.end, mark.name))


def _told(stretch: msgspec.Struct) -> dict[str, Any]:
    names = ("label", "track_id", "cut", "start_uncertainty", "end_uncertainty")
    return {name: getattr(stretch, name) for name in names}
