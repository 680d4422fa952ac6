"""Synthetic matches with exact truth: what the demo shows, the golden tests check and the benchmark measures.

>>> match = build_match(seed=7, level="medium", seconds=20)
>>> truth = render_match(match, "match.mp4")
>>> truth.to_spans()
"""

from detect.synthetic.artwork import logo_image
from detect.synthetic.brands import Brand
from detect.synthetic.build import MatchError, build_match
from detect.synthetic.levels import LEVELS, Level
from detect.synthetic.render import Renderer
from detect.synthetic.scene import Match
from detect.synthetic.truth import Truth
from detect.synthetic.video import loop_video, render_match

__all__ = [
    "LEVELS",
    "Brand",
    "Level",
    "Match",
    "MatchError",
    "Renderer",
    "Truth",
    "build_match",
    "logo_image",
    "loop_video",
    "render_match",
]
