"""The program as ``python -m tui_meta``, also from a checkout that is not installed."""

from __future__ import annotations

import os
import site
import subprocess
import sys
from pathlib import Path

import pytest

from core.version import VERSION

ROOT = Path(__file__).parents[2]


@pytest.fixture
def without_metadata(tmp_path: Path) -> dict[str, str]:
    """The environment of a Python that has all packages but knows no distribution tui-meta."""
    packages, checkout = tmp_path / "packages", tmp_path / "checkout"
    packages.mkdir()
    checkout.mkdir()
    for folder in site.getsitepackages():
        for entry in Path(folder).iterdir():
            if "tui_meta" not in entry.name:
                (packages / entry.name).symlink_to(entry)
    for package in ("core", "tui_meta"):
        (checkout / package).symlink_to(ROOT / package)
    return {**os.environ, "PYTHONPATH": f"{checkout}{os.pathsep}{packages}"}


def python(*arguments: str, env: dict[str, str], cwd: Path) -> str:
    # Without -S, Python would find the installed distribution too.
    done = subprocess.run(
        [sys.executable, "-S", *arguments], env=env, cwd=cwd, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_checkout_that_is_not_installed_knows_its_version(
    without_metadata: dict[str, str], tmp_path: Path
) -> None:
    metadata = "from importlib.metadata import distributions as all\nprint([d.name for d in all()])"
    assert "tui-meta" not in python("-c", metadata, env=without_metadata, cwd=tmp_path)
    found = python("-m", "tui_meta", "--version", env=without_metadata, cwd=tmp_path)
    assert found == f"tui-meta {VERSION}\n"
    recorded = "from core.storage.provenance import installed_versions as f; print(f()['tui-meta'])"
    assert python("-c", recorded, env=without_metadata, cwd=tmp_path) == f"{VERSION}\n"
