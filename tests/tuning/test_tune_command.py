"""``manage.py tune`` on a small match, most of whose outputs a job has stored, and on figures that are made up."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.core.management import call_command

from detect.config import ResolvedConfig, find_profile
from detect.errors import CancelledError, ConfigError, ConflictError
from detect.events import SilentListener
from detect.models import Profile
from detect.option_trials import Case, Figures
from detect.persistence import StorageFrames, timeline_id
from detect.registry import Pipeline
from detect.scoring import BrandScore
from detect.synthetic import build_match
from jobs.branches.scenarios import bookmark_set
from jobs.management.commands import tune
from jobs.models import DetectJob
from jobs.tuning.bench import tuning_bench
from jobs.tuning.clips import clips_named
from tests.matches import OVERRIDES, Finished

pytestmark = pytest.mark.django_db
SIMILAR = "match_brands.min_similarity=0.7,0.9"
STRICT = "compile_report.min_observations=1,100"


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], settings: Any, tmp_path: Path) -> Callable[..., Ended]:
    """Runs the command as ``manage.py`` does, with a folder of its own; errors that a person can fix are raised."""
    settings.TUNING_FOLDER = tmp_path / "tuning"

    def call(*arguments: object) -> Ended:
        written, code = io.StringIO(), 0
        capsys.readouterr()
        try:
            call_command("tune", *map(str, arguments), stdout=written)
        except SystemExit as end:
            code = int(end.code or 0)
        shown = capsys.readouterr()
        return Ended(code, shown.out + written.getvalue(), shown.err)

    return call


@pytest.fixture
def clip(finished: Finished, tmp_path: Path) -> Path:
    """The match in a folder with its brands, true of it being what the finished run says."""
    folder = tmp_path / "derby"
    folder.mkdir()
    shutil.copy(finished.source.path, folder / "derby.mp4")
    [body] = finished.output("compile_report")
    truth = [
        {"brand": brand.name, "t_start": one.start, "t_end": one.end}
        for brand in body.brands
        for one in brand.exposures
    ]
    (folder / "derby.truth.json").write_text(json.dumps(truth))
    names = [brand.name for brand in finished.known_brands.brands]
    (folder / "derby.brands.csv").write_text("name\n" + "\n".join(names) + "\n")
    return folder / "derby.mp4"


@pytest.fixture
def analysed(job: DetectJob, finished: Finished, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The match was analysed before; the arguments with which its outputs are those of the present settings."""
    monkeypatch.setattr("jobs.tuning.bench.engine_resources", lambda: finished.resources)
    first = finished.pipeline.stages[0]
    known = timeline_id(finished.source.sha256, first, finished.config().options[first.name])
    stored = StorageFrames(default_storage, f"timelines/{known}")
    for sequence, jpeg in finished.frames.jpegs.items():
        stored.save_jpeg(sequence, jpeg)
    sets = [f"{stage}.{name}={value}" for stage, values in OVERRIDES.items() for name, value in values.items()]
    return [part for text in sets for part in ("--set", text)]


def rows() -> dict[str, int]:
    return {model._meta.label: model._default_manager.count() for model in apps.get_models() if model._meta.managed}


class TestOnAMatch:
    def test_settings_are_tried_and_told(self, run, clip: Path, analysed: list[str], tmp_path: Path):
        ended = run(
            clip, *analysed, "--try", STRICT, "--try", "compile_report.min_seconds=60", "--out", tmp_path / "o.csv"
        )
        assert "as it is" in ended.out and "best *" in ended.out
        assert "Nothing that was tried is better than the settings as they are." in ended.out
        lines = list(csv.DictReader(io.StringIO((tmp_path / "o.csv").read_text())))
        assert [line["best"] for line in lines] == ["yes", "", ""]
        assert (lines[0]["f1"], lines[0]["front"]) == ("1.0", "yes")
        assert [line["compile_report.min_seconds"] for line in lines] == ["0.0", "0.0", "60.0"]
        assert [line["compile_report.min_observations"] for line in lines] == ["1", "100", "1"]
        assert [line["recall"] for line in lines] == ["1.0", "0.0", "0.0"]
        assert "1 of at most 4: as it is: F1 1.000, precision 1.000" in ended.err

    def test_what_is_better_is_found_and_how_to_use_it(self, run, clip: Path, analysed: list[str]):
        present = [*analysed, "--set", "compile_report.min_observations=99"]
        ended = run(clip, *present, "--try", STRICT, "--save-profile", "Our ground")
        assert "Best is trial 1" in ended.out and "compile_report.min_observations: 99 → 1" in ended.out
        assert "What the best settings move" in ended.out
        assert "manage.py analyze VIDEO --profile our_ground" in ended.out
        assert "manage.py replay JOB --from extract_frames --set extract_frames.chunk_seconds=5" in ended.out
        assert find_profile("our_ground").options["run_ocr"] == {"detect_side": 640}
        again = run(clip, *present, "--try", STRICT, "--save-profile", "Our ground")
        assert "--profile our_ground" in again.out and Profile.objects.count() == 1
        with pytest.raises(ConflictError, match="save this one as 'Our ground 2'"):
            run(clip, *present, "--try", "compile_report.min_observations=2", "--save-profile", "Our ground")

    def test_nothing_of_it_is_in_the_installation(self, run, clip: Path, analysed: list[str], tmp_path: Path):
        before, files = rows(), sorted(tmp_path.glob("timelines/**/*"))
        assert run(clip, *analysed, "--try", STRICT).code == 0
        assert rows() == before
        assert sorted(tmp_path.glob("timelines/**/*")) == files
        assert list((tmp_path / "tuning/outputs").rglob("*"))

    def test_what_a_job_or_a_trial_has_stored_is_not_computed_again(
        self, run, clip: Path, analysed: list[str], tmp_path: Path
    ):
        first = run(clip, *analysed, "--try", "match_brands.min_similarity=0.9", "--json").json
        stored = {path: path.stat().st_mtime_ns for path in (tmp_path / "tuning").rglob("*")}
        assert not list((tmp_path / "tuning").glob("frames/**/*.jpg")), "no frame was extracted again"
        again = run(clip, *analysed, "--try", "match_brands.min_similarity=0.9", "--json").json
        assert again == first
        assert {path: path.stat().st_mtime_ns for path in (tmp_path / "tuning").rglob("*")} == stored

    def test_all_of_it_is_forgotten_at_once(self, run, clip: Path, analysed: list[str], tmp_path: Path):
        run(clip, *analysed, "--try", STRICT)
        assert "MB of trials removed" in run("--forget").out
        assert not (tmp_path / "tuning").exists()
        assert run("--forget").out.startswith("0.0 MB")

    def test_models_are_asked_nothing_unless_money_is_given(self, analysed: list[str], finished: Finished):
        given: dict[str, Any] = {"logos": {}, "listener": SilentListener(), "checkpoint": lambda: None}
        for usd, calls in ((Decimal(0), 0), (Decimal("2.5"), None)):
            limits = tuning_bench(finished.pipeline, most_usd=usd, **given).limits
            assert (limits.usd, limits.calls) == (usd, calls)

    def test_scenarios_are_judged_by_their_totals(self, run, job: DetectJob, analysed: list[str], finished: Finished):
        timeline = DetectJob.objects.get().timeline
        assert timeline is not None
        node = timeline.checkpoints.get(stage="compile_report")
        bookmark_set(checkpoint_id=node.id, label="night match", from_report=True)
        told = run("--scenario", "Night", *analysed, "--try", STRICT, "--json").json
        assert told["trials"][0]["f1"] == 1.0
        assert told["trials"][1]["recall"] < 1 and list(told["trials"][0]["clips"]) == ["night match"]
        with pytest.raises(ConfigError, match="no scenario with an expectation has 'day' in its label"):
            run("--scenario", "day", "--try", STRICT)


@dataclass
class FakeBench:
    """Figures by the value of ``match_brands.min_similarity``; ``runs`` are what was asked for."""

    pipeline: Pipeline
    runs: list[tuple[str, float]]

    def run(self, case: Case, config: ResolvedConfig) -> Figures:
        similarity = config.options["match_brands"].min_similarity
        self.runs.append((case.name, similarity))
        if (case.name, similarity) == ("stops", 0.9):
            raise CancelledError("stopped")
        right = {0.7: 60.0, 0.8: 50.0, 0.9: 65.0}[similarity]
        if case.name == "final" and similarity == 0.7:
            right = 30.0
        brand = BrandScore("[Acme]", 80.0, right + (10.0 if similarity == 0.9 else 0.0), right)
        return Figures([brand], {"run_ocr": 5.0, "match_brands": 1 / similarity}, Decimal("0.01"))


@pytest.fixture
def asked(clip: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """What is asked of a bench whose figures are made up; beside the clip lie other ones."""
    runs: list[tuple[str, float]] = []
    monkeypatch.setattr(tune, "tuning_bench", lambda pipeline, **_: FakeBench(pipeline, runs))
    for name in ("cup", "final", "stops"):
        for suffix in ("truth.json", "brands.csv"):
            shutil.copy(clip.with_name(f"derby.{suffix}"), clip.with_name(f"{name}.{suffix}"))
        clip.with_name(f"{name}.mp4").write_bytes(clip.read_bytes() + name.encode())  # another video to its digest
    return runs


class TestOnFigures:
    def test_the_table_the_front_and_the_cost(self, run, clip: Path, asked, tmp_path: Path):
        told = run(clip, "--try", SIMILAR, "--out", tmp_path / "o.json").out
        document = json.loads((tmp_path / "o.json").read_text())
        trials = {trial["trial"]: trial for trial in document["trials"]}
        assert [trial["trial"] for trial in document["trials"]] == [0, 1, 2]
        assert trials[1] == {
            **trials[1],
            "changes": {"match_brands": {"min_similarity": 0.7}},
            "allowed": True,
            "f1": 0.8571,
            "precision": 1.0,
            "recall": 0.75,
            "seconds": 6.429,
            "usd": "0.01",
        }
        assert (document["best"], document["front"], document["finished"]) == (1, [0, 1], True)
        assert document["tried"] == {"match_brands.min_similarity": {"present": 0.8, "values": [0.7, 0.9]}}
        assert not trials[2]["allowed"] and "0.867 low" in told
        assert "[Acme]" in told, "a name is no markup"
        assert "--hold-out CLIP shows whether this holds for other footage too" in told

    def test_less_precision_may_be_enough(self, run, clip: Path, asked):
        told = run(clip, "--try", "match_brands.min_similarity=0.9", "--min-precision", "0.8", "--json").json
        assert (told["best"], told["front"]) == (1, [1])

    def test_held_out_clips_are_run_at_the_end_and_may_disagree(self, run, clip: Path, asked):
        told = run(clip, "--hold-out", clip.with_name("final.mp4"), "--try", SIMILAR)
        assert asked == [("derby", 0.8), ("derby", 0.7), ("derby", 0.9), ("final", 0.8), ("final", 0.7)]
        assert "On the held-out clips it is worse than the settings as they are" in told.out
        asked.clear()
        agreed = run(clip, "--hold-out", clip.with_name("cup.mp4"), "--try", SIMILAR, "--json").json
        assert [(one["trial"], one["f1"]) for one in agreed["held_out"]] == [(0, 0.7692), (1, 0.8571)]

    def test_a_clip_is_not_both(self, run, clip: Path, asked):
        with pytest.raises(ConfigError, match="derby is held out and tuned on too"):
            run(clip.parent, "--hold-out", clip, "--try", SIMILAR)
        assert asked == []

    def test_a_folder_is_all_its_clips(self, run, clip: Path, asked):
        told = run(clip.parent, "--try", "match_brands.min_similarity=0.7", "--json").json
        assert list(told["trials"][0]["clips"]) == ["cup", "derby", "final", "stops"]

    def test_stopped_it_shows_what_is_known(self, run, clip: Path, asked, tmp_path: Path):
        ended = run(clip, clip.with_name("stops.mp4"), "--try", SIMILAR, "--out", tmp_path / "o.json")
        assert ended.code == 130
        assert asked[-1] == ("stops", 0.9)
        assert "Best so far is trial 1" in ended.out and "To go on:" in ended.err
        document = json.loads((tmp_path / "o.json").read_text())
        assert (document["finished"], [one["trial"] for one in document["trials"]]) == (False, [0, 1])
        assert document["held_out"] == [] and "manage.py analyze" not in ended.out

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--try", SIMILAR], "nothing to tune on: name a clip"),
            (["{clip}"], "nothing to try"),
            (["{clip}", "--try", "match_brands.similar=1"], "unknown option"),
            (["{clip}", "--try", SIMILAR, "--min-precision", "95"], "give a share from 0 to 1"),
            (["{clip}", "--try", SIMILAR, "--trials", "0"], "at least 1 setting"),
            (["{clip}", "--try", SIMILAR, "--out", "results.txt"], r"written as \.json or \.csv"),
            (["{clip}", "--try", SIMILAR, "--out", "nowhere/o.csv"], "there is no folder nowhere"),
            (["{clip}", "--try", SIMILAR, "--save-profile", "!?"], "needs a name with letters or digits"),
            (["{clip}", "--try", SIMILAR, "--profile", "rugby"], "unknown profile 'rugby'"),
            (["{clip}", "--try", SIMILAR, "--search", "grid", "--trials", "1"], "the grid has 2 settings, more than 1"),
            (["nowhere.mp4", "--try", SIMILAR], r"no clip at nowhere\.mp4: a clip is NAME\.mp4 with NAME\.truth"),
            (["easy-1", "--seconds", "0", "--try", SIMILAR], "1 to 600 seconds long"),
        ],
    )
    def test_what_cannot_be_done_is_told_before_anything_is_tried(self, run, clip: Path, asked, arguments, message):
        with pytest.raises(ConfigError, match=message):
            run(*[text.format(clip=clip) for text in arguments])
        assert asked == []


class TestClips:
    def named(self, *texts: object) -> list[str]:
        return [clip.name for clip in clips_named([*map(str, texts)], seconds=1, told=lambda _: None)]

    def test_one_video_is_one_clip_however_it_is_named(self, clip: Path):
        assert self.named(clip, clip.parent, clip.parent / "." / clip.name) == ["derby"]

    def test_a_folder_of_its_own_may_have_plain_names_and_pictures(self, clip: Path, tmp_path: Path):
        match = tmp_path / "matches/night"
        (match / "logos").mkdir(parents=True)
        shutil.copy(clip, match / "match.mp4")
        shutil.copy(clip.with_name("derby.truth.json"), match / "truth.json")
        shutil.copy(clip.with_name("derby.brands.csv"), match / "brands.csv")
        (match / "logos/Acme.png").write_bytes(b"a picture")
        assert self.named(match) == self.named(match.parent) == ["night"]
        [named] = clips_named([str(match)], seconds=1, told=lambda _: None)
        assert named.logos == {"Acme": match / "logos/Acme.png"}

    @pytest.mark.parametrize(
        ("missing", "message"),
        [
            ("derby.mp4", r"derby\.truth\.json has no video derby\.mp4 beside it"),
            ("derby.brands.csv", r"derby\.mp4 has no derby\.brands\.csv beside it: write the names to look for"),
            ("derby.truth.json", "no clip in .*derby: a clip is"),
        ],
    )
    def test_a_file_that_is_missing_is_named(self, clip: Path, missing: str, message: str):
        clip.with_name(missing).unlink()
        with pytest.raises(ConfigError, match=message):
            self.named(clip.parent)

    @pytest.mark.parametrize(
        "truth", ["[{", "{}", '[{"brand": "Acme"}]', '[{"brand": "A", "t_start": 2, "t_end": 1}]', "7"]
    )
    def test_truth_that_cannot_be_read(self, run, clip: Path, truth: str):
        clip.with_name("derby.truth.json").write_text(truth)
        with pytest.raises(ConfigError, match=r"the truth .*derby\.truth\.json cannot be read .*a JSON list of"):
            run(clip, "--try", SIMILAR)

    def test_a_brand_that_is_true_and_not_looked_for_is_told(self, run, clip: Path, asked):
        truth = clip.with_name("derby.truth.json")
        truth.write_text(json.dumps([*json.loads(truth.read_text()), {"brand": "Globex", "t_start": 1, "t_end": 3}]))
        assert (
            "derby: Globex: in the truth and not in derby.brands.csv, so never found" in run(clip, "--try", SIMILAR).err
        )

    def test_a_synthetic_match_is_rendered_once(self, settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        settings.TUNING_FOLDER = tmp_path / "tuning"
        rendered: list[str] = []
        monkeypatch.setattr("jobs.tuning.clips.build_match", partial(build_match, width=64, height=64, fps=Fraction(5)))
        for _ in range(2):
            [clip] = clips_named(["medium-1"], seconds=1, told=rendered.append)
        assert rendered == ["Rendering medium-1, 1 s"]
        marks = {brand.name for brand in build_match(1, "medium", 1).brands if brand.kind == "logo"}
        assert clip.name == "medium-1" and set(clip.logos) == marks
