"""One more run joins those of a session; a request that is refused changes nothing."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import pytest

import core.storage.run_folder
from core.algorithms.reptile import Reptile
from core.commands import Pause, SetPace, Stop
from core.errors import ConfigError, EngineError, LabError, RunFolderError, SessionError
from core.events import Extended, Failed, Finished
from core.session.local import LocalSession
from core.session.run_requests import MOST_AT_ONCE, AddRequest
from core.storage.latest_checkpoint import latest_checkpoint
from core.training.memory import Limit
from core.training.run_plan import plan_resumed
from tests.support.runs import (
    CRAWL,
    PATIENCE,
    Unsound,
    new_plan,
    small_config,
    straight,
    until,
)
from tests.support.states import bits

OTHER = small_config(algorithm=Reptile(), seed=3, iterations=20)


def asked(beside: str = "run", name: str = "", **changes: object) -> AddRequest:
    """Return a request for a small run of Reptile, with some ``changes`` of its plain settings."""
    return AddRequest(config={**OTHER.to_dict(), **changes}, beside=beside, name=name)


def crawling(out: Path) -> LocalSession:
    """Return a session of a run that has begun, and does not end during a test."""
    session = LocalSession([new_plan(out, small_config(), pace=CRAWL)])
    session.start()
    until(lambda: session.snapshots()["run"].iteration == 1)
    return session


def until_state(session: LocalSession, run: str, state: str) -> None:
    until(lambda: session.snapshots()[run].state == state)


def test_an_added_run_trains_beside_the_others_and_no_bit_changes(tmp_path: Path) -> None:
    session = crawling(tmp_path)
    name = session.add(asked(name="mine"))
    assert name == "reptile-mine"
    assert list(session.snapshots()) == ["run", name]
    assert session.folders()[name] == tmp_path / name
    for run in session.snapshots():
        session.send(SetPace(None), run)
        until_state(session, run, "finished")
    session.stop(save=True)
    for run, config in (("run", small_config()), (name, OTHER)):
        kept = latest_checkpoint(tmp_path / run).checkpoint
        assert kept.config == config
        assert bits(kept.state) == bits(straight(config))
    assert {event.run for event in session.events(0) if isinstance(event, Finished)} == {
        "run",
        name,
    }


def test_a_run_is_added_while_others_are_paused(tmp_path: Path) -> None:
    session = crawling(tmp_path)
    session.send(Pause())
    until_state(session, "run", "paused")
    name = session.add(asked())
    until(lambda: session.snapshots()[name].iteration > 0)
    assert session.snapshots()["run"].state == "paused"
    session.stop(save=False)


def test_an_added_run_has_the_pace_and_the_autosaves_of_the_one_beside_it(tmp_path: Path) -> None:
    session = crawling(tmp_path)
    session.send(SetPace(2 * CRAWL))
    until(lambda: session.snapshots()["run"].pace == 2 * CRAWL)
    name = session.add(asked())
    plans = {run: trainer.plan for run, trainer in session._trainers.items()}
    assert plans[name].pace == 2 * CRAWL
    assert plans[name].saving == plans["run"].saving
    session.stop(save=False)


def test_a_session_whose_runs_have_all_ended_goes_on_with_an_added_one(tmp_path: Path) -> None:
    session = LocalSession([new_plan(tmp_path)])
    session.start()
    until_state(session, "run", "finished")
    session.send(Stop())
    name = session.add(asked())
    until_state(session, name, "finished")
    session.stop(save=True)


def test_a_run_is_added_beside_one_that_has_diverged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = core.training.trainer.make_engine
    monkeypatch.setattr(
        core.training.trainer, "make_engine", lambda config, *_: Unsound(make(config), 3, "loss")
    )
    session = LocalSession([new_plan(tmp_path)])
    session.start()
    until_state(session, "run", "diverged")
    monkeypatch.setattr(core.training.trainer, "make_engine", make)
    name = session.add(asked())
    until_state(session, name, "finished")
    assert session.snapshots()["run"].state == "diverged"
    session.stop(save=True)


def test_a_run_joins_a_resumed_one_in_its_folder(tmp_path: Path) -> None:
    session = crawling(tmp_path / "a")
    session.stop(save=True)
    session = LocalSession([plan_resumed(tmp_path / "a" / "run", pace=CRAWL)])
    session.start()
    name = session.add(asked())
    assert session.folders()[name].parent == tmp_path / "a"
    until(lambda: session.snapshots()[name].iteration > 0)
    session.stop(save=False)


def test_runs_added_in_quick_succession_have_names_of_their_own(tmp_path: Path) -> None:
    session = crawling(tmp_path)
    names = [session.add(asked()) for _ in range(3)]
    assert len({*names, *session.snapshots()}) == 4
    session.stop(save=False)


def test_of_two_runs_that_are_given_one_name_at_once_one_is_refused(tmp_path: Path) -> None:
    session = crawling(tmp_path)
    outcomes: list[str] = []

    def add() -> None:
        try:
            outcomes.append(session.add(asked(name="mine")))
        except RunFolderError as error:
            outcomes.append(error.problem)

    adding = [threading.Thread(target=add) for _ in range(2)]
    for thread in adding:
        thread.start()
    for thread in adding:
        thread.join(PATIENCE)
    assert sorted(outcomes) == ["reptile-mine", "this run exists already"]
    session.stop(save=False)


def test_a_session_that_has_not_begun_takes_a_run_and_begins_each_once(tmp_path: Path) -> None:
    session = LocalSession([new_plan(tmp_path)])
    name = session.add(asked())
    session.start()
    for run in ("run", name):
        until_state(session, run, "finished")
    assert not [event for event in session.events(0) if isinstance(event, Failed)]
    session.stop(save=True)


@pytest.mark.parametrize(
    ("request_", "kind", "problem"),
    [
        (asked(beside="x"), SessionError, "there is no run 'x'"),
        (asked(iterations=0), ConfigError, "iterations: must be a whole number from 1 "),
        (asked(seed="3"), ConfigError, "seed: must be a whole number"),
        (asked(engine="torch", device="cuda"), EngineError, "device cuda: not found"),
        (asked(name="../x"), RunFolderError, "invalid run name"),
        (asked(name="taken"), RunFolderError, "this run exists already"),
    ],
    ids=["beside", "range", "type", "device", "name", "taken"],
)
def test_a_refusal_is_one_line_and_the_session_goes_on(
    request_: AddRequest, kind: type[LabError], problem: str, tmp_path: Path
) -> None:
    session = crawling(tmp_path)
    (tmp_path / "reptile-taken" / "something").mkdir(parents=True)
    with pytest.raises(kind, match=problem) as caught:
        session.add(request_)
    assert len(str(caught.value).splitlines()) == 1
    assert list(session.snapshots()) == ["run"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reptile-taken", "run"]
    assert session.snapshots()["run"].state == "training"
    session.stop(save=False)


def test_a_full_disk_refuses_the_run_and_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    session = crawling(tmp_path)
    monkeypatch.setattr(core.storage.run_folder, "write_atomically", fail)
    with pytest.raises(RunFolderError, match="No space left on device"):
        session.add(asked())
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert session.snapshots()["run"].state == "training"
    session.stop(save=False)


def test_a_run_that_needs_too_much_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = crawling(tmp_path)
    monkeypatch.setattr(
        "core.training.memory.memory_limits", lambda: iter([Limit(1, "a small machine")])
    )
    with pytest.raises(EngineError, match="of memory are needed"):
        session.add(asked())
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    session.stop(save=False)


def test_a_full_session_takes_no_further_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = crawling(tmp_path)
    monkeypatch.setattr("core.session.run_requests.MOST_AT_ONCE", 1)
    with pytest.raises(SessionError, match="2 runs are more than the 1 of a session"):
        session.add(asked())
    assert MOST_AT_ONCE == 100
    session.stop(save=False)


def test_a_name_that_a_run_of_another_folder_has_is_refused(tmp_path: Path) -> None:
    """Runs are identified by name."""
    plans = [
        dataclasses.replace(new_plan(tmp_path / part, name=name), pace=CRAWL)
        for part, name in (("a", "run"), ("b", "reptile-mine"))
    ]
    session = LocalSession(plans)
    with pytest.raises(RunFolderError, match="two runs are named 'reptile-mine'"):
        session.add(asked(name="mine"))
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["run"]
    session.stop(save=False)


def test_no_run_is_added_once_the_runs_end(tmp_path: Path) -> None:
    session = crawling(tmp_path)
    session.stop(save=False)
    with pytest.raises(SessionError, match="the runs are stopping"):
        session.add(asked())


def test_a_restart_replaces_added_runs_too(tmp_path: Path) -> None:
    session = crawling(tmp_path)
    session.add(asked())
    session.restart()
    runs = session.snapshots().values()
    assert [(one.algorithm, one.config["seed"]) for one in runs] == [("fomaml", 1), ("reptile", 4)]
    assert not [event for event in session.events(0) if isinstance(event, Extended)]
    session.stop(save=False)
