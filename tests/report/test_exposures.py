"""Edges, bridging and spans: exact on small cases, and what must hold for any timeline."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.exposures import FoundEdges, SampleClock
from detect.types import Edge

FRAME = 0.04
STEADY = settings(deadline=None, derandomize=True)


def near(edge: Edge, time: float, uncertainty: float) -> bool:
    """Equal but for the last bits of floats."""
    return math.isclose(edge.time, time) and math.isclose(edge.uncertainty, uncertainty)


def steady(count: int, *, cuts: tuple[float, ...] = (), end: float | None = None) -> SampleClock:
    """Two samples a second from 0 on, each on screen for one frame of 1/25 s."""
    times = tuple(index / 2 for index in range(count))
    return SampleClock(
        sequences=tuple(range(count)),
        times=times,
        until=tuple(time + FRAME for time in times),
        end=count / 2 if end is None else end,
        frame_seconds=FRAME,
        cuts=cuts,
        hole_seconds=1.75,
    )


@st.composite
def clocks(draw: st.DrawFn) -> SampleClock:
    """Any timeline: uneven samples, frames that stay, cuts anywhere, damage."""
    steps = draw(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 40)), min_size=1, max_size=30))
    now, times, until = draw(st.integers(0, 20)), [], []
    for shown, gap in steps:
        times.append(now / 50)
        until.append((now + shown) / 50)
        now += shown + gap
    end = now / 50
    cuts = draw(st.lists(st.integers(0, now), max_size=8, unique=True))
    return SampleClock(
        sequences=tuple(range(3, 3 + len(times))),
        times=tuple(times),
        until=tuple(until),
        end=end,
        frame_seconds=0.02,
        cuts=tuple(sorted(cut / 50 for cut in cuts)),
        hole_seconds=draw(st.sampled_from([0.5, 1.0, math.inf])),
    )


@st.composite
def clocks_and_presence(draw: st.DrawFn) -> tuple[SampleClock, set[int]]:
    clock = draw(clocks())
    return clock, draw(st.sets(st.integers(0, len(clock.times) - 1)))


class TestEdges:
    def test_between_two_samples_the_middle_of_what_is_unknown(self):
        (span,) = steady(10).spans({4})
        assert near(span.start, (1.54 + 2.0) / 2, 0.23)
        assert near(span.end, (2.04 + 2.5) / 2, 0.23)

    def test_at_a_cut_exactly_the_cut(self):
        (span,) = steady(10, cuts=(1.6, 2.5)).spans({4})
        assert near(span.start, 1.6, FRAME)
        assert near(span.end, 2.5, FRAME)

    def test_several_cuts_in_one_interval_widen_the_uncertainty(self):
        (span,) = steady(10, cuts=(1.6, 1.8, 2.1, 2.4)).spans({4})
        assert near(span.start, 1.8, 0.2 + FRAME)
        assert near(span.end, 2.4, 0.3 + FRAME)

    def test_the_video_s_own_edges(self):
        (span,) = steady(4, end=2.3).spans({0, 1, 2, 3})
        assert near(span.start, 0.0, FRAME)
        assert near(span.end, 2.3, (2.3 - 1.54) / 2)

    def test_a_cut_after_the_last_sample_ends_it(self):
        (span,) = steady(4, cuts=(1.9,), end=2.3).spans({3})
        assert near(span.end, 1.9, FRAME)

    def test_a_frame_that_stays_is_exact(self):
        clock = SampleClock(
            sequences=(0, 6, 20), times=(0.0, 3.0, 10.0), until=(3.0, 10.0, 12.0), end=12.0, frame_seconds=FRAME
        )
        (span,) = clock.spans({1})
        assert (span.start, span.end) == (Edge(3.0, FRAME), Edge(10.0, FRAME))

    def test_nothing_is_counted_where_nothing_could_be_read(self):
        clock = SampleClock(
            sequences=(0, 1, 40, 41),
            times=(0.0, 0.5, 20.0, 20.5),
            until=(0.04, 0.54, 20.04, 20.54),
            end=21.0,
            frame_seconds=FRAME,
            hole_seconds=1.75,
        )
        before, after = clock.spans({0, 1, 2, 3})
        assert (before.end.time, after.start.time) == (0.54, 20.0)
        assert clock.readable_seconds == pytest.approx(21.0 - 19.46)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"sequences": (0, 0)}, "order"),
            ({"times": (0.0,)}, "1 times"),
            ({"until": (0.9, 1.0)}, "overlap"),
            ({"end": 0.5}, "outside"),
            ({"frame_seconds": 0.0}, "frame"),
        ],
    )
    def test_what_does_not_fit_together_is_refused(self, change, message):
        given_values = {
            "sequences": (0, 1),
            "times": (0.0, 0.5),
            "until": (0.1, 0.6),
            "end": 1.0,
            "frame_seconds": FRAME,
        }
        with pytest.raises(ValueError, match=message):
            SampleClock(**{**given_values, **change})


class TestFoundEdges:
    def test_what_was_found_between_two_samples_is_the_edge(self):
        found = FoundEdges({4: Edge(1.7, 0.06)}, {4: Edge(2.4, 0.1)})
        (span,) = steady(10).spans({4}, found)
        assert (span.start, span.end) == (Edge(1.7, 0.06), Edge(2.4, 0.1))

    def test_only_where_a_stretch_begins_or_ends(self):
        found = FoundEdges({4: Edge(1.7, 0.06)}, {4: Edge(2.4, 0.1)})
        (span,) = steady(10).spans({3, 4, 5}, found)
        assert near(span.start, (1.04 + 1.5) / 2, 0.23)
        assert near(span.end, (2.54 + 3.0) / 2, 0.23)

    def test_a_cut_and_missing_video_stay_the_edge(self):
        found = FoundEdges({4: Edge(1.7, 0.06)}, {4: Edge(2.4, 0.1)})
        (span,) = steady(10, cuts=(1.6, 2.5)).spans({4}, found)
        assert (span.start.time, span.end.time) == (1.6, 2.5)
        holed = SampleClock((0, 1, 9), (0.0, 0.5, 9.0), (0.04, 0.54, 9.04), 9.5, FRAME, hole_seconds=1.75)
        (span,) = holed.spans({2}, FoundEdges({2: Edge(5.0, 0.1)}))
        assert span.start.time == 9.0

    def test_it_never_passes_the_samples_and_is_no_surer_than_a_frame(self):
        (span,) = steady(10).spans({4}, FoundEdges({4: Edge(1.2, 0.0)}, {4: Edge(2.6, 0.0)}))
        assert (span.start, span.end) == (Edge(1.54, FRAME), Edge(2.5, FRAME))

    def test_after_the_last_sample_it_comes_before_the_video_s_end(self):
        (span,) = steady(4, end=2.3).spans({3}, FoundEdges({}, {3: Edge(1.9, 0.1)}))
        assert span.end == Edge(1.9, 0.1)


class TestBridging:
    def test_a_missed_reading_is_bridged(self):
        assert steady(10).bridge({2, 4}, 0.5) == {2, 3, 4}

    def test_an_absence_that_was_seen_is_not(self):
        went, came = FoundEdges(behind={2}), FoundEdges(before={4})
        assert steady(10).bridge({2, 4}, 0.5, went) == {2, 4}
        assert steady(10).bridge({2, 4}, 0.5, came) == {2, 4}
        assert steady(10).bridge({2, 4}, 0.5, FoundEdges(behind={4}, before={2})) == {2, 3, 4}

    def test_a_longer_absence_is_not(self):
        assert steady(10).bridge({2, 5}, 0.5) == {2, 5}

    def test_the_limit_is_the_absence_that_would_be_reported(self):
        clock = steady(10)
        first, second = clock.spans({2, 6})
        absence = second.start.time - first.end.time
        assert clock.bridge({2, 6}, absence) == {2, 3, 4, 5, 6}
        assert clock.bridge({2, 6}, absence - 0.001) == {2, 6}

    @pytest.mark.parametrize("cut", [1.1, 1.5, 1.9, 2.0])
    def test_never_over_a_cut(self, cut):
        assert steady(10, cuts=(cut,)).bridge({2, 4}, 10) == {2, 4}

    def test_neighbours_join_over_a_cut(self):
        (span,) = steady(10, cuts=(1.2,)).spans({2, 3})
        assert span.indexes == range(2, 4)


class TestAlways:
    @STEADY
    @given(clocks_and_presence(), st.floats(0, 5))
    def test_spans_lie_inside_the_video_and_apart(self, case, longest):
        clock, present = case
        spans = clock.spans(clock.bridge(present, longest))
        moments = [moment for span in spans for moment in (span.start.time, span.end.time)]
        assert moments == sorted(moments)
        assert all(0 <= moment <= clock.end for moment in moments)
        assert math.fsum(span.seconds for span in spans) <= clock.readable_seconds + 1e-9

    @STEADY
    @given(clocks_and_presence(), st.floats(0, 5))
    def test_uncertainties_are_at_least_a_frame(self, case, longest):
        clock, present = case
        for span in clock.spans(clock.bridge(present, longest)):
            assert span.start.uncertainty >= clock.frame_seconds
            assert span.end.uncertainty >= clock.frame_seconds

    @STEADY
    @given(clocks_and_presence(), st.floats(0, 5))
    def test_bridging_adds_only_inside_a_shot(self, case, longest):
        clock, present = case
        for index in clock.bridge(present, longest) - present:
            left = max(other for other in present if other < index)
            right = min(other for other in present if other > index)
            assert not any(clock.times[left] < cut <= clock.times[right] for cut in clock.cuts)

    @STEADY
    @given(clocks_and_presence(), st.floats(0, 5))
    def test_every_sample_is_in_its_span(self, case, longest):
        clock, present = case
        spans = clock.spans(clock.bridge(present, longest))
        for index in present:
            (span,) = [span for span in spans if index in span.indexes]
            assert span.start.time <= clock.times[index] <= span.end.time

    @STEADY
    @given(clocks(), st.data())
    def test_cutting_presence_in_two_changes_nothing(self, clock, data):
        at = data.draw(st.integers(0, len(clock.times)))
        whole = clock.spans(range(len(clock.times)))
        halves = [*clock.spans(range(at)), *clock.spans(range(at, len(clock.times)))]
        assert math.fsum(span.seconds for span in halves) == pytest.approx(math.fsum(span.seconds for span in whole))

    @STEADY
    @given(clocks())
    def test_samples_share_out_the_time(self, clock):
        spans = clock.spans(range(len(clock.times)))
        shares = math.fsum(clock.seconds_of(index) for index in range(len(clock.times)))
        assert shares == pytest.approx(math.fsum(span.seconds for span in spans))
        assert all(clock.seconds_of(index) >= 0 for index in range(len(clock.times)))

    @STEADY
    @given(clocks_and_presence(), st.floats(0, 2), st.floats(0, 2))
    def test_a_longer_bridge_never_shows_less(self, case, first, second):
        clock, present = case
        short, long = sorted((first, second))
        assert clock.bridge(present, short) <= clock.bridge(present, long)
