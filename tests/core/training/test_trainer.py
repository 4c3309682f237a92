"""Commands and events of one run in its thread."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

import core.training.pacing
import core.training.trainer
from core.commands import Command, Evaluate, Extend, Pause, Resume, Save, SetPace, Step, Stop
from core.engines.base import Engine
from core.events import (
    CommandRejected,
    Evaluated,
    Extended,
    Finished,
    Paused,
    Resumed,
    Saved,
    Started,
    Stepped,
    Stopped,
)
from core.storage.event_log_reader import history
from core.storage.latest_checkpoint import latest_checkpoint
from core.storage.run_folder import read_record
from core.training.run_plan import plan_resumed
from core.training.trainer import Trainer
from tests.support.runs import (
    CRAWL,
    PATIENCE,
    Log,
    ended,
    new_plan,
    paused_at,
    run_whole,
    saved_iterations,
    small_config,
    started,
    straight,
    until,
)
from tests.support.states import bits


def test_a_run_publishes_its_events_in_order(tmp_path: Path) -> None:
    log = Log()
    trainer = run_whole(Trainer(new_plan(tmp_path), log), log)
    found = [(type(event).__name__, event.iteration) for event in log.events]
    assert found == [
        ("Started", 0), ("Validated", 0), ("Evaluated", 25), ("Evaluated", 50), ("Evaluated", 75),
        ("Progress", 100), ("Validated", 100), ("Evaluated", 100), ("Validated", 120),
        *[("Saved", 120)] * 17, ("Finished", 120),
    ]  # fmt: skip
    assert list(history(trainer.plan.folder.path)) == log.events


def test_the_log_has_every_event_in_order(tmp_path: Path) -> None:
    trainer, log = paused_at(5, tmp_path)
    for command in (Evaluate("standard", 0), Save(), Extend(), Step(2)):
        trainer.send(command)
    ended(trainer, save=True)
    assert list(history(trainer.plan.folder.path)) == log.events


def test_the_run_is_described_on_disk(tmp_path: Path) -> None:
    trainer, _ = paused_at(1, tmp_path)
    ended(trainer)
    record, shown = read_record(tmp_path / "run"), trainer.snapshot
    assert record.config["seed"] == trainer.plan.config.seed
    assert (record.engine, record.device) == (shown.engine, shown.device)


def test_a_new_run_loads_then_trains(tmp_path: Path) -> None:
    trainer = Trainer(new_plan(tmp_path, pace=CRAWL), Log())
    assert (trainer.snapshot.state, trainer.snapshot.iteration) == ("loading", 0)
    assert trainer.snapshot.theta is None
    trainer.start()
    until(lambda: trainer.snapshot.iteration == 1)
    assert trainer.snapshot.state == "training"
    ended(trainer)


def test_a_paused_run_does_not_train_until_resumed(tmp_path: Path) -> None:
    trainer, log = paused_at(4, tmp_path)
    assert trainer.snapshot.state == "paused"
    trainer.send(Evaluate("random", 0))
    log.wait(Evaluated)
    assert (trainer.snapshot.iteration, log.wait(Paused).iteration) == (4, 1)
    trainer.send(SetPace(None))
    trainer.send(Resume())
    assert log.wait(Resumed).iteration == 4
    log.wait(Finished)
    ended(trainer)


def test_a_step_trains_exactly_its_iterations(tmp_path: Path) -> None:
    trainer, log = paused_at(1, tmp_path)
    for count in (1, 3, 0):
        trainer.send(Step(count))
    log.wait(Stepped, 3)
    assert [(event.count, event.iteration) for event in log.of(Stepped)] == [(1, 2), (3, 5), (0, 5)]
    assert trainer.snapshot.state == "paused"
    ended(trainer)


def test_a_step_beyond_the_target_ends_at_the_target(tmp_path: Path) -> None:
    trainer, log = paused_at(118, tmp_path)
    trainer.send(Step(10))
    assert log.wait(Finished).iteration == 120
    until(lambda: trainer.snapshot.state == "finished")
    ended(trainer)
    assert log.of(Stepped)[-1].count == 2


def test_steps_trigger_the_periodic_evaluation(tmp_path: Path) -> None:
    trainer, log = paused_at(24, tmp_path)
    assert not log.of(Evaluated)
    trainer.send(Step())
    found = log.wait(Evaluated)
    assert (found.probe, found.iteration, found.index) == ("validation", 25, 25)
    ended(trainer)


def test_an_evaluation_has_everything_to_plot_it(tmp_path: Path) -> None:
    trainer, log = paused_at(2, tmp_path)
    trainer.send(Evaluate("half-range", 3))
    found = log.wait(Evaluated)
    assert (found.probe, found.index, found.iteration) == ("half-range", 3, 2)
    assert (found.amplitude, found.phase) == (4.0, 1.0)
    assert len(found.support_x) == len(found.support_y) == 5
    assert len(found.query_x) == len(found.before) == len(found.after) == 50
    assert len(found.losses) == 11
    assert found.training_loss == trainer.snapshot.loss
    ended(trainer)


REFUSED = [
    ("training", Resume()), ("training", Step()), ("training", Extend()),
    ("paused", Pause()), ("paused", Extend()),
    ("finished", Pause()), ("finished", Resume()), ("finished", Step()),
]  # fmt: skip


@pytest.mark.parametrize(("state", "command"), REFUSED, ids=lambda value: str(value))
def test_a_command_that_cannot_be_executed_is_rejected_with_the_reason(
    tmp_path: Path, state: str, command: Command
) -> None:
    trainer, log = started(tmp_path, pace=None if state == "finished" else CRAWL)
    if state == "paused":
        trainer.send(Pause())
    until(lambda: trainer.snapshot.state == state)
    trainer.send(command)
    refused = log.wait(CommandRejected)
    assert refused.command == type(command).__name__.lower()
    assert refused.reason == f"the run is {state}"
    assert trainer.snapshot.state == state
    ended(trainer)


def test_a_command_is_executed_while_the_run_waits_for_its_pace(tmp_path: Path) -> None:
    trainer, log = started(tmp_path, pace=CRAWL)
    trainer.send(Evaluate("random", 0))
    assert log.wait(Evaluated).iteration == 1
    trainer.send(SetPace(None))
    log.wait(Finished)
    ended(trainer)


def test_a_slow_pace_trains_single_iterations(tmp_path: Path) -> None:
    trainer, log = started(tmp_path, small_config(eval_interval=1, iterations=5), pace=50.0)
    log.wait(Finished)
    assert [event.iteration for event in log.of(Evaluated)] == [1, 2, 3, 4, 5]
    times = [event.time for event in log.of(Evaluated)]
    # Four pauses of 1/50 s; an upper bound would measure the machine.
    assert times[-1] - times[0] > 0.06
    assert trainer.snapshot.pace == 50.0
    ended(trainer)


def test_extend_continues_for_as_many_iterations_again(engine_name: str, tmp_path: Path) -> None:
    config = small_config(engine_name, iterations=30)
    trainer, log = started(tmp_path, config)
    log.wait(Finished)
    trainer.send(Extend())
    assert log.wait(Extended).target == 60
    log.wait(Finished, 2)
    ended(trainer)
    assert saved_iterations(trainer.plan.folder) == [30, 60]
    assert bits(latest_checkpoint(tmp_path / "run").checkpoint.state) == bits(straight(config, 60))


def test_an_extended_run_is_resumed_to_its_new_target(tmp_path: Path) -> None:
    trainer, log = started(tmp_path, small_config(iterations=30), pace=None)
    log.wait(Finished)
    for command in (SetPace(CRAWL), Extend(), Pause(), Step(2), Stop()):
        trainer.send(command)
    assert trainer.join(PATIENCE)
    resumed = Trainer(plan_resumed(tmp_path / "run"), Log())
    assert (resumed.snapshot.target, resumed.snapshot.iteration) == (60, trainer.snapshot.iteration)


def test_a_finished_run_is_resumed_as_finished(tmp_path: Path) -> None:
    log = Log()
    run_whole(Trainer(new_plan(tmp_path), log), log)
    again = Log()
    trainer = Trainer(plan_resumed(tmp_path / "run"), again)
    trainer.start()
    until(lambda: trainer.snapshot.state == "finished")
    ended(trainer)
    assert trainer.snapshot.iteration == 120
    assert again.wait(Started).resumed_from == str(latest_checkpoint(tmp_path / "run").path)


@pytest.mark.parametrize(("save", "checkpoints"), [(True, [3]), (False, [])])
def test_stop_saves_on_request(tmp_path: Path, save: bool, checkpoints: list[int]) -> None:
    trainer, log = paused_at(3, tmp_path)
    ended(trainer, save=save)
    assert saved_iterations(trainer.plan.folder) == checkpoints
    assert trainer.snapshot.state == "stopped"
    assert isinstance(log.events[-1], Stopped)


def test_stop_does_not_save_twice(tmp_path: Path) -> None:
    trainer, log = paused_at(3, tmp_path)
    trainer.send(Save())
    log.wait(Saved)
    ended(trainer, save=True)
    assert len(log.of(Saved)) == 1


def test_stopping_a_finished_run_leaves_it_finished(tmp_path: Path) -> None:
    log = Log()
    trainer = run_whole(Trainer(new_plan(tmp_path), log), log)
    assert trainer.snapshot.state == "finished"
    assert not log.of(Stopped)


def test_a_command_after_the_end_is_refused(tmp_path: Path) -> None:
    trainer, _ = paused_at(1, tmp_path)
    assert trainer.send(Stop(save=False))
    assert trainer.join(PATIENCE)
    assert not trainer.send(Pause())


def test_a_command_before_the_start_is_refused(tmp_path: Path) -> None:
    trainer = Trainer(new_plan(tmp_path), Log())
    assert not trainer.send(Pause())
    assert trainer.join()


def test_no_thread_is_left_behind(tmp_path: Path) -> None:
    log = Log()
    run_whole(Trainer(new_plan(tmp_path, name="lonely"), log), log)
    assert not [thread for thread in threading.enumerate() if thread.name == "run lonely"]


def test_a_snapshot_shows_unsaved_progress(tmp_path: Path) -> None:
    trainer, log = paused_at(2, tmp_path)
    assert trainer.snapshot.unsaved
    trainer.send(Save())
    log.wait(Saved)
    until(lambda: not trainer.snapshot.unsaved)
    ended(trainer)


def test_a_snapshot_never_changes(tmp_path: Path) -> None:
    trainer, log = paused_at(2, tmp_path)
    taken = trainer.snapshot
    assert taken.theta is not None
    theta, curve = taken.theta.tobytes(), taken.curve
    trainer.send(SetPace(None))
    trainer.send(Resume())
    log.wait(Finished)
    ended(trainer)
    assert (taken.iteration, taken.state, taken.theta.tobytes()) == (2, "paused", theta)
    assert taken.curve is curve


@pytest.mark.parametrize("last", [Finished, Stopped], ids=lambda kind: kind.__name__)
def test_the_final_event_is_published_before_the_final_snapshot(tmp_path: Path, last: type) -> None:
    """A client that sees the end of every run and then reads the events misses none."""
    shown: dict[str, str] = {}
    trainer: Trainer

    def publish(event: object) -> None:
        shown[type(event).__name__] = trainer.snapshot.state
        log(event)  # type: ignore[arg-type]

    log = Log()
    trainer = Trainer(new_plan(tmp_path, pace=None if last is Finished else CRAWL), publish)
    trainer.start()
    if last is Stopped:
        trainer.send(Stop())
    log.wait(last)
    ended(trainer)
    assert shown[last.__name__] == "training"
    assert trainer.snapshot.state == last.__name__.lower()


def test_loading_an_engine_is_not_counted_as_training_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour, passed = 3600.0, 0.0
    clock, make_engine = time.monotonic, core.training.trainer.make_engine

    def slowly(*arguments: Any) -> Engine:
        nonlocal passed
        passed = hour
        return make_engine(*arguments)

    monkeypatch.setattr(core.training.trainer, "make_engine", slowly)
    monkeypatch.setattr(core.training.pacing.time, "monotonic", lambda: clock() + passed)
    trainer, log = started(tmp_path)
    log.wait(Finished)
    ended(trainer)
    assert 0 < trainer.snapshot.elapsed < hour
