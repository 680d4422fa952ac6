"""Following texts through a shot: read once, recognised again by appearance, found where detection missed them.

A detected line continues a track when it looks like it and lies where the camera's motion takes it; only lines that
look new are read. A track that detection lost is searched for by its own appearance, forwards and, from its first
sight, backwards, so that blur, a small size or a passing player do not cost the seconds between two readings.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from rapidfuzz.distance import Levenshtein

from detect.engines.ocr import TextLine
from detect.in_order import in_order
from detect.line_pairs import SAME_PLACE, box_of, is_taken, near, overlaps
from detect.matching import fold
from detect.motion import CameraMotion, Matrix, Patch, Quad, cut_patch, move_quad, patch_width, similarity
from detect.text_following import Follow, find_again, has_stayed, is_faint
from detect.text_tracks import ALIKE_LOOK, SAME_LOOK, Frame, Sight, Track, Vote
from detect.types import Box

_SOME_LOOK, _SOME_OVERLAP = 0.3, 0.2
# Normalised similarity of two readings of one text; of two that are surely read and look different.
_SAME_TEXT, _SAME_SURE_TEXT = 0.6, 0.8
_SURELY_READ, _SURELY_OTHER = 0.9, 0.8
_MAX_ANCHORS = 3
# What a text looks like half faded, and the grass behind it, would be taken for it where it is gone.
_ANCHOR_CONTRAST = 0.5


class TextTracker:
    """Builds tracks over the frames of one shot.

    ``read`` reads quads of a frame by its index. ``before`` are the tracks of the shot before: a text that looks the
    same at the same place on the screen goes on with what was read there. ``detect`` finds the lines of a frame by its
    index; it is asked where too few texts of the frame before can be followed, and now and then in any case.
    Without it frames have their lines already.
    """

    def __init__(
        self,
        frames: list[Frame],
        read: Callable[[int, Sequence[Quad]], list[TextLine]],
        follow: Follow,
        before: Sequence[Track] = (),
        detect: Callable[[int], list[tuple[Quad, float]]] | None = None,
        *,
        threads: int = 1,
    ) -> None:
        self._frames = frames
        self._detect = detect
        self._read = read
        self._follow = follow
        self._carried = [track.carried() for track in before if track.misses == 0]
        self._tracks: list[Track] = []
        self._readings: dict[int, TextLine] = {}
        self.lines_read = 0
        motion = CameraMotion()
        features = in_order(motion.features, (frame.gray for frame in frames), threads)
        pairs = itertools.pairwise(features)
        self._motions = list(in_order(lambda pair: motion.between(*pair), pairs, threads))

    def run(self) -> list[Track]:
        """All tracks of the shot that were read at least once, in the order they appeared."""
        self._tracks.extend(self._carried)
        for index in range(len(self._frames)):
            self._step(index)
            if index == 0:
                self._tracks = [track for track in self._tracks if track.sights]
        for track in self._tracks:
            self._extend_backwards(track)
        return [track for track in self._tracks if track.votes]

    @property
    def motions(self) -> list[Matrix | None]:
        """Homographies between consecutive frames."""
        return self._motions

    def _step(self, index: int) -> None:
        frame = self._frames[index]
        motion = self._motions[index - 1] if index else None
        active = [track for track in self._tracks if track.misses <= self._follow.max_misses]
        places = [move_quad(track.place, motion) for track in active]
        if self._rests(index, motion, active, places):
            return
        if self._detect is not None:
            frame = self._frames[index] = replace(frame, lines=self._detect(index))
        open_tracks = dict(enumerate(active))
        patches = [cut_patch(frame.gray, quad, patch_width(quad)) for quad, _ in frame.lines]
        pairs = self._pairs(frame, patches, active, places)
        self._readings.clear()
        self._read_lines(index, self._unknown(pairs, active, len(patches)))
        for line, number, look in pairs:
            if patches[line].size and number in open_tracks and self._join(index, line, patches, active[number], look):
                patches[line] = np.zeros((0, 0), np.float32)
                del open_tracks[number]
        self._start(index, {line: patch for line, patch in enumerate(patches) if patch.size})
        taken = [box_of(quad) for quad, _ in frame.lines]
        for number, track in open_tracks.items():
            box = self._search(track, index, places[number], taken)
            if box is not None:
                taken.append(box)

    def _rests(self, index: int, motion: Matrix | None, tracks: list[Track], places: list[Quad]) -> bool:
        """Whether the frame shows what the one before did, moved by the camera; then its texts are seen there."""
        present = [number for number, track in enumerate(tracks) if track.misses == 0 and track.votes]
        searched = self._follow.always_searched(index, len(self._frames))
        if self._detect is None or motion is None or searched or not present:
            return False
        found = {number: self._find_next(tracks[number], index, places[number]) for number in present}
        # Graphics that stayed while the camera moved tell nothing of what it shows.
        told = [
            sight is not None
            for number, sight in found.items()
            if sight is None or not has_stayed(tracks[number].place, places[number], sight[0].quad)
        ]
        if not told or sum(told) < self._follow.share * len(told):
            return False
        for number, track in enumerate(tracks):
            sight = found.get(number)
            track.misses += sight is None
            if sight is not None:
                track.see(sight[0])
                track.last_patch = sight[1]
        return True

    def _pairs(
        self, frame: Frame, patches: list[Patch], tracks: list[Track], places: list[Quad]
    ) -> list[tuple[int, int, float]]:
        """Lines and tracks that may be the same, best first: ``(line, track, similarity of looks)``.

        What looks the same may have stayed where it was: the camera does not move graphics.
        """
        pairs = []
        quads, stayed = [quad for quad, _ in frame.lines], [track.place for track in tracks]
        shared = overlaps(places, quads)
        around = near(places, quads) | near(stayed, quads)
        for number, line in np.argwhere((shared >= _SOME_OVERLAP) | around).tolist():
            track, overlap = tracks[number], float(shared[number, line])
            look = max((similarity(anchor, patches[line]) for anchor in track.anchors), default=0.0)
            same_place = overlap >= _SOME_OVERLAP and (look >= _SOME_LOOK or overlap >= SAME_PLACE)
            if look >= SAME_LOOK or (track.sights and same_place):
                pairs.append((overlap + look, line, number, look))
        return [(line, number, look) for _, line, number, look in sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))]

    @staticmethod
    def _unknown(pairs: list[tuple[int, int, float]], tracks: list[Track], lines: int) -> list[int]:
        """Lines that have no track, or are like none that they could join unread: they are read together."""
        first: dict[int, bool] = {}
        for line, number, look in pairs:
            first.setdefault(line, tracks[number].knows(look))
        return [line for line in range(lines) if not first.get(line, False)]

    def _join(self, index: int, line: int, patches: list[Patch], track: Track, look: float) -> bool:
        """Continue ``track`` with a detected line if it shows the same text."""
        quad, score = self._frames[index].lines[line]
        if not track.knows(look) and not self._vote(track, index, line, look):
            return False
        track.see(Sight(self._frames[index].sequence, quad, score, found=True))
        if not is_faint(patches[line], track.anchors, _ANCHOR_CONTRAST):
            track.anchors = [*track.anchors, patches[line]][-_MAX_ANCHORS:]
        track.last_patch, track.misses = patches[line], 0
        return True

    def _vote(self, track: Track, index: int, line: int, look: float) -> bool:
        """Read the line and count it for the track, unless it is another text than the track's."""
        (reading,) = self._read_lines(index, [line])
        if not self._is_same(track, reading, look):
            return False
        self._count(track, index, self._frames[index].lines[line][0], reading)
        return True

    @staticmethod
    def _is_same(track: Track, reading: TextLine, look: float) -> bool:
        """Whether a line may show the track's text, by what was read on it; ``look`` is how alike they are."""
        text, known = fold(reading.text), fold(track.best_text())
        if not known or (not text and look >= ALIKE_LOOK):
            return True
        # A board of LEDs shows page after page in one place, and two names may have letters in common.
        sure = min(reading.confidence, track.votes[track.best_text()].confidence) >= _SURELY_READ
        needed = _SAME_SURE_TEXT if sure and look < _SOME_LOOK else _SAME_TEXT
        alike = Levenshtein.normalized_similarity(text, known) >= needed
        contained = bool(text) and (text in known or known in text)
        return alike or contained or (look >= SAME_LOOK and reading.confidence < _SURELY_OTHER)

    def _start(self, index: int, patches: dict[int, Patch]) -> None:
        """Begin a track with each of these detected lines."""
        frame = self._frames[index]
        for (line, patch), reading in zip(patches.items(), self._read_lines(index, list(patches)), strict=True):
            quad, score = frame.lines[line]
            track = Track(quad, anchors=[patch], last_patch=patch)
            track.see(Sight(frame.sequence, quad, score, found=True))
            self._count(track, index, quad, reading)
            self._tracks.append(track)

    def _read_lines(self, index: int, lines: Sequence[int]) -> list[TextLine]:
        """The readings of these lines of the frame in hand, each read once."""
        new = [line for line in lines if line not in self._readings]
        if new:
            quads = [self._frames[index].lines[line][0] for line in new]
            self._readings.update(zip(new, self._read(index, quads), strict=True))
            self.lines_read += len(new)
        return [self._readings[line] for line in lines]

    def _count(self, track: Track, index: int, quad: Quad, reading: TextLine) -> None:
        if not reading.text:
            return
        vote = track.votes.setdefault(reading.text, Vote())
        vote.votes += 1
        if reading.confidence > vote.confidence:
            vote.confidence, vote.sequence, vote.quad = reading.confidence, self._frames[index].sequence, quad
            vote.lattice = reading.lattice

    def _search(self, track: Track, index: int, place: Quad, taken: list[Box]) -> Box | None:
        """Look for a lost track where no other text was seen already; the box where it was found, or None."""
        track.misses += 1
        sight = self._find_next(track, index, place)
        if sight is None or is_taken(box_of(sight[0].quad), taken):
            return None
        track.see(sight[0])
        track.last_patch, track.misses = sight[1], 0
        return box_of(sight[0].quad)

    def _extend_backwards(self, track: Track) -> None:
        index = next(i for i, frame in enumerate(self._frames) if frame.sequence == track.sights[0].sequence)
        quad, patch, earlier = track.sights[0].quad, track.anchors[0] if track.anchors else None, []
        for before in range(index - 1, -1, -1):
            motion = self._motions[before]
            place = move_quad(quad, None if motion is None else np.linalg.inv(motion))
            sight = find_again(track, self._frames[before], place, quad, patch, self._follow)
            if sight is None:
                break
            earlier.append(sight[0])
            quad, patch = sight[0].quad, sight[1]
        track.sights[:0] = reversed(earlier)

    def _find_next(self, track: Track, index: int, place: Quad) -> tuple[Sight, Patch] | None:
        """The track's sight in the frame after its last."""
        return find_again(track, self._frames[index], place, track.place, track.last_patch, self._follow)
