"""Invented brands and invented words that are not brands.

All names are made up and meant to resemble no real one. They cover what makes names hard: mixed case, two words,
digits, a three-letter name that also hides inside longer words (``RIQ`` in ``TARIQ``), and marks without any word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from detect.drawing.typeset import Face

Colour = tuple[int, int, int]
"""Blue, green, red: OpenCV's order."""


def colour(code: str) -> Colour:
    """``"#rrggbb"`` in OpenCV's order."""
    red, green, blue = (int(code[start : start + 2], 16) for start in (1, 3, 5))
    return blue, green, red


@dataclass(frozen=True)
class Brand:
    """A brand, or with ``distractor`` a text that must not become one, and how it is drawn.

    ``kind`` is ``text``, or ``logo`` for a mark without words whose drawing is chosen by ``emblem``. A text brand may
    have an emblem beside its name. ``ink`` on ``ground`` are the board's colours, ``accent`` the emblem's second one.
    """

    name: str
    face: Face
    ink: str
    ground: str
    accent: str = "#ffffff"
    kind: Literal["text", "logo"] = "text"
    emblem: str = ""
    aliases: tuple[str, ...] = ()
    distractor: bool = False


TEXT_BRANDS = (
    Brand("Velmora", Face("sans", 800), "#ffffff", "#b3122d", "#ffd23f", emblem="chevrons"),
    Brand("VORDIQ", Face("wide", stretch=1.15, spacing=0.08), "#0b2a5b", "#f4f6f8", aliases=("VORDIQ Energy",)),
    Brand("Takvia", Face("italic", 900), "#ffe100", "#101417", "#ffe100", emblem="slashes"),
    Brand("Hexalune", Face("sans", 600, spacing=0.1), "#ffffff", "#0a6e5c", "#7be0c3", emblem="hexagon"),
    Brand("Brimvolt 9", Face("wide"), "#101010", "#f7b500", "#101010", aliases=("Brimvolt",)),
    Brand("RIQ", Face("sans", 1000, stretch=1.2), "#ffffff", "#5b1fa6"),
    Brand("Oltra Vesk", Face("serif"), "#f5e9d0", "#123524", aliases=("OltraVesk",)),
    Brand("quorzen", Face("sans", 500, spacing=0.04), "#ffffff", "#e2571e", "#3b1405", emblem="dots"),
    Brand("Zephrico", Face("book"), "#16235a", "#e9edf5"),
    Brand("DRUNVIK", Face("uni", stretch=0.82, spacing=0.05), "#ffffff", "#1b1f27", "#e23d3d", emblem="bar"),
    Brand("Fennbrook Dairy", Face("roman"), "#ffffff", "#1d62b5", aliases=("Fennbrook",)),
    Brand("Klyra77", Face("sans", 900, slant=0.18), "#00121f", "#26d0ce"),
    Brand("Morvasto", Face("wide", slant=0.12, outline=True), "#ffffff", "#30343f"),
    Brand("Plimsora", Face("mono"), "#d4145a", "#fff4f8"),
)

LOGO_BRANDS = (
    Brand("Solquist", Face(), "#f6b21b", "#14213d", "#e4572e", kind="logo", emblem="sun"),
    Brand("Karnwheel", Face(), "#e8eef2", "#7a1022", "#2b2d42", kind="logo", emblem="wheel"),
    Brand("Tessarine", Face(), "#1fb38a", "#f3f0e6", "#1b3a8a", kind="logo", emblem="mosaic"),
)

NOTICES = (
    Brand("FAIR PLAY", Face("sans", 700), "#ffffff", "#24435c", distractor=True),
    Brand("NORTH STAND", Face("uni"), "#c9d2da", "#1d2a35", distractor=True),
    Brand("ENJOY THE GAME", Face("sans", 600), "#163a24", "#d8e6d3", distractor=True),
)

LOOK_ALIKES = (
    Brand("Velour Park", Face("sans", 800), "#ffffff", "#97283a", distractor=True),
    Brand("TARIQ STRIQUE", Face("sans", 900), "#ffffff", "#51318f", distractor=True),
    Brand("HEXAGON END", Face("sans", 600, spacing=0.1), "#ffffff", "#2a6a60", distractor=True),
)

PLAYER_NAMES = (
    "TARIQ", "ENRIQUEZ", "HALVORD", "OSTEN", "MBEKO", "KALUSHA", "VELDMOOR", "PRADZIK", "VORDAHL", "SZELEM",
    "TAKVARI", "IBARRO", "DUNGALE", "YOSHIMO", "CRAVANT", "LOBELL", "ZUNIGO", "FERRAND", "HEXTOW", "BRIMSON",
)  # fmt: skip
"""Some contain a brand's letters or share its beginning: they must not be taken for it."""

TEAM_CODES = ("BRV", "KAL", "OSM", "TIR", "VEN", "LUG")
TEAM_NAMES = {"BRV": "BRAVENSK", "KAL": "KALDERO", "OSM": "OSMARK", "TIR": "TIRVANE", "VEN": "VENLOW", "LUG": "LUGARDE"}


def choose_brands(texts: int, logos: int, rng: np.random.Generator) -> tuple[Brand, ...]:
    """``texts`` word brands, the three-letter one always among them, and ``logos`` wordless ones, in random order."""
    short = next(brand for brand in TEXT_BRANDS if brand.name == "RIQ")
    others = [brand for brand in TEXT_BRANDS if brand is not short]
    picked = [short, *_sample(others, texts - 1, rng), *_sample(LOGO_BRANDS, logos, rng)]
    return tuple(_sample(picked, len(picked), rng))


def _sample(items: Sequence[Brand], count: int, rng: np.random.Generator) -> list[Brand]:
    return [items[index] for index in rng.permutation(len(items))[: max(0, count)]]
