"""Files and entry points of the user's own: imported when they are asked for, and not before."""

from __future__ import annotations

import importlib.metadata
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.algorithms.registry import ALGORITHMS
from core.errors import LabError
from core.experiments import dask_worker
from core.experiments.specification import specification_of
from core.extensions.loading import CODE, load_code, load_named
from core.models.registry import MODELS
from core.remote import launch
from core.remote.launch import LaunchReply, LaunchRequest
from core.session.run_requests import ResumeRequest
from core.tasks.registry import FAMILIES
from tests.support.own_code import HALVES, forget, write_files

pytestmark = pytest.mark.usefixtures("registries")


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path)


def test_settings_name_what_files_register(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "tasks": "planes.py:Planes",
        "algorithms": ["fomaml", "halves.py:Halves"],
        "sweep": {"model": ["", "nets.py:residual"], "seed": [1, 2]},
        "runs": [{"algorithm": "halves.py:Halves", "seed": 3}, 4],
        "seed": 5,
    }
    assert load_named(settings) == {
        "tasks": "planes",
        "algorithms": ["fomaml", "halves"],
        "sweep": {"model": ["", "residual"], "seed": [1, 2]},
        "runs": [{"algorithm": "halves", "seed": 3}, 4],
        "seed": 5,
    }
    known = {"planes", "halves", "residual"}
    assert known <= FAMILIES.keys() | ALGORITHMS.keys() | MODELS.keys()
    # Another process imports the same.
    forget()
    load_code()
    assert known <= FAMILIES.keys() | ALGORITHMS.keys() | MODELS.keys()


@pytest.mark.parametrize(
    ("setting", "named", "problem"),
    [
        ("tasks", "planes.py:Flat", "tasks: must exist there, got 'planes.py:Flat'"),
        ("model", "nets.py:Residual", "model: must be registered: write @register above it"),
        ("algorithms", "planes.py:Planes", "algorithms: must be registered: write @register"),
        ("model", "none.py:residual", "none.py: not a Python file that exists"),
    ],
)
def test_what_a_file_does_not_register_is_refused(setting: str, named: str, problem: str) -> None:
    with pytest.raises(LabError) as caught:
        load_named({setting: named})
    assert problem in str(caught.value)


@pytest.mark.parametrize("key", ["tasks", "sweep", "runs", "TUI_META_CODE"])
def test_the_home_is_put_in_wherever_a_file_is_named(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    named = "~/planes.py:Planes"
    if key == "tasks":
        assert load_named({"tasks": named}) == {"tasks": "planes"}
    elif key == "sweep":
        assert load_named({"sweep": {"tasks": [named]}}) == {"sweep": {"tasks": ["planes"]}}
    elif key == "runs":
        assert load_named({"runs": [{"tasks": named}]}) == {"runs": [{"tasks": "planes"}]}
    else:
        monkeypatch.setenv(CODE, "~/planes.py")
        load_code()
    assert "planes" in FAMILIES
    assert os.environ[CODE] == str(tmp_path / "planes.py")


def test_a_file_of_the_home_needs_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "relative")
    with pytest.raises(LabError, match=r"^~/planes.py: there is no home folder; set HOME"):
        load_named({"tasks": "~/planes.py:Planes"})


def test_a_file_that_ends_the_program_is_one_line_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(LabError, match=r"script.py: .*script.py:2: SystemExit: 3"):
        load_named({"tasks": "script.py:Planes"})


def test_a_session_that_was_started_before_is_told_what_to_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[LaunchRequest] = []

    class Early:
        def answer(self, request: bytes, timeout: float) -> bytes:
            sent.append(msgspec.json.decode(request, type=LaunchRequest))
            return msgspec.json.encode(LaunchReply())

    monkeypatch.setattr(launch, "session_process", Early)
    load_named({"tasks": "planes.py:Planes"})
    launch.launch(ResumeRequest(paths=[]))
    assert [one.code for one in sent] == [str(tmp_path / "planes.py")]


def test_a_worker_of_a_cluster_imports_what_its_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"algorithms": ["halves.py:Halves"], "tasks": "planes.py:Planes"}
    settings = load_named({**names, "iterations": 1, "validation": {"tasks": 2}})
    runs = specification_of(settings).expand()
    pickled = pickle.dumps(dask_worker.Batch(tmp_path, None, "none", runs))
    monkeypatch.setattr(dask_worker, "_cancelled_task", lambda: lambda: False)
    code = os.environ[CODE]
    forget()
    os.environ[CODE] = ""
    problem = dask_worker.train_batch(pickled)
    assert isinstance(problem, str)
    assert problem.endswith("name the file of the class in its TUI_META_CODE")
    os.environ[CODE] = code
    (trained,) = dask_worker.train_batch(pickled)
    assert trained.result.state == "finished"  # type: ignore[union-attr]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An installed package that offers an algorithm by an entry point."""
    (tmp_path / "halves_package.py").write_text(HALVES)
    monkeypatch.syspath_prepend(tmp_path)
    point = importlib.metadata.EntryPoint("halves", "halves_package:Halves", "tui_meta.algorithms")

    def offered(group: str, name: str) -> list[importlib.metadata.EntryPoint]:
        return [point] if (group, name) == (point.group, point.name) else []

    monkeypatch.setattr(importlib.metadata, "entry_points", offered)
    monkeypatch.delitem(sys.modules, "halves_package", raising=False)
    return "halves_package"


def test_an_entry_point_is_imported_when_its_name_is_asked_for(package: str) -> None:
    assert load_named({"algorithms": ["fomaml"], "tasks": "sine"})["algorithms"] == ["fomaml"]
    assert load_named({"algorithms": ["halved"]}) == {"algorithms": ["halved"]}
    assert package not in sys.modules
    assert load_named({"algorithms": ["halves"]}) == {"algorithms": ["halves"]}
    assert ALGORITHMS["halves"].__module__ == package
    assert os.environ[CODE] == package
    forget()
    del sys.modules[package]
    load_code()
    assert ALGORITHMS["halves"].__module__ == package


def test_no_configuration_of_a_folder_imports_an_entry_point(package: str) -> None:
    from core.config import RunConfig

    with pytest.raises(LabError, match=r"algorithm\.name: must be built in or registered"):
        RunConfig.from_dict({"algorithm": {"name": "halves"}})
    assert package not in sys.modules


def test_a_module_that_fails_is_one_line_with_its_place(
    tmp_path: Path, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "halves_package.py"
    file.write_text("\nx = 1 / 0\n")
    with pytest.raises(LabError) as caught:
        load_named({"algorithms": ["halves"]})
    assert str(caught.value) == (
        f"module halves_package: {file}:2: ZeroDivisionError: division by zero"
    )
