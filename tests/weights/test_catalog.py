"""The file of models: what it takes, and what it says of what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from detect.errors import ConfigError
from detect.weights_catalog import ModelEntry, find_default, load_models

DIGEST = "ab" * 32


def read(folder: Path, text: str) -> ModelEntry:
    (folder / "models.yaml").write_text(text)
    return load_models(folder / "models.yaml")["pitstop"]


def test_a_missing_or_empty_file_has_no_models(tmp_path: Path) -> None:
    path = tmp_path / "models.yaml"
    assert load_models(path) == {}
    for text in ("", "models:\n", "models: {}\n"):
        path.write_text(text)
        assert load_models(path) == {}


def test_entries_say_where_weights_are(tmp_path: Path) -> None:
    assert read(tmp_path, "models: {pitstop: {path: mine/best.pt}}").path == str(tmp_path / "mine" / "best.pt")
    assert read(tmp_path, "models: {pitstop: {path: /srv/best.pt}}").path == "/srv/best.pt"
    stored = read(tmp_path, f"models: {{pitstop: {{key: models/best.onnx, sha256: {DIGEST.upper()}}}}}")
    assert (stored.key, stored.filename, stored.sha256) == ("models/best.onnx", "best.onnx", DIGEST)


def test_an_address_is_shown_without_its_secrets(tmp_path: Path) -> None:
    url = "https://ana:secret@models.example:8443/v3/best.pt?token=hidden"
    entry = read(tmp_path, f"models: {{pitstop: {{url: '{url}', sha256: {DIGEST}}}}}")
    assert entry.url == url
    assert (entry.place, entry.filename) == ("https://models.example:8443/v3/best.pt", "best.pt")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models: {pitstop: {}}", "model 'pitstop': give one of path, key and url"),
        ("models: {pitstop: {path: a.pt, key: b.pt}}", "give one of path, key and url"),
        ("models: {pitstop: {key: b.pt}}", "needs sha256"),
        ("models: {pitstop: {url: 'https://x.example/b.pt'}}", "needs sha256"),
        ("models: {pitstop: {key: b.pt, sha256: abc}}", "sha256"),
        (f"models: {{pitstop: {{key: /etc/b.pt, sha256: {DIGEST}}}}}", "key must be a name in storage"),
        (f"models: {{pitstop: {{key: a/../b.pt, sha256: {DIGEST}}}}}", "key must be a name in storage"),
        (f"models: {{pitstop: {{url: 'file:///b.pt', sha256: {DIGEST}}}}}", "url must be an address such as https:"),
        (f"models: {{pitstop: {{url: 'http:///b.pt', sha256: {DIGEST}}}}}", "url must be an address such as https:"),
        (f"models: {{pitstop: {{url: 'http://x:y/b.pt', sha256: {DIGEST}}}}}", "url must be an address such as https:"),
        ("models: {pitstop: {path: best.tflite}}", r"must end in one of \.onnx, \.pt"),
        ("models: {pitstop: {path: best.pt, colour: red}}", "colour"),
        ("models: {pitstop: 3}", "model 'pitstop'"),
        ("models: [pitstop]", "'models' must map names"),
        ("providers: {}", "expected one top-level entry 'models'"),
        ("models: {pitstop: {url: 'https://u:secret@h", "line 1: not valid YAML"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read(tmp_path, text)
    assert "models.yaml" in caught.value.message and "secret" not in caught.value.message


def test_the_default_is_best_pt_then_best_onnx_folder_by_folder(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    (first / "other.pt").write_bytes(b"")
    (first / "best.pt").mkdir()
    assert find_default([tmp_path / "none", first, second]) is None
    (second / "best.onnx").write_bytes(b"")
    assert find_default([first, second]) == second / "best.onnx"
    (second / "best.pt").write_bytes(b"")
    assert find_default([first, second]) == second / "best.pt"
    (first / "best.onnx").write_bytes(b"")
    assert find_default([first, second]) == first / "best.onnx"
