"""A queue of many groups, made in seconds: ``python -m bench.review_data GROUPS VIDEOS``, and who reviews it.

Every picture is a real one: items show boxes of a few frames of one drawn match. Everything follows from its number.
"""

from __future__ import annotations

import hashlib
import os
import random
import sys
from typing import TYPE_CHECKING, Any

from bench.review import PASSWORD, USER

if TYPE_CHECKING:
    from brands.models import ReviewGroup, ReviewItem
    from detect.models import SourceAsset
    from jobs.models import DetectJob

FRAMES = 40
_SECONDS = 20
BRANDS = 400
_BOXES = ((100, 320, 260, 48), (420, 318, 300, 52), (760, 330, 240, 44), (60, 40, 220, 60))
_SYLLABLES = ("ka", "lo", "ve", "mi", "tra", "sol", "ber", "nu", "da", "fen", "rix", "or", "pla", "to", "gu", "hal")


def main(groups: int, videos: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
    import django

    django.setup()
    from django.contrib.auth.models import User

    from mediaproc.roles import Role, give_role

    give_role(User.objects.create_user(USER, password=PASSWORD), Role.REVIEWER)
    chance = random.Random(groups)
    assets = _assets(videos)
    _brands(chance)
    _queue(groups, assets, _job_with_frames(assets[0]), chance)


def _assets(videos: int) -> list[SourceAsset]:
    from detect.models import SourceAsset

    probe = {"duration": 5400.0, "width": 1280, "height": 720, "frame_rate": "25/1", "variable_frame_rate": False}
    return SourceAsset.objects.bulk_create(
        SourceAsset(
            path=f"/videos/match-{number}.mp4",
            sha256=hashlib.sha256(str(number).encode()).hexdigest(),
            probe={**probe, "start_time": 0.0, "warnings": []},
        )
        for number in range(videos)
    )


def _job_with_frames(asset: SourceAsset) -> DetectJob:
    """A finished job whose frames are in storage."""
    from detect.checkpoints import serde
    from detect.models import Timeline
    from detect.stages.extract_frames import encode_jpeg
    from detect.synthetic import Renderer, build_match
    from detect.types import KnownBrands
    from jobs.engine import timeline_frames
    from jobs.models import DetectJob

    timeline = Timeline.objects.create(
        source_asset=asset,
        source_video=asset.path,
        profile_name="soccer_broadcast",
        fps=2,
        frames_prefix="bench/frames",
    )
    drawn, frames = Renderer(build_match(1, "easy", _SECONDS)), timeline_frames(timeline)
    for sequence in range(FRAMES):
        number = sequence * int(drawn.match.fps * _SECONDS) // FRAMES
        frames.save_jpeg(sequence, encode_jpeg(drawn.frame(number).picture, 90))
    return DetectJob.objects.create(
        source_asset=asset,
        timeline=timeline,
        video_path=asset.path,
        known_brands=serde.pack(serde.encode(KnownBrands())),
        request_digest="",
        status="completed",
    )


def _brands(chance: random.Random) -> None:
    from brands.models import KnownBrand
    from brands.models.known import name_key

    names = {name_key(name): name for name in (_name(chance) for _ in range(2 * BRANDS))}
    KnownBrand.objects.bulk_create(
        KnownBrand(canonical_name=name, normalized_name=key, confirmed=True)
        for key, name in list(names.items())[:BRANDS]
    )


def _queue(count: int, assets: list[SourceAsset], job: DetectJob, chance: random.Random) -> None:
    from django.db import connection

    from brands.models import KnownBrand, ReviewGroup, ReviewItem
    from brands.models.known import name_key

    taken = set(KnownBrand.objects.values_list("normalized_name", flat=True))
    texts: dict[str, str] = {}
    while len(texts) < count:
        text = f"{_name(chance)} {chance.randrange(10 * count)}"
        if name_key(text) not in taken:
            texts.setdefault(name_key(text), text)
    groups = ReviewGroup.objects.bulk_create(
        [ReviewGroup(text=text, folded=_folded(text)) for text in texts.values()], batch_size=5000
    )
    items: list[ReviewItem] = []
    for place, group in enumerate(groups):
        own = [_item(group, assets, job, chance) for _ in range(1 + min(19, 4000 // (1 + place)) + place % 3)]
        group.open_items, group.open_seconds = len(own), sum(item.seconds for item in own)
        group.open_sources = len({item.source_asset_id for item in own})
        items += own
    ReviewItem.objects.bulk_create(items, batch_size=5000)
    ReviewGroup.objects.bulk_update(groups, ["open_items", "open_seconds", "open_sources"], batch_size=2000)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE brands_reviewgroup, brands_reviewitem, brands_knownbrand")


def _item(group: ReviewGroup, assets: list[SourceAsset], job: DetectJob, chance: random.Random) -> ReviewItem:
    from brands.models import ReviewItem
    from brands.models.known import name_key

    sequence = chance.randrange(FRAMES)
    fields: dict[str, Any] = {"sequence": sequence, "time": sequence / 2, "box": list(chance.choice(_BOXES))}
    return ReviewItem(
        group=group,
        source_asset=chance.choice(assets),
        job_id=job.id,
        text=group.text,
        normalized=name_key(group.text),
        folded=group.folded,
        seconds=round(chance.uniform(1, 60), 1),
        confidence=0.9,
        placement=chance.choice(["board", "led", "jersey", "overlay"]),
        reason="no known brand is spelled like it",
        **fields,
    )


def _folded(text: str) -> str:
    from detect.matching import fold

    return fold(text)


def _name(chance: random.Random) -> str:
    return " ".join(
        "".join(chance.choice(_SYLLABLES) for _ in range(chance.randrange(2, 4))).capitalize()
        for _ in range(chance.randrange(1, 3))
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
