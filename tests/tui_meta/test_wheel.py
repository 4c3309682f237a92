"""The program as it is installed from its wheel, in a folder that is not a checkout."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from core.storage.paths import RECORD
from core.user_folders import user_folder
from core.version import NAME_AND_VERSION, VERSION
from tui_meta.cli.commands.train import SHIPPED_RUNS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PACKAGES = ("core", "tui_meta")
BUILD = "from setuptools.build_meta import build_wheel as build; print(build({folder!r}))"
TINY = ("--no-tui", "--iterations", "2", "--network.hidden", "4", "--engine", "fused")


def sources() -> set[str]:
    """Return the files that belong in the wheel."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*")]
    wanted = [path for path in paths if path.suffix in (".py", ".tcss") or path.name == "py.typed"]
    return {str(path.relative_to(ROOT)) for path in wanted}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of what it is made of."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, copy / package, ignore=ignored)
    command = [sys.executable, "-c", BUILD.format(folder=str(copy))]
    built = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=True)
    return copy / built.stdout.split()[-1]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a folder of its own."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    quiet = ["--no-compile", "--disable-pip-version-check"]
    subprocess.run([*pip, *quiet, "--target", str(folder), str(wheel)], check=True)
    return folder


def run(
    installed: Path, cwd: Path, *command: str, code: int = 0
) -> subprocess.CompletedProcess[str]:
    # Without -S, Python would find the checkout; the dependencies are those of the tests.
    path = os.pathsep.join([str(installed), *site.getsitepackages()])
    home = {"HOME": str(cwd), "XDG_CONFIG_HOME": "", "XDG_STATE_HOME": ""}
    home["XDG_CACHE_HOME"] = str(user_folder("cache").parent)  # compiling takes seconds
    done = subprocess.run(
        [sys.executable, "-S", *command],
        env={**os.environ, "PYTHONPATH": path, **home},
        cwd=cwd,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stderr
    return done


def test_the_wheel_has_all_files_of_both_packages_and_no_others(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name for name in names if ".dist-info/" not in name} == sources()


def test_its_metadata_are_those_of_the_project(installed: Path) -> None:
    (folder,) = installed.glob("*.dist-info")
    metadata = PathDistribution(folder).metadata
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (metadata["Name"], metadata["Version"]) == ("tui-meta", VERSION)
    assert metadata["Requires-Python"] == project["requires-python"]
    listed = [one for one in metadata.get_all("Requires-Dist", []) if "extra ==" not in one]
    assert len(listed) == len(project["dependencies"])


def test_both_entry_points_answer_in_any_folder(installed: Path, tmp_path: Path) -> None:
    script = str(installed / "bin" / "tui-meta")
    for command in ([script], ["-m", "tui_meta"]):
        assert run(installed, tmp_path, *command, "--version").stdout == f"{NAME_AND_VERSION}\n"
    assert "╭─ Reptile " in run(installed, tmp_path, script, "--help").stdout


def test_it_trains_where_it_is_called(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "-m", "tui_meta", *TINY, "--name", "x")
    assert "finished" in done.stdout
    assert (tmp_path / "checkpoints" / "fomaml-x" / RECORD).exists()
    evaluated = run(installed, tmp_path, "-m", "tui_meta", "eval", "checkpoints/reptile-x")
    assert "reptile-x" in evaluated.stdout


def test_a_session_starts_from_it(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "-m", "tui_meta", "resume", "--detach", "no-run", code=2)
    assert "no-run: no such run folder" in done.stderr  # as the new process found


def test_the_dashboard_finds_its_styles(installed: Path, tmp_path: Path) -> None:
    program = "import tui_meta.app.application as app; print(*app.style_sheets(), sep='\\n')"
    styles = run(installed, tmp_path, "-c", program).stdout.splitlines()
    assert len(styles) == sum(name.endswith(".tcss") for name in sources())
    assert all(path.startswith(str(installed)) for path in styles)


def test_the_shipped_runs_which_are_in_a_checkout_alone_are_missed_in_one_line(
    installed: Path, tmp_path: Path
) -> None:
    for name in SHIPPED_RUNS:
        done = run(installed, tmp_path, "-m", "tui_meta", "eval", f"checkpoints/{name}", code=2)
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"error: checkpoints/{name}: no such run folder")
