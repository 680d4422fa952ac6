from __future__ import annotations

import numpy as np
import pytest

from detect.engines.boards import find_boards
from detect.errors import CancelledError, ConfigError
from detect.options import convert_options
from detect.resources import Resources
from detect.stages.detect_edges import DetectEdges, DetectEdgesInput, DetectEdgesOptions
from tests.engines.scenes import board, ground, leaning, paste
from tests.stages.pictures import Pictures, context, kept

STAGE = DetectEdges()
SCENE = paste(ground(), board(["NORVIK", "Teal&Co"], [(150, 60, 10)]), leaning(100, 330, 1000, 44, 2))
PICTURES = {2: SCENE, 3: np.zeros_like(SCENE), 4: SCENE[:, ::-1].copy()}


def test_every_kept_frame_has_its_boards() -> None:
    ctx = context(DetectEdgesOptions(), PICTURES)
    output = STAGE.run(ctx, DetectEdgesInput(kept(2, 3)))
    assert output.regions == {2: find_boards(SCENE).regions, 3: []}
    assert output.regions[2] and {region.label for region in output.regions[2]} == {"board"}
    assert isinstance(ctx.frames, Pictures) and ctx.frames.loaded == [2, 3]
    assert output.stats["frames"] == 2 and output.stats["frames_with_boards"] == 1
    assert output.stats["boards"] == len(output.regions[2])
    assert output.stats["line_pairs"] and output.stats["horizontal_lines"]
    assert output.skipped == "" and not output.incomplete
    assert STAGE.model_digests(DetectEdgesOptions(), Resources()) == ()


def test_no_kept_frames_is_no_work() -> None:
    assert STAGE.run(context(DetectEdgesOptions(), {}), DetectEdgesInput(kept())).regions == {}


def test_options_reach_the_search() -> None:
    options = convert_options(STAGE, {"max_regions": 1, "min_confidence": 0.0, "work_width": 960})
    output = STAGE.run(context(options, PICTURES), DetectEdgesInput(kept(2, 4)))
    assert [len(found) for found in output.regions.values()] == [1, 1]
    assert output.regions[2] == find_boards(SCENE, options).regions


@pytest.mark.parametrize(
    "options",
    [
        {"work_width": 10},
        {"max_angle_degrees": 90},
        {"min_length_share": 0},
        {"max_regions": 0},
        {"min_contrast": "much"},
    ],
)
def test_values_out_of_range_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"detect_edges.{next(iter(options))}"):
        convert_options(STAGE, options)


def test_it_reports_progress_and_stops_when_asked() -> None:
    done: list[tuple[int, int]] = []
    STAGE.run(
        context(DetectEdgesOptions(), PICTURES, progress=lambda *step: done.append(step)), DetectEdgesInput(kept(2, 3))
    )
    assert done == [(1, 2), (2, 2)]

    def stop() -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        STAGE.run(context(DetectEdgesOptions(), PICTURES, checkpoint=stop), DetectEdgesInput(kept(2)))
