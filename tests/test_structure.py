"""Limits on the layout of the repository: sizes of files and packages, imports between tests."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = [
    path.relative_to(ROOT) for name in ("core", "tui_meta") for path in (ROOT / name).rglob("*.py")
]
KERNEL = {Path("core/engines/fused/kernel.py"), Path("core/engines/fused/simd.py")}
"""The two files that may be longer: numba compiles functions together that are in one file."""

MOST_LINES = 400
MOST_MODULES = 15


def test_files_have_at_most_400_lines() -> None:
    lines = {path: len((ROOT / path).read_text().splitlines()) for path in PRODUCT}
    assert {path: n for path, n in lines.items() if n > MOST_LINES and path not in KERNEL} == {}


def test_packages_have_at_most_15_modules() -> None:
    modules = Counter(path.parent for path in PRODUCT if path.name != "__init__.py")
    assert {package: n for package, n in modules.items() if n > MOST_MODULES} == {}


@pytest.mark.parametrize("folder", ["tests", "benchmarks", "docs"])
def test_no_module_imports_a_test_module(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / folder).rglob("*.py")
        if ".venv" not in path.parts  # benchmarks/.venv, which "make bench" creates
        for name in imported(path.read_text())
        if name.startswith("tests.") and not name.startswith("tests.support")
    ]
    assert found == []


def imported(source: str) -> list[str]:
    """Return the names of the modules that ``source`` imports."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
    return names
