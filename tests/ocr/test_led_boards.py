"""LED boards are told from painted ones by their lettering changing while everything around stays."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from detect.context import ShotView, contexts_of
from detect.led_boards import led_tracks, moves_with_scene
from detect.motion import Gray
from detect.text_tracker import TextTracker
from detect.text_tracks import Frame, Track
from detect.types import Box, Region
from tests.ocr.test_text_tracks import FOLLOW, SIZE, Reader, Scene

PAGES = ["VELMORA"] * 4 + ["HEXALON"] * 4


def frames_of(texts: list[str], *, pan: int = 12) -> list[Frame]:
    scene = Scene()
    return [scene.frame(number, pan * number, text) for number, text in enumerate(texts)]


def looked_at(frames: list[Frame], texts: list[str]) -> tuple[list[Track], ShotView]:
    """The texts of a shot, and what is known of it; nothing of people and boards."""
    tracker = TextTracker(frames, Reader(texts), FOLLOW)
    found = tracker.run()
    sequences = [frame.sequence for frame in frames]
    motions = dict(zip(pairwise(sequences), tracker.motions, strict=True))
    return found, ShotView({frame.sequence: frame.gray for frame in frames}, motions, {}, {}, 1.0)


def led_texts(frames: list[Frame], texts: list[str]) -> list[str]:
    found, view = looked_at(frames, texts)
    return sorted(found[number].best_text() for number in led_tracks(found, view.grays, view.motions))


def with_graphic(frame: Frame, text: str) -> Gray:
    """The frame with a caption in its lower left corner, whatever the camera does."""
    gray = frame.gray.copy()
    cv2.rectangle(gray, (20, 300), (200, 340), 25, -1)
    cv2.putText(gray, text, (30, 330), cv2.FONT_HERSHEY_DUPLEX, 0.95, 240, 2, cv2.LINE_AA)
    return gray


def test_both_pages_of_a_board_that_changed_are_of_an_led_board():
    assert led_texts(frames_of(PAGES), PAGES) == ["HEXALON", "VELMORA"]


def test_a_board_that_never_changes_is_painted():
    assert led_texts(frames_of(["VELMORA"] * 8), ["VELMORA"] * 8) == []


def test_somebody_walking_before_a_painted_board_does_not_make_it_change():
    frames = frames_of(["VELMORA"] * 8)
    for number in (4, 5, 6, 7):
        left = 300 - 12 * number
        cv2.rectangle(frames[number].gray, (left - 30, 120), (left + 200, 340), 90, -1)
        for stripe in range(left - 30, left + 200, 14):
            cv2.rectangle(frames[number].gray, (stripe, 120), (stripe + 6, 340), 210, -1)
        frames[number] = Frame(number, frames[number].gray, [])
    assert led_texts(frames, ["VELMORA"] * 8) == []


def test_a_blurred_board_has_not_changed():
    frames = frames_of(["VELMORA"] * 8)
    blurred = [Frame(frame.sequence, np.asarray(cv2.blur(frame.gray, (61, 1))), []) for frame in frames[4:]]
    assert led_texts(frames[:4] + blurred, ["VELMORA"] * 8) == []


def test_nothing_is_told_where_the_camera_stands_still():
    """A caption that gives way to the next one looks just the same."""
    assert led_texts(frames_of(PAGES, pan=0), PAGES) == []


def test_a_text_knows_whether_it_moves_with_the_scene():
    found, view = looked_at(frames_of(["VELMORA"] * 5), ["VELMORA"] * 5)
    assert moves_with_scene(found[0], view.motions)
    still, view = looked_at(frames_of(["VELMORA"] * 5, pan=0), ["VELMORA"] * 5)
    assert not moves_with_scene(still[0], view.motions)


def test_a_caption_that_changes_while_the_camera_moves_is_a_graphic():
    place = np.array([[24, 304], [196, 304], [196, 338], [24, 338]], np.float32)
    captions = ["KALDERO"] * 4 + ["OSMARK"] * 4
    plain = frames_of(["VELMORA"] * 8)
    frames = [
        Frame(frame.sequence, with_graphic(frame, text), [(place, 0.9)])
        for frame, text in zip(plain, captions, strict=True)
    ]
    found, view = looked_at(frames, captions)
    assert [(track.best_text(), context) for track, context in zip(found, contexts_of(found, view), strict=True)] == [
        ("KALDERO", "overlay"),
        ("OSMARK", "overlay"),
    ]


def test_contexts_of_a_shot():
    frames = frames_of(PAGES)
    found, view = looked_at(frames, PAGES)
    assert contexts_of(found, view) == ["led", "led"]
    boards = {frame.sequence: [Region(Box(0, 190, SIZE[1], 240), 0.9, "board")] for frame in frames}
    painted, view = looked_at(frames_of(["VELMORA"] * 8), ["VELMORA"] * 8)
    assert contexts_of(painted, view) == [""]
    known = ShotView(view.grays, view.motions, {}, boards, 1.0)
    assert contexts_of(painted, known) == ["board"]


def test_a_text_on_a_board_stays_there_where_the_camera_stands_still():
    still, view = looked_at(frames_of(["VELMORA"] * 4, pan=0), ["VELMORA"] * 4)
    boards = {number: [Region(Box(0, 190, SIZE[1], 240), 0.9, "board")] for number in range(4)}
    assert contexts_of(still, ShotView(view.grays, view.motions, {}, boards, 1.0)) == ["board"]


def test_a_region_no_longer_than_its_text_is_no_board():
    """Folds of a shirt and lines beside lettering make such regions."""
    still, view = looked_at(frames_of(["VELMORA"] * 4, pan=0), ["VELMORA"] * 4)
    tight = {number: [Region(Box(302, 195, 458, 235), 0.9, "board")] for number in range(4)}
    assert contexts_of(still, ShotView(view.grays, view.motions, {}, tight, 1.0)) == [""]
    worn = {number: [Region(Box(200, 100, 560, 350), 0.9, "person")] for number in range(4)}
    assert contexts_of(still, ShotView(view.grays, view.motions, worn, tight, 1.0)) == ["person"]
