"""Times in zones on exact ways: what was found against what is so."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.checkpoints import serde
from detect.errors import ConfigError
from detect.stages.time_zones import TimeZones
from tests.zones.tracks import Seen, Way, square, ticks, timed, tracked, uneven_ticks, zone

BOX = square(400, 200, 900, 600)
RATES = {"25": Fraction(25), "29.97": Fraction(30000, 1001), "50": Fraction(50), "variable": None}


def through(speed: float, at: float = 0.5, **fields) -> Seen:
    """Goes through BOX from left to right, in at ``at`` and out 500 pixels later."""
    return Seen(lambda now: (400 + speed * (now - at), 400), **fields)


def straight(at: float, across: float, along: float) -> Way:
    """On BOX's left border at ``at``; pixels/s to the right and downwards."""
    return lambda now: (400 + across * (now - at), 400 + along * (now - at))


def unseen(way: Way, start: float, end: float) -> Way:
    """The same way, not seen from ``start`` until ``end``."""
    return lambda now: None if start <= now < end else way(now)


def inside(*spans: tuple[float, float], **fields) -> Seen:
    """In the middle of BOX during ``spans``, and beyond its upper border otherwise; goes over at 20,000 pixels/s."""

    def way(now: float) -> tuple[float, float]:
        depth = max(min(now - start, end - now) for start, end in spans)
        return 650, 200 + min(max(depth * 20_000, -100), 100)

    return Seen(way, **fields)


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
@pytest.mark.parametrize("jitter", [0, 1, 4])
def test_crossings_lie_within_their_uncertainty(rate, jitter):
    """At a constant speed through a square, for many speeds, directions and moments."""
    rng = np.random.default_rng(11)
    held, totals, wide = [], [], []
    for _ in range(60):
        speed, angle = 10 ** rng.uniform(1.8, 3.2), rng.uniform(-0.3, 0.3)
        across, along = speed * math.cos(angle), speed * math.sin(angle)
        at, stay = rng.uniform(0.4, 1.2), 500 / (speed * math.cos(angle))
        if abs(along * stay) > 190:
            stay = 190 / abs(along)
            across = 500 / stay
        if stay < 0.3:
            continue
        seconds = at + stay + rng.uniform(0.6, 1.2)
        way = Seen(straight(at, across, along), jitter=jitter)
        times = ticks(rate, seconds) if rate else uneven_ticks(rng, seconds)
        found = timed(tracked(times, way, rng=rng), BOX).zones[0]
        assert len(found.visits) == 1
        visit = found.visits[0]
        held += [
            abs(visit.start - at) <= visit.start_uncertainty,
            abs(visit.end - at - stay) <= visit.end_uncertainty,
        ]
        totals.append(abs(found.seconds - stay) <= found.uncertainty)
        wide += [visit.start_uncertainty * across, visit.end_uncertainty * across]
        assert visit.cut == ""
    assert len(held) > 70
    assert np.mean(held) >= 0.95
    assert np.mean(totals) >= 0.95
    # and it is no wider than half a frame and a few times the trembling
    frame = 1 / float(rate) if rate else 0.06
    assert np.median(wide) <= 1600 * frame / 2 + 6 * jitter


def test_without_trembling_a_crossing_is_exact_between_frames():
    visit = timed(tracked(ticks(25, 3), through(730, at=0.513)), BOX).zones[0].visits[0]
    assert visit.start == pytest.approx(0.513, abs=1e-4)
    assert visit.end == pytest.approx(0.513 + 500 / 730, abs=1e-4)
    assert visit.start_uncertainty == pytest.approx(0.02, abs=0.002)


@pytest.mark.parametrize(
    ("spans", "found"),
    [
        ([(1, 3)], [(1, 3)]),
        ([(1, 1.15)], []),
        ([(1, 2), (2.4, 3)], [(1, 3)]),
        ([(1, 2), (2.6, 3.5)], [(1, 2), (2.6, 3.5)]),
        ([(1, 1.1), (1.8, 3)], [(1.8, 3)]),
        ([(1, 2), (2.3, 2.4)], [(1, 2.4)]),
    ],
    ids=["one", "too short", "back soon", "back late", "a short one before", "a short return"],
)
def test_short_stays_and_absences(spans, found):
    visits = timed(tracked(ticks(50, 4), inside(*spans)), BOX).zones[0].visits
    assert [(one.start, one.end) for one in visits] == [pytest.approx(span, abs=0.011) for span in found]


def test_both_limits_are_those_that_were_set():
    seen = tracked(ticks(50, 4), inside((1, 1.15), (2, 3), (3.6, 3.8)))
    zones = timed(seen, BOX, enter_seconds=0.1, leave_seconds=0.7).zones
    assert [(one.start, one.end) for one in zones[0].visits] == [
        pytest.approx((1, 1.15), abs=0.011),
        pytest.approx((2, 3.8), abs=0.011),
    ]


def test_out_of_sight_for_a_moment_is_still_there_and_for_longer_is_not():
    def hidden(start: float, end: float) -> Seen:
        return Seen(lambda now: None if start <= now < end else (650, 400))

    short = timed(tracked(ticks(25, 4), hidden(1.5, 1.9)), BOX).zones[0]
    assert [one.cut for one in short.visits] == ["both"]
    assert short.seconds == pytest.approx(4)
    long = timed(tracked(ticks(25, 4), hidden(1.5, 2.5)), BOX).zones[0]
    assert [(one.start, one.end, one.cut) for one in long.visits] == [
        (0, pytest.approx(1.5, abs=0.02), "both"),
        (pytest.approx(2.5, abs=0.02), 4, "both"),
    ]
    assert long.visits[0].end_uncertainty == pytest.approx(0.02)


def test_filled_positions_are_no_sights():
    filled = Seen(through(200, at=1.5).way, interpolated=(1.4, 1.8))
    visit = timed(tracked(ticks(25, 5), filled), BOX).zones[0].visits[0]
    assert visit.start == pytest.approx(1.5, abs=0.01)
    assert visit.start_uncertainty == pytest.approx(0.22, abs=0.01)


def test_in_a_gap_it_is_never_less_certain_than_the_gap_allows():
    rng = np.random.default_rng(8)
    for _ in range(40):
        gap = sorted(rng.uniform(1, 2, 2))
        way = through(150, at=1.5, jitter=8).way
        seen = Seen(unseen(way, *gap), jitter=8)
        for visit in timed(tracked(ticks(25, 6), seen, rng=rng), BOX).zones[0].visits[:1]:
            if gap[0] < visit.start < gap[1] - 0.04:
                late = max(visit.start - (gap[0] - 0.04), gap[1] + 0.04 - visit.start)
                assert visit.start_uncertainty <= late


def test_who_is_inside_when_the_video_begins_or_ends_is_said_to_be_cut():
    times = ticks(25, 4)
    whole, first, last = (inside(span) for span in ((-9, 99), (-9, 2), (2, 99)))
    visits = timed(tracked(times, whole, first, last), BOX).zones[0].visits
    assert [(one.track_id, one.cut, one.start, one.end) for one in visits] == [
        (2, "start", 0, pytest.approx(2, abs=0.02)),
        (1, "both", 0, 4),
        (3, "end", pytest.approx(2, abs=0.02), 4),
    ]
    assert visits[1].start_uncertainty == visits[1].end_uncertainty == 0


def test_trembling_at_the_border_is_one_crossing():
    rng = np.random.default_rng(2)
    for _ in range(30):
        slow = Seen(lambda now: (650, 200 + 12 * (now - 3)), jitter=3)
        zones = timed(tracked(ticks(50, 8), slow, rng=rng), BOX).zones
        assert len(zones[0].visits) == 1
        visit = zones[0].visits[0]
        assert abs(visit.start - 3) <= visit.start_uncertainty < 2


def test_several_objects_count_each_and_the_time_once():
    found = timed(tracked(ticks(50, 6), inside((1, 3)), inside((2, 4)), inside((4.6, 5.6))), BOX).zones[0]
    assert [one.track_id for one in found.visits] == [1, 2, 3]
    assert found.seconds == pytest.approx(3 + 1, abs=0.03)
    ends = found.visits[0].start_uncertainty, found.visits[1].end_uncertainty
    assert found.uncertainty == pytest.approx(
        math.hypot(*ends, found.visits[2].start_uncertainty, found.visits[2].end_uncertainty)
    )


def test_only_classes_that_count():
    seen = tracked(ticks(25, 4), inside((1, 2)), inside((1, 3), label="person"))
    zones = timed(
        seen, BOX, square(400, 200, 900, 600, name="people", classes=("person",)), square(0, 0, 9, 9, name="empty")
    ).zones
    assert [[one.label for one in zone.visits] for zone in zones] == [["car", "person"], ["person"], []]
    assert zones[2].seconds == zones[2].uncertainty == 0


def test_a_class_that_the_weights_do_not_know_is_refused():
    with pytest.raises(ConfigError, match="'box' counts mechanic"):
        timed(tracked(ticks(25, 1), inside((0, 1))), square(0, 0, 9, 9, classes=("mechanic",)))


def test_anchors():
    """A box of 300 by 120 comes from the left at 200 pixels a second."""
    seen = tracked(ticks(50, 8), Seen(lambda now: (200 * now, 260)))
    zones = [
        square(600, top, 700, 400, name=anchor, anchor=anchor)
        for anchor, top in (("centre", 150), ("bottom", 240), ("any", 250))
    ]
    starts = [zone.visits[0].start for zone in timed(seen, *zones).zones]
    assert starts == [pytest.approx(3, abs=0.001), pytest.approx(3, abs=0.001), pytest.approx(2.25, abs=0.001)]
    ends = [zone.visits[0].end for zone in timed(seen, *zones).zones]
    assert ends == [pytest.approx(3.5, abs=0.001), pytest.approx(3.5, abs=0.001), pytest.approx(4.25, abs=0.001)]
    assert not timed(seen, square(600, 270, 700, 400)).zones[0].visits


def test_the_opening_of_a_concave_zone_is_outside():
    c = zone((400, 100), (900, 100), (900, 250), (550, 250), (550, 450), (900, 450), (900, 600), (400, 600))
    right_to_left = Seen(lambda now: (1000 - 100 * now, 350))
    visits = timed(tracked(ticks(25, 9), right_to_left), c).zones[0].visits
    assert [(one.start, one.end) for one in visits] == [pytest.approx((4.5, 6), abs=0.001)]


@given(
    spans=st.lists(st.tuples(st.floats(0, 5), st.floats(0.05, 2)), min_size=1, max_size=6),
    jitter=st.sampled_from([0, 2, 40]),
    origin=st.integers(-(10**9), 10**9),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_what_always_holds(spans, jitter, origin, seed):
    times = ticks(25, 6)
    seen = inside(*((start, start + length) for start, length in spans), jitter=jitter)
    other = inside(spans[0], jitter=jitter)
    made, shifted = (tracked(times, seen, other, origin=at, rng=np.random.default_rng(seed)) for at in (0, origin))
    output = timed(made, BOX)
    found = output.zones[0]
    assert 0 <= found.seconds <= 6
    for track in (1, 2):
        own = [one for one in found.visits if one.track_id == track]
        assert all(0 <= one.start < one.end <= 6 for one in own)
        assert all(one.end <= after.start for one, after in pairwise(own))
    assert found.seconds <= sum(one.end - one.start for one in found.visits) + 1e-9
    assert all(one.start_uncertainty >= 0 and one.end_uncertainty >= 0 for one in found.visits)
    assert timed(shifted, BOX) == output


@given(cut=st.integers(20, 130))
@settings(max_examples=30, deadline=None)
def test_an_object_that_gets_another_number_midway_leaves_the_same_time(cut):
    times = ticks(25, 6)
    way = through(120, at=1).way
    at = cut / 25
    first, second = Seen(unseen(way, at - 1e-6, math.inf)), Seen(unseen(way, -math.inf, at - 1e-6))
    whole = timed(tracked(times, Seen(way)), BOX, enter_seconds=0).zones[0]
    parts = timed(tracked(times, first, second), BOX, enter_seconds=0).zones[0]
    assert parts.seconds == pytest.approx(whole.seconds, abs=whole.uncertainty + parts.uncertainty)
    if 1.1 < at < 5.1:
        assert parts.seconds == pytest.approx(whole.seconds, abs=1e-6)


def test_times_do_not_hang_on_a_rate_of_frames():
    """The same way seen at 50 frames a second, and with two of three frames missing after a second."""
    full = ticks(50, 6)
    thin = [one for number, one in enumerate(full) if number < 50 or number % 3 == 0]
    first, second = (timed(tracked(times, through(150, at=1.61)), BOX).zones[0] for times in (full, thin))
    assert first.seconds == pytest.approx(second.seconds, abs=1e-3)
    assert second.visits[0].start_uncertainty == pytest.approx(0.03, abs=0.002)


def test_nothing_at_all_gives_nothing():
    output = timed(tracked(ticks(25, 1)), BOX)
    assert (output.zones[0].seconds, output.zones[0].visits, output.stops, output.stop) == (0, [], [], None)
    assert output.shapes == (BOX,)


def test_weights_without_a_car_are_told_of():
    output = timed(tracked(ticks(25, 1)), car_classes=("racing car",))
    assert "none of the classes that count as cars (racing car). They know person, car, truck" in output.problems[0]
    assert not timed(tracked(ticks(25, 1))).problems


def test_the_output_survives_being_stored():
    output = timed(tracked(ticks(25, 4), inside((1, 2))), BOX)
    assert serde.unpack(serde.pack(serde.encode(output)), TimeZones.Output) == output
