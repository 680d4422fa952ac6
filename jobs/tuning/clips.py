"""Videos of known truth, as people name them: files, folders, synthetic matches, bookmarked scenarios."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings

from brands.brand_lists import read_brand_list
from detect.errors import ConfigError, StorageError
from detect.exports.files import make_folder
from detect.matching import normalize
from detect.media.probe import probe
from detect.option_trials import Case, by_spans, by_totals
from detect.scoring import TruthError, normalise_name, score
from detect.synthetic import LEVELS, build_match
from detect.types import KnownBrandRecord, KnownBrands, LogoReference
from jobs.assets.intake import VIDEO_SUFFIXES
from jobs.assets.sources import asset_local
from jobs.branches.scenarios import scenario_list
from jobs.models import DetectJob
from jobs.selectors import job_known_brands, job_source

_TRUTH, _BRANDS = "truth.json", "brands.csv"
_SYNTHETIC = re.compile(rf"({'|'.join(LEVELS)})-(\d+)")
_WHAT = (
    "a clip is NAME.mp4 with NAME.truth.json and NAME.brands.csv beside it, a folder with one video, truth.json and "
    "brands.csv, or LEVEL-SEED such as medium-3"
)


@dataclass(frozen=True)
class Clip:
    """A video with the brands to look for, reference pictures of some, and what is true of it."""

    name: str
    video: Path
    brands: Path
    truth: Path
    logos: dict[str, Path] = field(default_factory=dict)


def clips_named(texts: Sequence[str], *, seconds: float, told: Callable[[str], object]) -> list[Clip]:
    """The clips that people name, each once, in that order.

    A synthetic match is ``seconds`` long and is rendered once; ``told`` is given a line about it. Raises
    ``ConfigError`` for what is no clip, naming the file that is missing.
    """
    found: dict[Path, Clip] = {}
    for text in texts:
        for clip in _named(text, seconds, told):
            found.setdefault(clip.video.resolve(), clip)
    return list(found.values())


def clip_case(clip: Clip, logos: dict[str, Path], told: Callable[[str], object]) -> Case:
    """A clip ready to be run; the files of its reference pictures go into ``logos``, by their keys.

    ``told`` is given a line about brands that are true and not looked for. Raises ``ConfigError`` for a list, truth or
    picture that cannot be used, ``MediaError`` for what is no video.
    """
    listed = read_brand_list(str(clip.brands))
    pictures = {normalize(name): path for name, path in clip.logos.items()}
    records = tuple(_with_logo(record, pictures.get(normalize(record.name)), logos) for record in listed)
    truth = _read_truth(clip.truth)
    missing = _unlisted(truth, listed)
    if missing:
        told(f"{clip.name}: {', '.join(missing)}: in the truth and not in {clip.brands.name}, so never found")
    return Case(clip.name, probe(clip.video).source_info(), KnownBrands(brands=records, given=True), by_spans(truth))


def scenario_cases(labels: Sequence[str], local: ExitStack) -> list[Case]:
    """The scenarios with an expectation in whose label one of ``labels`` is, as cases that are judged by totals.

    Their videos are on this machine until ``local`` ends. Raises ``ConfigError`` where there is none.
    """
    cases = []
    for label in labels:
        found = [one for one in scenario_list() if one.expected and label.casefold() in one.label.casefold()]
        if not found:
            raise ConfigError(
                f"no scenario with an expectation has '{label}' in its label: bookmark a checkpoint of a job and say "
                "what is expected of it first"
            )
        jobs = DetectJob.objects.select_related("source_asset").in_bulk([one.job_id for one in found])
        for scenario in found:
            job = jobs[scenario.job_id]
            path = local.enter_context(asset_local(job.video_path, job.source_asset.sha256))
            source = msgspec.structs.replace(job_source(job), path=str(path))
            expected = [(brand.name, brand.seconds, brand.tolerance) for brand in scenario.expected]
            cases.append(Case(scenario.label, source, job_known_brands(job), by_totals(expected)))
    return cases


def named_apart(cases: Sequence[Case]) -> list[Case]:
    """The same cases, those whose name an earlier one has with a number behind it."""
    seen: Counter[str] = Counter()
    apart = []
    for case in cases:
        seen[case.name] += 1
        count = seen[case.name]
        apart.append(case if count == 1 else dataclasses.replace(case, name=f"{case.name} ({count})"))
    return apart


def check_apart(development: Iterable[Case], held_out: Iterable[Case]) -> None:
    """Raises ``ConfigError`` where a video is both developed on and held out, under whatever name."""
    names = {case.source.sha256: case.name for case in development}
    for case in held_out:
        if case.source.sha256 in names:
            other = names[case.source.sha256]
            raise ConfigError(f"{case.name} is held out and tuned on too (as {other}): name it in one place")


def _named(text: str, seconds: float, told: Callable[[str], object]) -> list[Clip]:
    path = Path(text).expanduser()
    synthetic = _SYNTHETIC.fullmatch(text)
    if path.is_dir():
        return [_folder_clip(path)] if (path / _TRUTH).exists() else _beside(path)
    if path.is_file():
        truth, brands = (_companion(path, kind) for kind in (_TRUTH, _BRANDS))
        return [Clip(path.stem, path, brands, truth, _pictures(path.parent, brands))]
    if synthetic:
        return [_synthetic(synthetic[1], int(synthetic[2]), seconds, told)]
    raise ConfigError(f"no clip at {text}: {_WHAT}")


def _beside(folder: Path) -> list[Clip]:
    """Every clip whose files lie beside one another, and those in folders of their own below."""
    clips = []
    for truth in sorted(folder.glob(f"*.{_TRUTH}")):
        name = truth.name.removesuffix(f".{_TRUTH}")
        videos = [one for one in sorted(folder.glob(f"{_literal(name)}.*")) if one.suffix.lower() in VIDEO_SUFFIXES]
        if not videos:
            raise ConfigError(f"{truth} has no video {name}.mp4 beside it")
        clips.append(Clip(name, videos[0], _companion(videos[0], _BRANDS), truth))
    clips += [_folder_clip(truth.parent) for truth in sorted(folder.glob(f"*/{_TRUTH}"))]
    if not clips:
        raise ConfigError(f"no clip in {folder}: {_WHAT}")
    return clips


def _folder_clip(folder: Path) -> Clip:
    videos = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in VIDEO_SUFFIXES]
    if len(videos) != 1:
        raise ConfigError(f"{folder} has a {_TRUTH} and {len(videos) or 'no'} videos: there must be one")
    if not (folder / _BRANDS).is_file():
        raise ConfigError(f"{folder} has no {_BRANDS}: write the names to look for into it, name,alias;alias a line")
    return Clip(
        folder.resolve().name, videos[0], folder / _BRANDS, folder / _TRUTH, _pictures(folder, folder / _BRANDS)
    )


def _companion(video: Path, kind: str) -> Path:
    """The truth or the brand list of a video."""
    for path in (video.with_name(f"{video.stem}.{kind}"), video.with_name(kind)):
        if path.is_file():
            return path
    what = "what is true of it" if kind == _TRUTH else "the names to look for, name,alias;alias a line"
    raise ConfigError(f"{video} has no {video.stem}.{kind} beside it: write {what} into one")


def _pictures(folder: Path, brands: Path) -> dict[str, Path]:
    """Reference pictures in ``logos/``, by the names of their brands; only where the folder is of one clip."""
    return {path.stem: path for path in sorted((folder / "logos").glob("*.png"))} if brands.name == _BRANDS else {}


def _synthetic(level: str, seed: int, seconds: float, told: Callable[[str], object]) -> Clip:
    """A match of the generator, rendered when it is asked for first. Raises ``StorageError``."""
    from detect.synthetic.__main__ import write_match

    folder = Path(settings.TUNING_FOLDER) / "matches" / f"{level}-{seed}-{seconds:g}s"
    if not folder.exists():
        told(f"Rendering {level}-{seed}, {seconds:g} s")
        make_folder(folder.parent)
        draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".draft-"))
        try:
            match = build_match(seed, level, seconds)
            write_match(match, draft)
            for brand in match.brands:
                if brand.kind == "text":  # read, not compared: a picture would make the match another one
                    (draft / "logos" / f"{brand.name}.png").unlink()
            draft.rename(folder)
        except OSError as error:
            raise StorageError(f"cannot keep a match in {folder.parent}: {error.strerror}") from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    clip = _folder_clip(folder)
    return Clip(f"{level}-{seed}", clip.video, clip.brands, clip.truth, clip.logos)


def _with_logo(record: KnownBrandRecord, picture: Path | None, logos: dict[str, Path]) -> KnownBrandRecord:
    if picture is None:
        return record
    try:
        digest = hashlib.sha256(picture.read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigError(f"the picture {picture} cannot be read: {error.strerror}") from error
    key = f"clip:{digest}"
    logos[key] = picture
    return KnownBrandRecord(record.name, record.aliases, logos=(LogoReference(digest, key),))


def _read_truth(path: Path) -> list[dict[str, Any]]:
    """Entries ``{brand, t_start, t_end, uncertain?, ignore?}``, or the spans of a synthetic match."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        entries = document["spans"] if isinstance(document, dict) else document
        score({}, entries)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, TruthError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(
            f"the truth {path} cannot be read ({reason}): it is a JSON list of "
            '{"brand": "Acme", "t_start": 1.5, "t_end": 4.0}, seconds of the video'
        ) from error
    return list(entries)


def _unlisted(truth: Sequence[Mapping[str, Any]], listed: Iterable[KnownBrandRecord]) -> list[str]:
    """Names that are scored and that the brand list does not have."""
    known = {normalise_name(record.name) for record in listed}
    return [name for name in score({}, truth).per_brand if normalise_name(name) not in known]


def _literal(name: str) -> str:
    """A name as a pattern that is met by itself alone."""
    return re.sub(r"([*?[])", r"[\1]", name)
