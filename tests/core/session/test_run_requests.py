"""Requests reach another process unchanged, and leave nothing behind if they fail."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from core.algorithms.fomaml import Fomaml
from core.algorithms.reptile import Reptile
from core.config import CheckpointSettings, RunConfig
from core.errors import EngineError, LabError, RunFolderError
from core.session.local import LocalSession
from core.session.run_requests import ResumeRequest, Runs, TrainRequest
from tests.support.runs import CRAWL, new_plan, small_config, until

CONFIGS = [small_config(algorithm=Fomaml(inner_lr=0.03)), small_config(algorithm=Reptile(), seed=7)]
SAVING = CheckpointSettings(autosave_seconds=7.0)


def new(out: Path, name: str | None = "mine", configs: list[RunConfig] = CONFIGS) -> TrainRequest:
    return TrainRequest.of(configs, SAVING, out=out, name=name, pace=3.5)


def saved(out: Path, name: str = "run") -> Path:
    """Return a run that was stopped after its first iteration."""
    session = LocalSession([new_plan(out, small_config(), name, pace=CRAWL)])
    session.start()
    until(lambda: session.snapshots()[name].iteration == 1)
    session.stop(save=True)
    return out / name


@pytest.mark.parametrize("kind", ["train", "resume"])
def test_requests_survive_a_round_trip_through_json(kind: str, tmp_path: Path) -> None:
    runs: Runs = new(tmp_path)
    if kind == "resume":
        runs = ResumeRequest.of([tmp_path / "a", tmp_path / "b"], iterations=9, pace=2.0)
    content = msgspec.json.encode(runs)
    assert msgspec.json.encode(msgspec.json.decode(content, type=Runs)) == content


def test_new_runs_are_planned_as_they_were_configured(tmp_path: Path) -> None:
    plans = msgspec.json.decode(msgspec.json.encode(new(tmp_path)), type=TrainRequest).plans()
    assert [plan.config for plan in plans] == CONFIGS
    assert {(plan.pace, plan.saving) for plan in plans} == {(3.5, SAVING)}
    assert [plan.folder.path for plan in plans] == [
        tmp_path / "fomaml-mine",
        tmp_path / "reptile-mine",
    ]


def test_a_relative_output_folder_is_kept_as_given() -> None:
    assert new(Path("runs")).out == "runs"


def test_a_failed_plan_removes_the_folders_of_the_other_runs(tmp_path: Path) -> None:
    (tmp_path / "reptile-mine" / "something").mkdir(parents=True)
    with pytest.raises(RunFolderError, match="reptile-mine"):
        new(tmp_path).plans()
    assert [path.name for path in tmp_path.iterdir()] == ["reptile-mine"]


def test_an_unavailable_device_is_reported_before_a_folder_is_created(tmp_path: Path) -> None:
    with pytest.raises(EngineError):
        new(tmp_path, configs=[small_config(device="cuda")]).check()
    assert not list(tmp_path.iterdir())


def test_resumed_runs_continue_at_their_newest_checkpoint(tmp_path: Path) -> None:
    runs = ResumeRequest.of([saved(tmp_path, "a"), saved(tmp_path, "b")], iterations=50, pace=2.0)
    plans = runs.plans()
    assert [(plan.folder.name, plan.target, plan.pace) for plan in plans] == [
        ("a", 50, 2.0),
        ("b", 50, 2.0),
    ]
    assert [plan.resumed.state.iteration for plan in plans if plan.resumed] == [1, 1]
    for plan in plans:
        plan.folder.release()


def test_resumed_runs_are_found_from_any_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = saved(tmp_path)
    monkeypatch.chdir(tmp_path)
    runs = ResumeRequest.of([Path("run")])
    monkeypatch.chdir("/")
    (plan,) = runs.plans()
    assert plan.folder.path == run
    plan.folder.release()


def test_a_failed_resume_locks_no_run(tmp_path: Path) -> None:
    run = saved(tmp_path)
    with pytest.raises(LabError):
        ResumeRequest.of([run, tmp_path / "gone"]).plans()
    (plan,) = ResumeRequest.of([run]).plans()  # it can be locked again
    plan.folder.release()


def test_two_runs_of_one_name_cannot_be_resumed_at_once(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="resume them one after the other"):
        ResumeRequest.of([saved(tmp_path), saved(tmp_path / "other")])


def test_missing_runs_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="a: "):
        ResumeRequest.of([tmp_path / "a", tmp_path / "b"]).plans()


def test_a_run_whose_name_is_not_text_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="not valid UTF-8; rename it"):
        ResumeRequest.of([Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))])


def test_folders_are_named_after_the_title_of_their_run(tmp_path: Path) -> None:
    titles = ["reptile-inner_lr-0.01-s0", "reptile-inner_lr-0.02-s0"]
    request = TrainRequest.of(
        CONFIGS[:2], SAVING, out=tmp_path, name="mine", pace=None, titles=titles
    )
    plans = request.plans()
    assert [plan.folder.name for plan in plans] == [f"{title}-mine" for title in titles]
    for plan in plans:
        plan.folder.discard()
