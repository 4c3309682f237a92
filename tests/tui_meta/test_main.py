"""The program as ``python -m tui_meta``, also from a checkout that is not installed."""

from __future__ import annotations

import os
import py_compile
import site
import subprocess
import sys
from pathlib import Path

import pytest

from core.version import VERSION

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture
def without_metadata(tmp_path: Path) -> dict[str, str]:
    """The environment of a Python that has all packages but knows no distribution tui-meta."""
    packages, checkout = tmp_path / "packages", tmp_path / "checkout"
    packages.mkdir()
    checkout.mkdir()
    for folder in filter(os.path.isdir, site.getsitepackages()):
        for entry in Path(folder).iterdir():
            if "tui_meta" not in entry.name and not (packages / entry.name).is_symlink():
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


OTHERS = {
    "package": {"core/__init__.py": ""},
    "module": {"core.py": "raise RuntimeError('another core')"},
    "namespace": {"core/errors.py": "raise RuntimeError('another core')"},
    "imported before": {
        "core/__init__.py": "",
        "core/errors.py": "",
        "sitecustomize.py": "import core.errors",
    },
}
"""Files on Python's path that are called as a package of this program."""


@pytest.mark.parametrize("other", OTHERS)
def test_another_core_on_the_path_is_not_in_the_way(other: str, tmp_path: Path) -> None:
    for name, content in OTHERS[other].items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    program = "from tui_meta.__main__ import run; run()"
    command = [sys.executable, "-c", f"import sys; sys.path.append({str(ROOT)!r}); {program}"]
    done = subprocess.run(
        [*command, "--version"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == (f"tui-meta {VERSION}\n", "")


def test_a_python_without_the_dependencies_is_named_in_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-m", "tui_meta", "--help"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: the package cyclopts is not installed for /")
    assert line.endswith("; install tui-meta with its dependencies")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both packages as bytecode, without their sources."""
    folder = tmp_path_factory.mktemp("compiled")
    for package in ("core", "tui_meta"):
        for source in (ROOT / package).rglob("*.py"):
            target = folder / source.relative_to(ROOT).with_suffix(".pyc")
            target.parent.mkdir(parents=True, exist_ok=True)
            py_compile.compile(str(source), str(target), doraise=True)
    return folder


@pytest.mark.parametrize("tokens", [["--version"], ["--help"], ["resume", "--help"]], ids=" ".join)
def test_the_program_has_its_whole_help_without_its_sources(
    tokens: list[str], compiled: Path
) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(compiled), *site.getsitepackages()])}
    assert python("-m", "tui_meta", *tokens, env=env, cwd=compiled) == python(
        "-m",
        "tui_meta",
        *tokens,
        env={**env, "PYTHONPATH": env["PYTHONPATH"].replace(str(compiled), str(ROOT))},
        cwd=ROOT,
    )


def test_a_session_starts_without_the_sources(compiled: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-m", "tui_meta", "resume", "--detach", "no-run"],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(compiled), *site.getsitepackages()]),
        },
        cwd=compiled,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "no-run: no such run folder" in done.stderr  # as the new process found
