"""How much of what was reported on synthetic matches is said to be on the right kind of place.

    python -m bench.placements REPORT.json TRUTH.json

prints :class:`PlacementFigures` as JSON: in a process of its own, for the match's truth needs what draws matches, and
the benchmark itself stays small.
"""

from __future__ import annotations

import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import msgspec

from bench.process import measure
from detect.report import Report, from_json, to_json
from detect.scoring import normalise_name

_WITHIN = 300.0


class PlacementFigures(msgspec.Struct, frozen=True):
    """Seconds of exposures while the brand is on screen, in all and on a place that shows it then.

    ``said`` is ``{true place: {reported place: seconds}}`` of the instants at which one kind of place alone shows it.
    """

    seconds: float
    right: float
    said: dict[str, dict[str, float]]


def placements(report: Report, truth_file: Path) -> PlacementFigures:
    """A report's exposures held against every frame of a match. Raises ``BenchError``."""
    with tempfile.TemporaryDirectory(prefix="mediaproc-bench-") as folder:
        written = Path(folder) / "report.json"
        written.write_bytes(to_json(report))
        told = measure([sys.executable, "-m", "bench.placements", written, truth_file], timeout=_WITHIN)
    return msgspec.json.decode(told.output, type=PlacementFigures)


def pooled_share(found: Iterable[PlacementFigures]) -> float | None:
    """Share of all seconds that are right, None where there are none."""
    listed = list(found)
    seconds = sum(one.seconds for one in listed)
    return sum(one.right for one in listed) / seconds if seconds else None


def judged(report: Report, truth_file: Path) -> PlacementFigures:
    """What :func:`placements` gives, worked out here."""
    from detect.synthetic.truth import PLACEMENTS, Truth

    truth = Truth.load(truth_file)
    numbers = {normalise_name(brand.name): number for number, brand in enumerate(truth.brands)}
    shown: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
    for row in truth.rows:
        shown[int(row["brand"]), int(row["frame"])].add(PLACEMENTS[row["placement"]])
    times = [truth.time(frame) for frame in range(len(truth.pts) + 1)]
    total = right = 0.0
    said: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for brand in report.brands:
        number = numbers.get(normalise_name(brand.name), -1)
        for exposure in brand.exposures:
            for frame, start in enumerate(times[:-1]):
                places = shown.get((number, frame))
                if places and exposure.start <= start < exposure.end:
                    seconds = times[frame + 1] - start
                    total += seconds
                    right += seconds if exposure.placement in places else 0.0
                    if len(places) == 1:
                        said[next(iter(places))][exposure.placement] += seconds
    return PlacementFigures(
        seconds=round(total, 3),
        right=round(right, 3),
        said={true: {place: round(took, 3) for place, took in sorted(by.items())} for true, by in sorted(said.items())},
    )


if __name__ == "__main__":
    print(msgspec.json.encode(judged(from_json(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2]))).decode())
