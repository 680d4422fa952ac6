"""Marks of well-known brands as silhouettes, from Simple Icons (CC0), where the package is installed.

Simple Icons has one mark for each of some 3,400 brands, drawn in one colour. What it has for a brand is found by the
brand's name or an alias, in any spelling that normalises to the entry's title.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from detect.matching import normalize
from detect.stages.base import Image

_PACKAGES = ("simple-icons-pack", "resvg-py")
_MODULES = ("simple_icons_pack", "resvg_py")
_SIDE = 320
# How the catalogue spells characters that its short names cannot have.
_SPELT_OUT = str.maketrans({"&": "and", "+": "plus", ".": "dot"})
NO_CATALOGUE = "no catalogue of marks: install the packages simple-icons-pack and resvg-py"


@dataclass(frozen=True)
class Mark:
    """An entry of the catalogue. ``silhouette`` is ``(height, width)``, coverage 0-255, trimmed to the ink."""

    title: str
    silhouette: Image

    def picture(self) -> Image:
        """The mark in black on white, ``(height, width)`` grey levels, with a narrow border."""
        border = round(0.06 * max(self.silhouette.shape))
        return np.asarray(255 - np.pad(self.silhouette, border))


@lru_cache(maxsize=1)
def catalogue_digest() -> str:
    """Which catalogue is installed and what draws it, by version; empty where there is none."""
    if not all(importlib.util.find_spec(module) for module in _MODULES):
        return ""
    return " ".join(f"{package} {importlib.metadata.version(package)}" for package in _PACKAGES)


def find_mark(spellings: Iterable[str]) -> Mark | None:
    """The mark of the first of these names that is an entry's title; None where none is, or without a catalogue."""
    if not catalogue_digest():
        return None
    return next((mark for spelling in spellings if (mark := _by_title(spelling))), None)


@lru_cache(maxsize=1024)
def _by_title(spelling: str) -> Mark | None:
    import resvg_py
    import simple_icons_pack

    wanted = normalize(spelling)
    for slug in dict.fromkeys((wanted, normalize(spelling.translate(_SPELT_OUT)))):
        icon = simple_icons_pack.get_icon(slug) if slug else None
        if icon is not None and normalize(icon.title) == wanted:
            drawn = resvg_py.svg_to_bytes(svg_string=icon.svg, width=_SIDE, height=_SIDE, skip_system_fonts=True)
            return Mark(icon.title, _trimmed(bytes(drawn)))
    return None


def _trimmed(png: bytes) -> Image:
    coverage = np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED), np.uint8)[..., 3]
    rows, columns = np.flatnonzero(coverage.any(axis=1)), np.flatnonzero(coverage.any(axis=0))
    return np.ascontiguousarray(coverage[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
