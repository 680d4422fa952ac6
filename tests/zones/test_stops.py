"""When cars stand: begins and ends found against those of ways that are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import msgspec
import numpy as np
import pytest

from detect.stages.track_objects import TrackObjectsOutput
from detect.stops import smoothed
from detect.zones import Stop
from tests.zones.tracks import Seen, ticks, timed, tracked, uneven_ticks

LENGTH = 300
SLOW = 0.1
RATES = {"25": Fraction(25), "29.97": Fraction(30000, 1001), "50": Fraction(50), "variable": None}


@dataclass(frozen=True)
class PitStop:
    """Comes at a speed, brakes evenly, stands, and pulls away evenly; lengths and seconds."""

    speed: float
    braking: float
    standing: float
    pulling: float
    brakes_at: float = 0.7
    left: float = 640

    @property
    def stands_from(self) -> float:
        return self.brakes_at + self.speed / self.braking

    @property
    def stands_to(self) -> float:
        return self.stands_from + self.standing

    @property
    def slow(self) -> tuple[float, float]:
        """From when to when it was slower than what counts as standing."""
        return self.stands_from - SLOW / self.braking, self.stands_to + SLOW / self.pulling

    def way(self, at: float) -> tuple[float, float]:
        braked = self.speed / self.braking
        left = max(self.stands_from - at, 0)
        before = self.braking * left**2 / 2 if left <= braked else self.speed * (left - braked / 2)
        after = self.pulling * max(at - self.stands_to, 0) ** 2 / 2
        return self.left + LENGTH * (after - before), 600


def some(rng: np.random.Generator) -> PitStop:
    return PitStop(
        rng.uniform(0.5, 4), rng.uniform(0.8, 8), rng.uniform(1.2, 4), rng.uniform(0.8, 8), rng.uniform(0.5, 1)
    )


def stops(way: Callable, seconds: float, *, rate: float = 25, **options) -> list[Stop]:
    return timed(tracked(ticks(rate, seconds), Seen(way)), **options).stops


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
@pytest.mark.parametrize("jitter", [0, 1.5, 5])
def test_stops_lie_within_their_uncertainty(rate, jitter):
    rng = np.random.default_rng(21)
    held, lengths, errors = [], [], []
    for _ in range(40):
        one = some(rng)
        seconds = one.stands_to + 1
        times = ticks(rate, seconds) if rate else uneven_ticks(rng, seconds)
        output = timed(tracked(times, Seen(one.way, jitter=jitter), rng=rng))
        assert len(output.stops) == 1
        assert output.stop == 0
        found, (start, end) = output.stops[0], one.slow
        assert found.cut == ""
        held += [abs(found.start - start) <= found.start_uncertainty, abs(found.end - end) <= found.end_uncertainty]
        errors += [abs(found.start - start), abs(found.end - end)]
        lengths.append(abs(found.seconds - (end - start)) <= np.hypot(found.start_uncertainty, found.end_uncertainty))
    assert np.mean(held) >= 0.95
    assert np.mean(lengths) >= 0.95
    assert np.median(errors) < 0.004 + 0.003 * jitter


def test_a_car_that_hits_its_mark_at_once():
    one = PitStop(speed=2, braking=200, standing=2, pulling=200)
    found = stops(one.way, 5, rate=50)
    assert [(stop.start, stop.end) for stop in found] == [pytest.approx(one.slow, abs=0.02)]


def test_one_that_keeps_moving_does_not_stand():
    assert not stops(lambda at: (100 + LENGTH * 0.3 * at, 600), 8)
    assert len(stops(lambda at: (100 + LENGTH * 0.3 * at, 600), 8, stopped_speed=0.5)) == 1


def test_one_that_comes_straight_at_the_camera_does_not_stand():
    """Its middle stays where it is; its edges do not."""
    times = ticks(25, 4)
    seen = tracked(times, Seen(lambda at: (640, 500)))
    boxes = np.frombuffer(seen.objects.boxes, "<f4").reshape(-1, 4).copy()
    growth = np.exp(0.3 * np.arange(len(boxes)) / 25)[:, None]
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    boxes[:, :2], boxes[:, 2:] = middle + (boxes[:, :2] - middle) * growth, middle + (boxes[:, 2:] - middle) * growth
    assert not timed(_with_boxes(seen, boxes)).stops


def test_somebody_who_steps_before_a_standing_car_does_not_move_it():
    one = PitStop(speed=2, braking=3, standing=4, pulling=3)
    seen = tracked(ticks(25, 7), Seen(one.way))
    boxes = np.frombuffer(seen.objects.boxes, "<f4").reshape(-1, 4).copy()
    boxes[60:75, 2] -= 80
    boxes[66:80, 3] -= 30
    found = timed(_with_boxes(seen, boxes)).stops
    assert [(stop.start, stop.end) for stop in found] == [pytest.approx(one.slow, abs=0.03)]


def test_shorter_than_the_limit_is_none():
    one = PitStop(speed=2, braking=4, standing=0.8, pulling=4)
    assert len(stops(one.way, 4)) == 1
    assert not stops(one.way, 4, min_stop_seconds=1.0)


def test_two_cars_are_two_stops_and_the_longest_counts():
    short, long = (PitStop(1, 2, standing, 2, left=left) for standing, left in ((2, 300), (3, 900)))
    output = timed(tracked(ticks(25, 7), Seen(short.way), Seen(long.way), Seen(long.way, label="person")))
    assert [stop.track_id for stop in output.stops] == [1, 2]
    assert output.stop == 1


def test_one_car_that_stops_twice():
    first = PitStop(1, 2, 2, 2, left=300)
    away = first.stands_to + 0.8
    second = PitStop(1, 2, 1.5, 2, brakes_at=away + 0.3, left=0)
    shift = first.way(away)[0] - second.way(away)[0]

    def way(at: float) -> tuple[float, float]:
        x, y = first.way(at) if at < away else second.way(at)
        return (x if at < away else x + shift), y

    found = stops(way, second.stands_to + 1)
    assert [(stop.start, stop.end) for stop in found] == [
        pytest.approx(first.slow, abs=0.03),
        pytest.approx(second.slow, abs=0.03),
    ]


def test_a_car_that_stands_when_the_video_begins_or_ends_is_said_to_be_cut():
    leaves = PitStop(1, 2, 3, 2, brakes_at=-2)
    (found,) = stops(leaves.way, leaves.stands_to + 1)
    assert (found.start, found.start_uncertainty, found.cut) == (0, 0, "start")
    assert found.end == pytest.approx(leaves.slow[1], abs=0.03)
    comes = PitStop(1, 2, 30, 2)
    (found,) = stops(comes.way, 5)
    assert (found.end, found.cut) == (5, "end")
    (found,) = stops(lambda at: (640, 600), 5)
    assert (found.start, found.end, found.cut) == (0, 5, "both")


def test_a_car_lost_for_a_moment_while_it_stands_makes_one_stop():
    one = PitStop(1, 2, 4, 2)
    found = stops(lambda at: None if 2 <= at < 2.9 else one.way(at), 7)
    assert [(stop.start, stop.end) for stop in found] == [pytest.approx(one.slow, abs=0.03)]


def test_a_car_found_again_by_another_number_makes_one_stop():
    one = PitStop(1, 2, 4, 2)
    before = Seen(lambda at: one.way(at) if at < 2 else None)
    after = Seen(lambda at: one.way(at) if at >= 3 else None)
    (found,) = timed(tracked(ticks(25, 7), before, after)).stops
    assert (found.start, found.end) == pytest.approx(one.slow, abs=0.03)
    assert (found.track_id, found.cut) == (1, "")


def test_a_car_gone_from_its_place_while_out_of_sight_has_stopped_twice():
    def way(at: float) -> tuple[float, float] | None:
        return None if 2 <= at < 3 else (300 if at < 2 else 900, 600)

    assert len(stops(way, 5)) == 2


def test_a_car_that_leaves_the_picture_is_not_standing_at_its_border():
    one = PitStop(1, 2, 1.5, 0.6)
    times = ticks(25, one.stands_to + 2)
    seen = tracked(times, Seen(one.way))
    boxes = np.frombuffer(seen.objects.boxes, "<f4").reshape(-1, 4).copy()
    boxes[:, ::2] = np.clip(boxes[:, ::2] + 480, 0, 1280)
    (found,) = timed(_with_boxes(seen, boxes)).stops
    assert (found.start, found.end) == pytest.approx(one.slow, abs=0.05)


def test_the_origin_of_time_changes_nothing():
    one = PitStop(2, 3, 2, 3)
    found = [timed(tracked(ticks(25, 5), Seen(one.way), origin=origin)).stops for origin in (0, 7_777_777, -5)]
    assert found[0] == found[1] == found[2]


def test_slopes_late_in_a_long_track_are_those_of_lines():
    rng = np.random.default_rng(1)
    at = np.cumsum(rng.uniform(0.01, 0.06, 20_000)) + 7200
    values = np.stack([3 * at + 100, -0.01 * at, np.sin(at)], axis=1)
    slopes, means = smoothed(at, values, 0.15)
    assert slopes[:, 0] == pytest.approx(3, abs=1e-5)
    assert slopes[:, 1] == pytest.approx(-0.01, abs=1e-5)
    assert means[500, 2] == pytest.approx(np.sin(at)[np.abs(at - at[500]) <= 0.15].mean())


def _with_boxes(seen: TrackObjectsOutput, boxes: np.ndarray) -> TrackObjectsOutput:
    objects = msgspec.structs.replace(seen.objects, boxes=boxes.astype("<f4").tobytes())
    return msgspec.structs.replace(seen, objects=objects)
