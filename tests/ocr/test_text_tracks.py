"""Following texts: read once, found again through blur and cuts, ended when the board changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest

from detect.engines.ocr import TextLine
from detect.motion import CameraMotion, cut_patch, find_patch, move_quad, patch_width, similarity
from detect.text_following import Follow
from detect.text_tracker import TextTracker
from detect.text_tracks import Frame, Track

FOLLOW = Follow(min_similarity=0.7, min_anchor_similarity=0.55, max_misses=2, reach=1.5)
SIZE = (360, 640)


class Scene:
    """A textured background seen by a panning camera, with lettering painted on it."""

    def __init__(self, seed: int = 3) -> None:
        rng = np.random.default_rng(seed)
        noise = rng.integers(40, 200, (90, 250), np.uint8)
        self._world = cv2.resize(noise, (1000, 360), interpolation=cv2.INTER_CUBIC)

    def frame(
        self, sequence: int, pan: int, text: str, *, at: tuple[int, int] = (300, 200), detected: bool = True
    ) -> Frame:
        world = self._world.copy()
        x, y = at
        cv2.rectangle(world, (x - 4, y - 4), (x + 164, y + 34), 235, -1)
        cv2.putText(world, text, (x, y + 25), cv2.FONT_HERSHEY_DUPLEX, 0.95, 20, 2, cv2.LINE_AA)
        gray = np.ascontiguousarray(world[:, pan : pan + SIZE[1]])
        quad = np.array([[x, y], [x + 160, y], [x + 160, y + 30], [x, y + 30]], np.float32) - np.array(
            [pan, 0], np.float32
        )
        return Frame(sequence, gray, [(quad, 0.9)] if detected else [])


class Reader:
    """Reads what was painted, and counts how often it was asked."""

    def __init__(self, texts: list[str], confidence: float = 0.98) -> None:
        self.texts, self.confidence = texts, confidence
        self.asked: list[int] = []

    def __call__(self, index: int, quads: Sequence[np.ndarray]) -> list[TextLine]:
        self.asked += [index] * len(quads)
        return [TextLine(self.texts[index], self.confidence)] * len(quads)


def track(frames: list[Frame], texts: list[str], before: tuple[Track, ...] = ()) -> tuple[list[Track], Reader]:
    reader = Reader(texts)
    return TextTracker(frames, reader, FOLLOW, before).run(), reader


def sequences(found: Track) -> list[int]:
    return [sight.sequence for sight in found.sights]


def test_a_text_that_looks_the_same_is_read_once_while_the_camera_pans():
    scene = Scene()
    frames = [scene.frame(n, 20 * n, "VELMORA") for n in range(8)]
    found, reader = track(frames, ["VELMORA"] * 8)
    assert [sequences(one) for one in found] == [list(range(8))]
    assert len(reader.asked) == 1


def test_a_text_is_found_where_detection_missed_it_before_between_and_after():
    scene = Scene()
    frames = [scene.frame(n, 15 * n, "VELMORA", detected=n in (2, 5)) for n in range(8)]
    found, _ = track(frames, ["VELMORA"] * 8)
    assert [sequences(one) for one in found] == [list(range(8))]
    for sight, frame in zip(found[0].sights, frames, strict=True):
        expected = 300 - 15 * frame.sequence
        assert abs(float(sight.quad[0][0]) - expected) <= 4
    assert [sight.found for sight in found[0].sights] == [n in (2, 5) for n in range(8)]


def searched_when_asked(frames: list[Frame], texts: list[str], every: int) -> tuple[list[Track], list[int]]:
    """Tracks over frames whose lines are found only where the tracker asks for them, and where it asked."""
    asked: list[int] = []

    def detect(index: int) -> list[tuple[np.ndarray, float]]:
        asked.append(index)
        return frames[index].lines

    bare = [Frame(frame.sequence, frame.gray, []) for frame in frames]
    follow = replace(FOLLOW, share=0.6, detect_every=every)
    return TextTracker(bare, Reader(texts), follow, detect=detect).run(), asked


@pytest.mark.parametrize(("every", "searched"), [(1, [0, 1, 2, 3, 4, 5, 6]), (2, [0, 2, 4, 6]), (3, [0, 3, 6])])
def test_a_picture_whose_texts_are_followed_is_not_searched(every: int, searched: list[int]):
    frames = [Scene().frame(n, 15 * n, "VELMORA") for n in range(7)]
    found, asked = searched_when_asked(frames, ["VELMORA"] * 7, every)
    assert [sequences(one) for one in found] == [list(range(7))]
    assert asked == searched


def test_what_comes_on_the_last_picture_of_a_shot_is_searched_for():
    frames = [Scene().frame(n, 15 * n, "VELMORA") for n in range(6)]
    _, asked = searched_when_asked(frames, ["VELMORA"] * 6, 4)
    assert asked == [0, 4, 5]


def test_a_text_that_leaves_the_picture_is_followed_while_most_of_it_is_inside():
    """Its left end is at 300 minus what the camera panned, it is 160 pixels long."""
    pans = [200, 250, 300, 340, 360, 400, 450]
    frames = [Scene().frame(n, pan, "VELMORA", detected=n == 0) for n, pan in enumerate(pans)]
    found, _ = track(frames, ["VELMORA"] * len(pans))
    assert [sequences(one) for one in found] == [[0, 1, 2, 3, 4]]
    for sight, pan in zip(found[0].sights, pans, strict=False):
        assert abs(float(sight.quad[0][0]) - (300 - pan)) <= 4


def with_graphic(frame: Frame, *, detected: bool = True) -> Frame:
    """The frame with a graphic at its place on the screen, wherever the camera looks."""
    cv2.rectangle(frame.gray, (20, 20), (180, 54), 10, -1)
    cv2.putText(frame.gray, "QUORBIT", (24, 46), cv2.FONT_HERSHEY_DUPLEX, 0.95, 240, 2, cv2.LINE_AA)
    quad = np.array([[22, 22], [178, 22], [178, 52], [22, 52]], np.float32)
    return replace(frame, lines=[*frame.lines, (quad, 0.9)] if detected else frame.lines)


def test_a_graphic_is_followed_where_it_is_while_the_camera_pans():
    frames = [with_graphic(Scene().frame(n, 60 * n, "", detected=False), detected=n in (0, 4)) for n in range(5)]
    found, reader = track(frames, ["QUORBIT"] * 5)
    assert [sequences(one) for one in found] == [[0, 1, 2, 3, 4]]
    assert len(reader.asked) == 1
    assert all(abs(float(sight.quad[0][0]) - 22) <= 3 for sight in found[0].sights)


def test_a_graphic_does_not_tell_that_the_scene_went_on():
    frames = [with_graphic(Scene().frame(n, 60 * n, "", detected=False)) for n in range(6)]
    _, asked = searched_when_asked(frames, ["QUORBIT"] * 6, 3)
    assert asked == [0, 1, 2, 3, 4, 5]
    still = [with_graphic(Scene().frame(n, 0, "", detected=False)) for n in range(6)]
    _, asked = searched_when_asked(still, ["QUORBIT"] * 6, 3)
    assert asked == [0, 3, 5]


def test_lines_of_a_picture_are_read_together_and_each_once():
    seen: list[int] = []

    def read(index: int, quads: Sequence[np.ndarray]) -> list[TextLine]:
        seen.append(len(quads))
        return [TextLine("VELMORA" if quad[0][1] > 100 else "QUORBIT", 0.98) for quad in quads]

    frames = [with_graphic(Scene().frame(0, 0, "VELMORA")), with_graphic(Scene(8).frame(1, 150, "VELMORA"))]
    assert {one.best_text() for one in TextTracker(frames, read, FOLLOW).run()} == {"VELMORA", "QUORBIT"}
    assert seen[0] == 2
    assert sum(seen[1:]) <= 1, "the graphic stayed, the text may be read again"


def test_a_picture_whose_texts_changed_is_searched():
    texts = ["VELMORA"] * 3 + ["HEXALON"] * 3
    frames = [Scene().frame(n, 10 * n, text) for n, text in enumerate(texts)]
    found, asked = searched_when_asked(frames, texts, 5)
    assert 3 in asked
    assert [(one.best_text(), sequences(one)) for one in found] == [("VELMORA", [0, 1, 2]), ("HEXALON", [3, 4, 5])]


def test_a_board_that_changes_ends_one_track_and_begins_another():
    scene = Scene()
    texts = ["VELMORA"] * 4 + ["HEXALON"] * 4
    frames = [scene.frame(n, 10 * n, text) for n, text in enumerate(texts)]
    found, _ = track(frames, texts)
    assert [(one.best_text(), sequences(one)) for one in found] == [
        ("VELMORA", [0, 1, 2, 3]),
        ("HEXALON", [4, 5, 6, 7]),
    ]


def test_names_with_letters_in_common_are_two_texts_where_both_are_surely_read():
    scene = Scene()
    pages = ["VELMORA"] * 3 + ["Plimsora"] * 3
    frames = [scene.frame(n, 0, text) for n, text in enumerate(pages)]
    for frame in frames[3:]:
        board = frame.gray[196:235, 296:465]
        board[:] = 255 - board  # light on dark where the page before was dark on light
    found, _ = track(frames, pages)
    assert [(one.best_text(), sequences(one)) for one in found] == [("VELMORA", [0, 1, 2]), ("Plimsora", [3, 4, 5])]


def test_a_picture_in_the_place_of_a_text_is_not_that_text():
    scene = Scene()
    frames = [scene.frame(n, 0, "VELMORA" if n < 3 else "o") for n in range(5)]
    found, _ = track(frames, ["VELMORA"] * 3 + [""] * 2)
    assert [(sequences(one), one.best_text()) for one in found] == [([0, 1, 2], "VELMORA")]


def test_a_text_that_left_is_not_followed_on_what_is_there_instead():
    scene = Scene()
    frames = [scene.frame(n, 10 * n, "VELMORA") for n in range(3)]
    bare = Scene(seed=9)
    frames += [Frame(n, np.ascontiguousarray(bare._world[:, 10 * n : 10 * n + SIZE[1]]), []) for n in range(3, 8)]
    found, _ = track(frames, ["VELMORA"] * 8)
    assert [sequences(one) for one in found] == [[0, 1, 2]]


def test_a_text_that_is_dissolved_is_not_followed_on_what_comes_behind_it():
    noise = cv2.resize(np.random.default_rng(8).integers(0, 256, (90, 160), np.uint8), SIZE[::-1])
    grass = np.asarray(np.clip(110 + 0.6 * (noise.astype(float) - 128), 0, 255), np.uint8)
    shown = [Scene().frame(n, 0, "VELMORA") for n in range(4)]
    half = replace(shown[3], sequence=4, gray=cv2.addWeighted(shown[3].gray, 0.15, grass, 0.85, 0))
    found, _ = track([*shown, half, *(Frame(n, grass, []) for n in range(5, 9))], ["VELMORA"] * 9)
    assert [sequences(one) for one in found] == [[0, 1, 2, 3, 4]]


def test_a_graphic_that_outlives_a_cut_is_not_read_again():
    first = [Scene(3).frame(n, 0, "VELMORA") for n in range(2)]
    before, _ = track(first, ["VELMORA"] * 2)
    after = [Scene(8).frame(n, 0, "VELMORA", detected=n > 2) for n in range(2, 5)]
    found, reader = track(after, ["?"] * 3, before=tuple(before))
    assert [(one.best_text(), sequences(one)) for one in found] == [("VELMORA", [2, 3, 4])]
    assert reader.asked == []


def test_nothing_is_carried_over_a_cut_that_changed_the_place():
    before, _ = track([Scene(3).frame(0, 0, "VELMORA")], ["VELMORA"])
    found, _ = track([Scene(8).frame(1, 0, "HEXALON")], ["HEXALON"], before=tuple(before))
    assert [(one.best_text(), sequences(one)) for one in found] == [("HEXALON", [1])]


def test_no_frames_and_no_lines_give_no_tracks():
    assert track([], [])[0] == []
    assert track([Scene().frame(0, 0, "VELMORA", detected=False)], [""])[0] == []


@pytest.mark.parametrize("shift", [0, 37, 120])
def test_camera_motion_is_found_to_a_pixel(shift):
    scene, motion = Scene(), CameraMotion()
    before, after = (motion.features(scene.frame(0, pan, "VELMORA").gray) for pan in (0, shift))
    matrix = motion.between(before, after)
    assert matrix is not None
    moved = move_quad(np.array([[200, 100], [300, 100], [300, 150], [200, 150]], np.float32), matrix)
    assert np.abs(moved[:, 0] - (np.array([200, 300, 300, 200], np.float32) - shift)).max() <= 1.5


def test_no_motion_is_claimed_between_unrelated_pictures():
    motion = CameraMotion()
    flat = np.full(SIZE, 128, np.uint8)
    assert motion.between(motion.features(Scene(3).frame(0, 0, "A").gray), motion.features(flat)) is None


def test_a_patch_is_found_again_beside_where_it_was_expected():
    frame = Scene().frame(0, 0, "VELMORA")
    quad = frame.lines[0][0]
    patch = cut_patch(frame.gray, quad, patch_width(quad))
    place, score = find_patch(frame.gray, patch, quad + np.array([18, -12], np.float32), reach_x=1.5, reach_y=1.5)
    assert score > 0.9
    assert np.abs(place - quad).max() <= 2
    assert similarity(patch, patch) > 0.999
