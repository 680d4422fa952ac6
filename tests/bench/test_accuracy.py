"""Readings judged against truth, and clips put together."""

from __future__ import annotations

import fnmatch
import json
from dataclasses import replace

import pytest

from bench import accuracy
from bench.accuracy import judge, measure_accuracy, read_plain, stated_uncertainty
from bench.placements import PlacementFigures
from bench.promises import PROMISES
from tests.bench.made import NOWHERE, analysis, clip, measured, reading, report, result, span


def test_a_perfect_reading():
    figures = judge(clip(span("Acme", 10, 20)), reading(Acme=[(10, 20)])).figures
    assert (figures.precision, figures.recall, figures.f1) == (1, 1, 1)
    assert figures.brands["Acme"].off == 0
    assert figures.starts.median_error == 0


def test_seconds_of_each_brand():
    figures = judge(
        clip(span("Acme", 10, 20), span("Globex", 30, 40)), reading(Acme=[(10, 15)], Umbra=[(50, 54)])
    ).figures
    assert figures.brands["Acme"].true == pytest.approx(9.4)  # 0.3 s at each edge is left out
    assert figures.brands["Acme"].recall == pytest.approx(4.7 / 9.4)
    assert figures.brands["Acme"].off == -0.5
    assert figures.brands["Globex"].off == -1
    assert figures.brands["Umbra"].off is None
    assert figures.precision == pytest.approx(4.7 / 8.7, abs=1e-4)


def test_argued_about_time_does_not_count_in_totals():
    truth = [span("Acme", 10, 20), span("Acme", 20, 25, uncertain=True)]
    for end in (20, 22, 25):
        assert judge(clip(*truth), reading(Acme=[(10, end)])).figures.brands["Acme"].off == 0
    assert judge(clip(*truth), reading(Acme=[(10, 27)])).figures.brands["Acme"].off == pytest.approx(0.2)


def test_overlapping_exposures_count_once():
    assert judge(clip(span("Acme", 10, 20)), reading(Acme=[(10, 20), (12, 18)])).figures.brands["Acme"].off == 0


def test_uncertainty_of_a_report_by_edge():
    made = report(None, "Acme")
    stated = stated_uncertainty(made)["Acme"]
    exposure = made.brands[0].exposures[0]
    assert stated["start", exposure.start] == exposure.start_uncertainty > 0
    assert stated["end", exposure.end] == exposure.end_uncertainty


def test_plain_reading_is_what_its_process_prints(monkeypatch):
    printed = json.dumps({"brands": {"Acme": [[1.0, 2.0]]}, "frames": 4, "load_seconds": 0.1, "work_seconds": 3.0})
    commands = []

    def measure(command, *, timeout):
        commands.append([str(part) for part in command])
        return measured(output=printed, wall=4.0)

    monkeypatch.setattr(accuracy, "measure", measure)
    found, took = read_plain(clip())
    assert found.spans == {"Acme": [(1.0, 2.0)]}
    assert found.wall == took.wall == 4.0
    assert commands[0][1:] == ["-m", "bench.plain_ocr", "nowhere", "nowhere"]


class FakeInstallation:
    """Finds the brand Acme wherever it looks."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def analyze(self, video, brands, *, logos):
        stages = [result("extract_frames", 0), result("detect_objects", 1, skipped="no weights")]
        return analysis(measured([(3.0, "1/9 extract_frames   1.00 s  frames 9")]), "Acme", stages=stages)


@pytest.fixture
def fakes(monkeypatch):
    monkeypatch.setattr(accuracy, "installation", FakeInstallation)
    monkeypatch.setattr(accuracy, "read_plain", lambda clip: (reading(Acme=[(0.0, 1.0)]), measured()))


def test_clips_are_grouped_and_pooled_by_seconds(fakes):
    (start, end), *_ = [(item.start, item.end) for item in report(None, "Acme").brands[0].exposures]
    clips = [
        clip(span("Acme", start, end), name="short", group="easy", seconds=5),
        clip(span("Acme", start, end), span("Globex", 1.0, 4.0), name="long", group="easy", seconds=5),
        clip(span("Acme", start, end), name="broadcast", seconds=5),
    ]
    said: list[str] = []
    figures = measure_accuracy(clips, progress=said.append)
    assert list(figures.clips) == ["short", "long", "broadcast"]
    assert figures.clips["short"].skipped == ["detect_objects"]
    easy = figures.groups["easy"]
    inner = end - start - 0.6
    assert (easy.clips, figures.groups["real"].clips) == (2, 1)
    assert easy.ours.precision == 1
    assert easy.ours.recall == pytest.approx(2 * inner / (2 * inner + 2.4), abs=1e-3)
    assert easy.ours.worst_seconds_off == 1
    assert easy.plain.recall == 0
    headlines = figures.headlines()
    assert headlines["easy: F1 above plain"].value == easy.ours.f1
    assert "clip broadcast: precision" in headlines
    assert "clip short: precision" not in headlines
    assert any("plain" in text for text in said)


def test_what_is_told_of_exact_truth_and_of_truth_written_by_hand(fakes, monkeypatch):
    (exposure, *_) = report(None, "Acme").brands[0].exposures
    truth = span("Acme", exposure.start + 0.1, exposure.end - 0.1)
    monkeypatch.setattr(accuracy, "placements", lambda report, file: PlacementFigures(4.0, 3.0, {}))
    exact = replace(clip(truth, name="match", group="medium", seconds=20.0), exact=NOWHERE)
    figures = measure_accuracy([exact, clip(truth, name="broadcast")], progress=lambda text: None)
    headlines = figures.headlines()
    assert headlines["medium: placed right"].value == 0.75
    assert headlines["medium: work over length"].value == pytest.approx(8.0 / 20.0)
    assert headlines["medium: starts within stated uncertainty"].value == 1.0
    assert headlines["medium: ends within stated uncertainty"].value == 1.0
    assert not [name for name in headlines if name.startswith("real:") and ("stated" in name or "placed" in name)]
    f1 = figures.clips["broadcast"].ours.f1
    assert headlines["real: mean F1"].value == headlines["real: lowest F1"].value == f1


def test_every_promise_about_accuracy_is_about_something_measured(fakes, monkeypatch):
    monkeypatch.setattr(accuracy, "placements", lambda report, file: PlacementFigures(4.0, 3.0, {}))
    truth = span("Acme", 1.1, 2.2)
    clips = [clip(truth, group=group, name=group) for group in ("real", "easy", "medium", "hard")]
    names = measure_accuracy(clips, progress=lambda text: None).headlines()
    promised = [promise.pattern for promise in PROMISES if promise.section == "accuracy"]
    assert [pattern for pattern in promised if not fnmatch.filter(names, pattern)] == []


def test_the_lowest_clip_is_not_hidden_by_the_mean(fakes):
    (exposure, *_) = report(None, "Acme").brands[0].exposures
    good = clip(span("Acme", exposure.start, exposure.end), name="good")
    poor = clip(span("Acme", exposure.start, exposure.end), span("Globex", 5, 30), name="poor")
    figures = measure_accuracy([good, poor], progress=lambda text: None)
    both = figures.groups["real"].ours
    assert both.lowest_f1 == figures.clips["poor"].ours.f1 < both.mean_f1 < figures.clips["good"].ours.f1
