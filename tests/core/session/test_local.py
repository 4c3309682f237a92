"""Several runs in one session: independent of each other, and reached only through it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import core.training.trainer
from core.algorithms.fomaml import Fomaml
from core.algorithms.reptile import Reptile
from core.commands import Evaluate, Pause, Resume, Save, SetPace, Step, Stop
from core.config import RunConfig
from core.engines import make_engine
from core.errors import CheckpointError, RunFolderError, SessionError
from core.events import ENDED, CommandRejected, Evaluated, Finished, Paused, Saved, Stopped
from core.session.event_backlog import KEPT_EVENTS
from core.session.local import LocalSession, plan_next_seed
from core.storage.event_log_reader import history
from core.storage.latest_checkpoint import latest_checkpoint
from core.storage.run_folder import RunFolder
from core.training.run_plan import Plan, plan_new, plan_resumed
from core.training.trainer import COMMAND_LIMIT
from tests.support.runs import (
    CRAWL,
    PATIENCE,
    Gated,
    new_plan,
    saved_iterations,
    small_config,
    straight,
    until,
)
from tests.support.states import bits

LAST = 10**6
"""More iterations than a test waits for."""


def pair(
    out: Path,
    engine: str = "fused",
    pace: float | None = None,
    plan_restart: Callable[[Plan], Plan] = plan_next_seed,
) -> LocalSession:
    """Return a session of a FOMAML and a Reptile run."""
    fomaml = small_config(engine, algorithm=Fomaml())
    reptile = small_config(engine, algorithm=Reptile())
    return LocalSession(
        [new_plan(out, fomaml, "f", pace=pace), new_plan(out, reptile, "r", pace=pace)],
        plan_restart=plan_restart,
    )


def crawling(out: Path, plan_restart: Callable[[Plan], Plan] = plan_next_seed) -> LocalSession:
    """Return such a session whose runs have begun, and do not end during a test."""
    session = pair(out, pace=CRAWL, plan_restart=plan_restart)
    session.start()
    until(lambda: all(shot.iteration for shot in session.snapshots().values()))
    return session


def states(session: LocalSession) -> list[str]:
    return [snapshot.state for snapshot in session.snapshots().values()]


def until_states(session: LocalSession, state: str) -> None:
    until(lambda: set(states(session)) == {state})


@pytest.fixture
def gated(monkeypatch: pytest.MonkeyPatch) -> list[Gated]:
    """Engines that wait at a gate."""
    made: list[Gated] = []

    def make(config: RunConfig, *_: object) -> Gated:
        made.append(Gated(make_engine(config)))
        return made[-1]

    monkeypatch.setattr(core.training.trainer, "make_engine", make)
    return made


def test_a_run_learns_the_same_bits_with_another_in_the_session_as_alone(
    engine_name: str, tmp_path: Path
) -> None:
    session = pair(tmp_path, engine_name)
    session.start()
    until_states(session, "finished")
    session.stop(save=True)
    for name, algorithm in (("f", Fomaml()), ("r", Reptile())):
        kept = latest_checkpoint(tmp_path / name).checkpoint.state
        assert bits(kept) == bits(straight(small_config(engine_name, algorithm=algorithm)))


def test_snapshots_come_in_the_order_of_the_runs(tmp_path: Path) -> None:
    session = pair(tmp_path)
    assert list(session.snapshots()) == ["f", "r"]
    assert states(session) == ["loading", "loading"]
    session.stop(save=False)


def test_a_command_reaches_the_run_it_names_and_no_other(tmp_path: Path) -> None:
    session = pair(tmp_path, pace=CRAWL)
    session.start()
    session.send(Pause(), "f")
    until(lambda: states(session) == ["paused", "training"])
    session.stop(save=False)


def test_a_command_without_a_name_reaches_every_run(tmp_path: Path) -> None:
    session = pair(tmp_path, pace=CRAWL)
    session.start()
    session.send(Pause())
    until_states(session, "paused")
    session.stop(save=False)


def test_events_are_numbered_in_order_and_none_is_missing(tmp_path: Path) -> None:
    session = pair(tmp_path)
    session.start()
    until_states(session, "finished")
    session.stop(save=False)
    everything = list(session.events(0))
    assert list(session.events(3)) == everything[3:]
    assert list(session.events(len(everything))) == []
    for name, run in (("f", tmp_path / "f"), ("r", tmp_path / "r")):
        said = [event for event in everything if event.run == name]
        assert said == list(history(run))


def test_events_that_were_read_do_not_change(tmp_path: Path) -> None:
    session = pair(tmp_path, pace=CRAWL)
    session.start()
    until(lambda: len(session.events(0)) >= 2)
    read = session.events(0)
    before = list(read)
    session.send(Pause())
    until_states(session, "paused")
    session.stop(save=False)
    assert list(read) == before


def test_waiting_for_events_ends_when_there_are_some(tmp_path: Path) -> None:
    session = pair(tmp_path, pace=CRAWL)
    session.start()
    session.wait_for_events(0, PATIENCE)
    assert session.events(0)
    session.stop(save=False)


def test_both_runs_are_evaluated_on_the_same_task(tmp_path: Path) -> None:
    session = pair(tmp_path, pace=CRAWL)
    session.start()
    for probe in ("random", "random", "compare"):
        session.evaluate(probe)
    session.stop(save=False)
    found = [event for event in session.events(0) if isinstance(event, Evaluated)]
    by_run = [[event for event in found if event.run == name] for name in ("f", "r")]
    assert [(event.probe, event.index) for event in by_run[0]] == [
        ("random", 0), ("random", 1), ("compare", 0),
    ]  # fmt: skip
    for first, second in zip(*by_run, strict=True):
        assert first.task == second.task
        assert first.support_x == second.support_x
        assert first.support_y == second.support_y


def test_stop_ends_and_joins_every_run(tmp_path: Path) -> None:
    session = crawling(tmp_path)
    session.stop(save=True)
    assert states(session) == ["stopped", "stopped"]
    assert saved_iterations(RunFolder(tmp_path / "f")) == [1]
    assert not [thread for thread in threading.enumerate() if thread.name in ("run f", "run r")]


def test_stop_without_save_leaves_no_checkpoint(tmp_path: Path) -> None:
    session = pair(tmp_path, pace=CRAWL)
    session.start()
    session.stop(save=False)
    assert not list(tmp_path.glob("*/*.safetensors"))


def test_stop_can_be_repeated_and_come_before_the_start(tmp_path: Path) -> None:
    session = pair(tmp_path)
    session.stop(save=True)
    session.start()
    session.stop(save=False)
    session.stop(save=True)


def test_one_run_can_be_stopped_while_the_other_continues(tmp_path: Path) -> None:
    session = pair(tmp_path, pace=CRAWL)
    session.start()
    session.send(Stop(), "f")
    until(lambda: states(session)[0] == "stopped")
    session.send(SetPace(None), "r")
    until(lambda: states(session)[1] == "finished")
    session.stop(save=True)
    assert [event.run for event in session.events(0) if isinstance(event, Stopped)] == ["f"]


def test_a_command_to_a_run_that_has_ended_is_rejected_with_the_reason(tmp_path: Path) -> None:
    session = pair(tmp_path)
    session.start()
    until_states(session, "finished")
    session.send(Stop(), "f")
    until(lambda: not any(thread.name == "run f" for thread in threading.enumerate()))
    session.send(Resume(), "f")
    refused = [event for event in session.events(0) if isinstance(event, CommandRejected)]
    assert [(event.run, event.command, event.reason) for event in refused] == [
        ("f", "resume", "the run has finished")
    ]
    session.stop(save=False)


def test_a_command_too_many_is_rejected_and_those_before_are_obeyed(
    tmp_path: Path, gated: list[Gated], monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = 20
    monkeypatch.setattr("core.training.trainer.COMMAND_LIMIT", limit)
    session = LocalSession([new_plan(tmp_path, small_config(iterations=LAST))])
    session.start()
    until(lambda: bool(gated))
    assert gated[0].entered.wait(PATIENCE)
    for _ in range(limit + 1):
        session.send(Evaluate("standard", 0))
    refused = [event for event in session.events(0) if isinstance(event, CommandRejected)]
    assert [event.reason for event in refused] == ["too many commands are waiting; try again"]
    gated[0].gate.set()
    session.stop(save=False)
    obeyed = [
        event
        for event in session.events(0)
        if isinstance(event, Evaluated) and event.probe == "standard"
    ]
    assert len(obeyed) == limit


def test_stop_is_obeyed_although_too_many_commands_wait(tmp_path: Path, gated: list[Gated]) -> None:
    session = LocalSession([new_plan(tmp_path, small_config(iterations=LAST))])
    session.start()
    until(lambda: bool(gated))
    assert gated[0].entered.wait(PATIENCE)
    for _ in range(COMMAND_LIMIT):
        session.send(Resume())
    stopping = threading.Thread(target=session.stop, kwargs={"save": False}, daemon=True)
    stopping.start()
    # Give a stop that would be dropped the time to be dropped; one that waits is not harmed.
    stopping.join(0.2)
    gated[0].gate.set()
    stopping.join(PATIENCE / 6)
    heard = not stopping.is_alive()
    session.send(Stop(save=False))
    stopping.join(PATIENCE)
    assert heard


def test_a_restart_saves_the_old_runs_and_begins_with_the_next_seed(tmp_path: Path) -> None:
    session = crawling(tmp_path)
    session.restart()
    names = list(session.snapshots())
    assert not {"f", "r"} & set(names)
    assert [shot.algorithm for shot in session.snapshots().values()] == ["fomaml", "reptile"]
    assert saved_iterations(RunFolder(tmp_path / "f")) == [1]
    until(lambda: all(shot.iteration for shot in session.snapshots().values()))
    session.send(Pause())
    session.send(Step())
    until_states(session, "paused")
    session.stop(save=True)
    for name in names:
        assert latest_checkpoint(tmp_path / name).checkpoint.config.seed == 1


def test_a_restart_never_looks_like_the_end_of_all_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients wait for that: a headless process ends with its runs."""
    session = crawling(tmp_path)
    seen: list[list[str]] = []
    join = core.training.trainer.Trainer.join

    def watched(trainer: core.training.trainer.Trainer, timeout: float | None = None) -> bool:
        joined = join(trainer, timeout)
        seen.append(states(session))
        return joined

    monkeypatch.setattr(core.training.trainer.Trainer, "join", watched)
    session.restart()
    monkeypatch.undo()
    assert seen
    assert not [each for each in seen if set(each) <= set(ENDED)]
    session.stop(save=False)


def test_an_impossible_restart_leaves_the_runs_alone(tmp_path: Path) -> None:
    planned: list[Plan] = []

    def fail_at_the_second(plan: Plan) -> Plan:
        if planned:
            raise RunFolderError(tmp_path, "the disk is full", "make room")
        planned.append(plan_next_seed(plan))
        return planned[-1]

    session = crawling(tmp_path, fail_at_the_second)
    with pytest.raises(RunFolderError):
        session.restart()
    assert states(session) == ["training", "training"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f", "r"]
    session.stop(save=False)


def test_a_stop_during_a_restart_stops_the_new_runs(tmp_path: Path) -> None:
    stopping: list[threading.Thread] = []

    def stop_meanwhile(plan: Plan) -> Plan:
        if not stopping:
            stopping.append(threading.Thread(target=session.stop, kwargs={"save": False}))
            stopping[0].start()
        return plan_next_seed(plan)

    before = set(threading.enumerate())
    session = crawling(tmp_path, stop_meanwhile)
    session.restart()
    stopping[0].join(PATIENCE)
    assert not stopping[0].is_alive()
    assert not {"f", "r"} & set(session.snapshots())
    began = set(threading.enumerate()) - before
    assert not [thread for thread in began if thread.name.startswith("run ")]


def test_there_is_no_restart_after_the_end(tmp_path: Path) -> None:
    session = pair(tmp_path, pace=CRAWL)
    session.start()
    session.stop(save=False)
    with pytest.raises(SessionError, match="the runs are stopping"):
        session.restart()
    assert list(session.snapshots()) == ["f", "r"]


def test_events_of_the_old_runs_stay_after_a_restart(tmp_path: Path) -> None:
    session = pair(tmp_path, pace=CRAWL)
    session.start()
    until(lambda: len(session.events(0)) >= 2)
    before = list(session.events(0))
    session.restart()
    session.stop(save=False)
    assert list(session.events(0))[: len(before)] == before


def test_two_runs_of_one_name_are_rejected(tmp_path: Path) -> None:
    """One of them would be lost, as runs are identified by name."""
    plans = [new_plan(tmp_path / part) for part in ("a", "b")]
    with pytest.raises(RunFolderError, match="two runs are named 'run'"):
        LocalSession(plans)


def test_a_new_plan_makes_a_folder_named_by_algorithm_and_time(tmp_path: Path) -> None:
    plans = [plan_new(small_config(), tmp_path, None) for _ in range(2)]
    names = [plan.folder.name for plan in plans]
    assert len(set(names)) == 2
    assert all(name.startswith("fomaml-2") for name in names)


def test_a_new_plan_with_a_name_is_called_by_it_and_its_algorithm(tmp_path: Path) -> None:
    plan = plan_new(small_config(), tmp_path, "mine", 5.0)
    assert plan.folder.name == "fomaml-mine"
    with pytest.raises(RunFolderError, match="this run exists already"):
        plan_new(small_config(), tmp_path, "mine")


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """The folder of a run with checkpoints at 2 and 5 of 120 iterations."""
    session = LocalSession([new_plan(tmp_path, pace=CRAWL)])
    session.start()
    for command in (Pause(), Step(), Save(), Step(3), Stop()):
        session.send(command)
    until_states(session, "stopped")
    return tmp_path / "run"


def test_a_folder_is_resumed_at_its_newest_checkpoint(stopped: Path) -> None:
    plan = plan_resumed(stopped)
    assert plan.resumed is not None
    assert (plan.resumed.state.iteration, plan.folder.path) == (5, stopped)
    assert plan.resumed_from == str(stopped / "000000005.safetensors")


def test_any_checkpoint_of_a_run_can_be_resumed(stopped: Path) -> None:
    plan = plan_resumed(stopped / "000000002.safetensors")
    session = LocalSession([plan])
    session.start()
    until_states(session, "finished")
    session.stop(save=True)
    kept = latest_checkpoint(stopped).checkpoint.state
    assert bits(kept) == bits(straight(small_config()))


def test_a_resumed_run_knows_its_history_up_to_its_checkpoint(stopped: Path) -> None:
    session = LocalSession([plan_resumed(stopped / "000000002.safetensors")])
    history = session.history()
    assert {type(event) for event in history} >= {Paused, Saved}
    assert max(event.iteration for event in history) == 2


def test_a_run_can_be_resumed_to_another_target(stopped: Path) -> None:
    session = LocalSession([plan_resumed(stopped, iterations=150)])
    session.start()
    until_states(session, "finished")
    session.stop(save=True)
    kept = latest_checkpoint(stopped).checkpoint
    assert (kept.state.iteration, kept.target) == (150, 150)
    assert bits(kept.state) == bits(straight(small_config(), 150))


def test_a_run_cannot_be_resumed_to_a_target_before_its_checkpoint(stopped: Path) -> None:
    with pytest.raises(RunFolderError, match="already at iteration 5; choose a higher") as caught:
        plan_resumed(stopped, iterations=3)
    assert len(str(caught.value).splitlines()) == 1


def test_a_checkpoint_outside_a_run_folder_cannot_be_resumed(stopped: Path, tmp_path: Path) -> None:
    lone = tmp_path / "lone.safetensors"
    lone.write_bytes((stopped / "000000005.safetensors").read_bytes())
    with pytest.raises(RunFolderError, match="not a run folder"):
        plan_resumed(lone)


@pytest.mark.parametrize("name", ["nothing", "nothing/000000001.safetensors"])
def test_a_missing_run_cannot_be_resumed(tmp_path: Path, name: str) -> None:
    with pytest.raises(CheckpointError, match="no such"):
        plan_resumed(tmp_path / name)


def test_every_finished_run_publishes_it(tmp_path: Path) -> None:
    session = pair(tmp_path)
    session.start()
    until_states(session, "finished")
    published = {event.run for event in session.events(0) if isinstance(event, Finished)}
    session.stop(save=False)
    assert published == {"f", "r"}


def test_events_are_forgotten_only_long_after_they_were_read(tmp_path: Path) -> None:
    session = pair(tmp_path)
    count = 6 * KEPT_EVENTS
    for _ in range(count // 2):
        session.send(Pause())  # refused by both, for neither has begun

    assert len(session.events(0)) == count
    assert session.events(count) == []
    assert len(session.events(0)) <= 2 * KEPT_EVENTS
    assert len(session.events(count - 5)) == 5
