"""What is drawn over a video: tracked objects, zones with their times, the stopwatch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from detect.drawing.canvas import Area, Ink, Inks, Rgb, Stamp, fill, put
from detect.drawing.clocks import format_seconds
from detect.drawing.colours import STOPWATCH, track_colour, zone_colour
from detect.drawing.labels import Labels
from detect.media.picture_format import PictureFormat
from detect.media.planes import Planes
from detect.object_columns import FrameObjects
from detect.zone_timing import stop_clock, zone_clock
from detect.zones import Stop, Zone, ZoneTime

# Sizes as parts of the picture's shorter side: legible at 360 lines, no larger than need be at 2160.
_CAP, _LEAST_CAP = 0.02, 10
_LINE = 1 / 400
_FREE, _OCCUPIED = 0.14, 0.34
_STOPWATCH_SCALE = 1.6

Box = tuple[int, int, int, int]


@dataclass
class _Places:
    """Where labels are already, so that others keep off; all stay inside the picture."""

    width: int
    height: int
    taken: list[Box] = field(default_factory=list)

    def find(self, stamp: Stamp, wanted: Sequence[tuple[int, int]]) -> tuple[int, int]:
        """The first wanted place that is free; the first of all where none is."""
        width, height = stamp.size
        inside = [self._inside(x, y, width, height) for x, y in wanted]
        place = next((place for place in inside if self._is_free(*place, width, height)), inside[0])
        self.taken.append((*place, place[0] + width, place[1] + height))
        return place

    def _inside(self, x: int, y: int, width: int, height: int) -> tuple[int, int]:
        return max(0, min(x, self.width - width)) // 2 * 2, max(0, min(y, self.height - height)) // 2 * 2

    def _is_free(self, x: int, y: int, width: int, height: int) -> bool:
        return not any(x < x2 and x1 < x + width and y < y2 and y1 < y + height for x1, y1, x2, y2 in self.taken)


@dataclass(frozen=True)
class _DrawnZone:
    name: str
    area: Area
    corner: tuple[int, int]
    foot: int
    times: ZoneTime
    colour: Rgb
    ink: Ink


class Overlay:
    """Draws over frames of one video.

    ``class_names`` are what objects' ``kinds`` point into; ``zones`` come with their times; ``stop`` is the one that
    the stopwatch takes.
    """

    def __init__(
        self,
        picture: PictureFormat,
        class_names: Sequence[str],
        *,
        zones: Sequence[tuple[Zone, ZoneTime]] = (),
        stop: Stop | None = None,
    ) -> None:
        self._width, self._height = picture.coded
        self._names, self._stop = class_names, stop
        shorter = min(picture.width, picture.height)
        self._line = 2 * max(1, round(shorter * _LINE))
        self._inks = Inks(picture.drawn_matrix, picture.full)
        cap = max(_LEAST_CAP, round(shorter * _CAP))
        self._labels = Labels(self._inks, cap=cap, widest=self._width)
        self._stopwatch = Labels(self._inks, cap=round(cap * _STOPWATCH_SCALE), widest=self._width)
        self._zones = [self._prepare(number, picture, *zone) for number, zone in enumerate(zones)]

    def _prepare(self, number: int, picture: PictureFormat, zone: Zone, times: ZoneTime) -> _DrawnZone:
        points = [(x * picture.width, y * picture.height) for x, y in zone.points]
        left, top = min(x for x, _ in points), min(y for _, y in points)
        colour = zone_colour(number)
        return _DrawnZone(
            name=zone.name,
            area=Area(points, self._width, self._height, line=self._line),
            corner=(int(left) + self._line, int(top) + self._line),
            foot=int(max(y for _, y in points)),
            times=times,
            colour=colour,
            ink=self._inks.ink(colour),
        )

    def draw(self, planes: Planes, objects: FrameObjects | None, at: float) -> None:
        """Draw into a frame shown ``at`` seconds after the first one."""
        places = _Places(self._width, self._height)
        stamps = [*self._draw_stopwatch(places, at), *self._draw_zones(planes, places, at)]
        if objects is not None:
            stamps += self._draw_objects(planes, places, objects)
        for stamp, (x, y) in stamps:
            put(planes, stamp, x, y)

    def _draw_stopwatch(self, places: _Places, at: float) -> Iterator[tuple[Stamp, tuple[int, int]]]:
        if self._stop is not None and at >= self._stop.start:
            seconds, _ = stop_clock(self._stop, at)
            stamp = self._stopwatch.stamp("STOP", format_seconds(seconds), STOPWATCH)
            margin = 4 * self._line
            yield stamp, places.find(stamp, [((self._width - stamp.size[0]) // 2, margin)])

    def _draw_zones(self, planes: Planes, places: _Places, at: float) -> Iterator[tuple[Stamp, tuple[int, int]]]:
        for zone in self._zones:
            seconds, occupied = zone_clock(zone.times, at)
            zone.area.tint(planes, zone.ink, _OCCUPIED if occupied else _FREE)
            zone.area.outline(planes, zone.ink)
            stamp = self._labels.stamp(zone.name, format_seconds(seconds), zone.colour)
            height = stamp.size[1]
            x, y = zone.corner
            yield stamp, places.find(stamp, [(x, y), (x, zone.foot - height), (x, y - height), (x, zone.foot)])

    def _draw_objects(
        self, planes: Planes, places: _Places, objects: FrameObjects
    ) -> Iterator[tuple[Stamp, tuple[int, int]]]:
        """Boxes at once, their labels later: no box lies over a label."""
        ids = objects.ids if len(objects.ids) else [0] * len(objects)
        for index in sorted(range(len(objects)), key=lambda index: int(ids[index])):
            box = self._visible(objects, index)
            if box is None:
                continue
            kind, track, score = int(objects.kinds[index]), int(ids[index]), float(objects.scores[index])
            colour = track_colour(kind, track)
            self._draw_box(planes, box, self._inks.ink(colour), dashed=score <= 0)
            name = f"{self._names[kind]} {track}" if track else self._names[kind]
            stamp = self._labels.stamp(name, f"{score:.2f}" if score > 0 else "", colour)
            x1, y1, x2, y2 = box
            width, height = stamp.size
            wanted = [(x1, y1 - height), (x1, y2), (x1, y1), (x2 - width, y1 - height), (x2 - width, y2), (x2, y1)]
            yield stamp, places.find(stamp, wanted[0 if y1 >= height else 1 :])

    def _visible(self, objects: FrameObjects, index: int) -> Box | None:
        """The part of a box inside the picture, in even pixels; None where there is none."""
        x1, y1, x2, y2 = (float(value) for value in objects.boxes[index])
        left, top = max(0, int(x1) // 2 * 2), max(0, int(y1) // 2 * 2)
        right, bottom = min(self._width, -int(-x2 // 2) * 2), min(self._height, -int(-y2 // 2) * 2)
        return (left, top, right, bottom) if left < right and top < bottom else None

    def _draw_box(self, planes: Planes, box: Box, ink: Ink, *, dashed: bool) -> None:
        x1, y1, x2, y2 = box
        line = self._line
        dash = 4 * line if dashed else max(x2 - x1, y2 - y1)
        for start in range(x1, x2, 2 * dash):
            end = min(start + dash, x2)
            fill(planes, start, y1, end, min(y1 + line, y2), ink)
            fill(planes, start, max(y2 - line, y1), end, y2, ink)
        for start in range(y1, y2, 2 * dash):
            end = min(start + dash, y2)
            fill(planes, x1, start, min(x1 + line, x2), end, ink)
            fill(planes, max(x2 - line, x1), start, x2, end, ink)
