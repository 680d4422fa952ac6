"""A group as it is shown: its pictures, what it may be, and what a decision on it settles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from uuid import UUID

from django.urls import reverse

from brands.models import BrandAppearance, KnownBrand, ReviewGroup, ReviewItem
from brands.pages.filters import place_text
from brands.review.queue import Guess, Shown, groups_show
from detect.models import SourceAsset
from mediaproc.words import length, moment, plural

_PLACEMENTS = {
    "board": "board",
    "led": "LED board",
    "jersey": "jersey",
    "overlay": "screen graphic",
    "other": "elsewhere",
}
_SPELLINGS = 8


@dataclass(frozen=True)
class Picture:
    """One item's picture: addresses, its box and the size of its video in pixels as ``x y w h`` and ``w h``."""

    item: int
    crop: str
    frame: str
    page: str
    box: str
    size: str
    video: str
    at: str
    text: str


@dataclass(frozen=True)
class BrandChoice:
    """A known brand to choose: ``help`` tells it from others, ``crop`` is its best picture where there is one."""

    id: UUID
    name: str
    help: str
    crop: str


@dataclass(frozen=True)
class Card:
    """All that the page shows of one group."""

    group: ReviewGroup
    place: str
    proposed: KnownBrand | None
    kind: str
    placements: list[str]
    spellings: list[str]
    more_spellings: int
    reasons: list[str]
    seconds: str
    reports: str
    pictures: list[Picture]
    more_pictures: int
    guesses: list[BrandChoice]

    @property
    def ref(self) -> str:
        """What a decision names it by."""
        return f"{self.group.id}:{self.group.revision}"


def cards_of(groups: Sequence[ReviewGroup]) -> list[Card]:
    """Cards in the order of the groups, in a fixed number of queries."""
    return [_card(shown) for shown in groups_show(groups)]


def brand_choice(
    brand: KnownBrand, seen: BrandAppearance | None, note: str = "", *, logo: int | None = None
) -> BrandChoice:
    """A brand with where it was seen, else with its reference picture."""
    picture = reverse("brand-logo", args=[logo]) if logo is not None else ""
    crop = _crop(seen.job_id, seen.sequence, seen.box) if seen else picture
    return BrandChoice(brand.id, brand.canonical_name, note, crop)


def settles(seconds: float, sources: int) -> str:
    """``4 min 12 s in 9 reports``."""
    return f"{length(seconds)} in {plural(sources, 'report')}"


def source_name(asset: SourceAsset) -> str:
    """The file's name; an upload's is the one it came with."""
    return str(asset.probe.get("name") or PurePath(asset.path).name or asset.path)


def _card(shown: Shown) -> Card:
    group, proposed = shown.group, shown.proposed
    return Card(
        group=group,
        place=place_text(group),
        proposed=proposed,
        kind="proposed" if proposed else "undecided",
        placements=_each(_PLACEMENTS.get(item.placement, item.placement) for item in shown.items),
        spellings=shown.spellings[:_SPELLINGS],
        more_spellings=max(0, len(shown.spellings) - _SPELLINGS),
        reasons=_each(item.reason for item in shown.items)[:2],
        seconds=length(group.open_seconds),
        reports=plural(group.open_sources, "report"),
        pictures=[_picture(item) for item in shown.items],
        more_pictures=max(0, group.open_items - len(shown.items)),
        guesses=[_guess(guess) for guess in shown.guesses],
    )


def _guess(guess: Guess) -> BrandChoice:
    return brand_choice(guess.brand, guess.seen, f"{guess.similarity:.0%} alike", logo=guess.logo)


def _picture(item: ReviewItem) -> Picture:
    probe = item.source_asset.probe
    page = reverse("job-page", args=[item.job_id])
    return Picture(
        item=item.id,
        crop=_crop(item.job_id, item.sequence, item.box),
        frame=reverse("job-frame", args=[item.job_id, item.sequence]),
        page=f"{page}#t={item.time:g}",
        box=" ".join(map(str, item.box)),
        size=f"{probe['width']} {probe['height']}" if probe.get("width") and probe.get("height") else "",
        video=source_name(item.source_asset),
        at=moment(item.time),
        text=item.text,
    )


def _crop(job_id: UUID, sequence: int, box: Sequence[int]) -> str:
    return reverse("job-crop", args=[job_id, sequence, *box])


def _each(texts: Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]
