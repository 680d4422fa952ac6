"""`jobs → brands → detect`: imports run one way, and the engine is plain Python but for its boundary modules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BOUNDARY = {"models.py", "persistence.py", "admin.py", "apps.py"}
FORBIDDEN = {"detect": {"brands", "jobs", "mediaproc"}, "brands": {"jobs"}}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def sources(app: str) -> list[Path]:
    found = sorted((ROOT / app).rglob("*.py"))
    assert found, f"{app}/ has no Python files"
    return found


@pytest.mark.parametrize("app", sorted(FORBIDDEN))
def test_imports_run_one_way(app):
    wrong = {str(path): FORBIDDEN[app] & set(imported(path)) for path in sources(app)}
    assert not {path: names for path, names in wrong.items() if names}


def test_only_boundary_modules_of_the_engine_know_django():
    plain = [
        path
        for path in sources("detect")
        if not (path.parent.name == "migrations" or path.relative_to(ROOT / "detect").as_posix() in BOUNDARY)
    ]
    wrong = [str(path) for path in plain if {"django", "rest_framework"} & set(imported(path))]
    assert not wrong
