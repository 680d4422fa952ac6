"""Values come back as they were, and equal values have one digest."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detect.checkpoints import serde
from detect.stages.detect_edges import DetectEdgesOutput
from detect.types import Box, Region

boxes = st.builds(Box, *(st.integers(0, 9999) for _ in range(4)))
regions = st.builds(Region, box=boxes, confidence=st.floats(0, 1), label=st.text(max_size=9))
by_sequence = st.dictionaries(st.integers(0, 99999), st.lists(regions, max_size=3), max_size=5)


@given(by_sequence)
def test_an_output_comes_back_as_it_was(found):
    output = DetectEdgesOutput(regions=found, stats={"frames": len(found)})
    assert serde.unpack(serde.pack(serde.encode(output)), DetectEdgesOutput) == output


@given(by_sequence)
def test_the_order_of_a_dictionary_does_not_change_the_digest(found):
    assert serde.digest(dict(reversed(found.items()))) == serde.digest(found)


def test_different_values_have_different_digests():
    values = [{"a": 1}, {"a": 2}, {"a": "1"}, {"b": 1}, ["a", 1], {"a": None}, {}]
    assert len({serde.digest(value) for value in values}) == len(values)
