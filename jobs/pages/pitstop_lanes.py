"""The small timeline of a pit stop: lanes for the stops, the zones and what was followed longest."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from detect.stages.time_zones import TimeZonesOutput
from detect.stages.track_objects import Track, TrackObjectsOutput
from jobs.exports.words import percentage, plural
from jobs.pages.pitstop_shown import ZONE_COLOURS, at, cut_words, seconds

_MOST_TRACKS = 12
_LEAST_SHARE = 0.004


def lanes_of(times: TimeZonesOutput, tracks: TrackObjectsOutput, duration: float) -> dict[str, Any]:
    """What ``templates/pitstop/_lanes.html`` draws; bars are shares of the ``duration``, seconds."""
    tick = Fraction(tracks.time_base)
    whole = max(duration, float((tracks.ended - tracks.origin) * tick), 0.04)
    longest = sorted(tracks.tracks, key=lambda track: (track.start - track.end, track.id))[:_MOST_TRACKS]
    lanes = [
        _lane("Car stands", "is-stop", times.stops, whole),
        *(
            _lane(zone.name, f"zone-colour-{place % ZONE_COLOURS}", zone.visits, whole)
            for place, zone in enumerate(times.zones)
        ),
        *(_track_lane(track, tracks.origin, tick, whole) for track in sorted(longest, key=lambda track: track.id)),
    ]
    return {
        "lanes": lanes,
        "left_out": len(tracks.tracks) - len(longest),
        "duration": f"{whole:.3f}",
        "start": at(0),
        "middle": at(whole / 2),
        "end": at(whole),
    }


def _lane(name: str, kind: str, spans: Sequence[Any], whole: float) -> dict[str, Any]:
    """A lane of stops or visits."""
    bars = [_bar(span.start, span.end, whole, f"{span.label} {span.track_id}", span.cut) for span in spans]
    told = ", ".join(f"{at(span.start)} to {at(span.end)}" for span in spans[:5])
    words = f"{name}: {told}" if spans else f"{name}: never"
    return {"name": name, "kind": kind, "bars": bars, "words": words if len(spans) <= 5 else f"{words}, and more"}


def _track_lane(track: Track, origin: int, tick: Fraction, whole: float) -> dict[str, Any]:
    name = f"{track.label} {track.id}"
    start, end = (float((moment - origin) * tick) for moment in (track.start, track.end))
    bar = _bar(start, end, whole, f"seen in {plural(track.sightings, 'frame')}", "")
    return {"name": name, "kind": "is-track", "bars": [bar], "words": f"{name}: {at(start)} to {at(end)}"}


def _bar(start: float, end: float, whole: float, who: str, cut: str) -> dict[str, str]:
    told = ", ".join(text for text in (f"{at(start)} – {at(end)}", seconds(end - start), who, cut_words(cut)) if text)
    return {
        "x": percentage(start, whole),
        "width": percentage(max(end - start, _LEAST_SHARE * whole), whole),
        "title": told,
        "cut": cut,
    }
