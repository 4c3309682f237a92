"""Commands, interruptions and chunk lengths do not change the bits of a run."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import core.engines.fused.engine
import core.training.pacing
import core.training.trainer
from core.algorithms.anil import Anil
from core.algorithms.base import Algorithm
from core.algorithms.fomaml import Fomaml
from core.algorithms.registry import ALGORITHMS
from core.algorithms.reptile import Reptile
from core.commands import Command, Evaluate, Extend, Pause, Resume, Save, SetPace, Step
from core.config import ValidationSettings
from core.engines import make_engine
from core.engines.base import TrainState
from core.events import Finished, Progress
from core.storage.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from core.storage.latest_checkpoint import latest_checkpoint
from core.training.run_plan import plan_resumed
from core.training.trainer import Trainer
from tests.support.runs import (
    Log,
    ended,
    learned,
    new_plan,
    paused_at,
    run_whole,
    saved_iterations,
    small_config,
    started,
    straight,
    until,
)
from tests.support.states import bits, global_randomness
from tests.support.strategies import algorithms, families

pytestmark = pytest.mark.slow

MEDDLING = st.lists(
    st.one_of(
        st.builds(Pause),
        st.builds(Resume),
        st.builds(Step, st.integers(0, 7)),
        st.builds(
            Evaluate,
            st.sampled_from(["random", "standard", "half-range", "compare"]),
            st.integers(0, 3),
        ),
        st.builds(Save),
        st.builds(SetPace, st.sampled_from([None, 1e3, 1e5])),
        st.builds(Extend),
    ),
    max_size=12,
)


def final_state(trainer: Trainer) -> TrainState:
    """Return the state in the newest checkpoint, which equals the one that was shown."""
    state = latest_checkpoint(trainer.plan.folder.path).checkpoint.state
    assert trainer.snapshot.theta is not None
    assert state.theta.tobytes() == trainer.snapshot.theta.tobytes()
    return state


@settings(max_examples=10)
@given(commands=MEDDLING, data=st.data())
def test_commands_do_not_change_the_bits(
    engine_name: str, commands: list[Command], data: st.DataObject
) -> None:
    algorithm, tasks = data.draw(algorithms(engine_name)), data.draw(families())
    config = small_config(engine_name, algorithm=algorithm, tasks=tasks, iterations=60)
    with tempfile.TemporaryDirectory() as out:
        trainer, log = started(Path(out), config)
        for command in commands:
            trainer.send(command)
        for command in (SetPace(None), Resume()):
            trainer.send(command)
        log.wait(Finished)
        ended(trainer)
        iterations = trainer.snapshot.iteration
        assert iterations % 60 == 0
        assert bits(final_state(trainer)) == bits(straight(config, iterations))


@pytest.mark.parametrize("seconds", [0.0, 1e-4, 1.0])
def test_the_chunk_length_does_not_change_the_bits(
    engine_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    config = small_config(engine_name, iterations=100)
    log = Log()
    reference = run_whole(Trainer(new_plan(tmp_path, config, "reference"), log), log)
    monkeypatch.setattr(core.training.pacing, "CHUNK_SECONDS", seconds)
    other = Log()
    trainer = run_whole(Trainer(new_plan(tmp_path, config, "other"), other), other)
    assert bits(final_state(trainer)) == bits(final_state(reference)) == bits(straight(config))
    assert learned(other.events) == learned(log.events)
    assert trainer.snapshot.curve == reference.snapshot.curve


@pytest.mark.parametrize("drawn", [1, 5_000])
@pytest.mark.parametrize("algorithm", [Fomaml(), Reptile(), Anil()], ids=lambda one: one.name)
def test_how_much_is_drawn_at_once_does_not_change_the_bits(
    algorithm: Algorithm, monkeypatch: pytest.MonkeyPatch, drawn: int
) -> None:
    config = small_config("fused", algorithm=algorithm, iterations=20)
    reference = straight(config)
    monkeypatch.setattr(core.engines.fused.engine, "BLOCK", drawn)
    assert bits(straight(config)) == bits(reference)


@settings(max_examples=10)
@given(iteration=st.integers(1, 69), data=st.data())
def test_an_interrupted_run_equals_an_uninterrupted_one(
    engine_name: str, iteration: int, data: st.DataObject
) -> None:
    algorithm, tasks = data.draw(algorithms(engine_name)), data.draw(families())
    config = small_config(
        engine_name,
        algorithm=algorithm,
        tasks=tasks,
        noise=0.3,
        fixed_tasks=50,
        iterations=70,
        validation=ValidationSettings(tasks=8, interval=30),
    )
    with tempfile.TemporaryDirectory() as out:
        once = Log()
        whole = run_whole(Trainer(new_plan(Path(out), config, "whole"), once), once)
        first, before = paused_at(iteration, Path(out), config)
        ended(first, save=True)
        assert saved_iterations(first.plan.folder) == [iteration]
        after = Log()
        second = run_whole(Trainer(plan_resumed(first.plan.folder.path), after), after)
        assert bits(final_state(second)) == bits(final_state(whole))
        assert learned(before.events) + learned(after.events) == learned(once.events)
        assert second.snapshot.loss == whole.snapshot.loss
        assert second.snapshot.best == whole.snapshot.best


def test_a_run_stopped_at_any_moment_continues_with_the_same_bits(
    engine_name: str, tmp_path: Path
) -> None:
    config = small_config(engine_name, iterations=150)
    trainer, log = started(tmp_path, config)
    log.wait(Progress)
    ended(trainer, save=True)
    while not log.of(Finished):
        trainer = Trainer(plan_resumed(tmp_path / "run"), log)
        trainer.start()
        until(lambda: trainer.snapshot.iteration > 0)  # noqa: B023
        ended(trainer, save=True)
    assert bits(final_state(trainer)) == bits(straight(config))


@pytest.mark.parametrize(
    "algorithm",
    [*(kind() for kind in ALGORITHMS.values()), Reptile(inner_optimizer="adam")],  # type: ignore[call-arg]
    ids=lambda algorithm: algorithm.variant,
)
def test_every_algorithm_continues_from_its_checkpoint_with_the_same_bits(
    algorithm: Algorithm, tmp_path: Path
) -> None:
    config = small_config("auto", algorithm=algorithm, iterations=40)
    engine = make_engine(config)
    half = engine.advance(engine.initial_state(), 20).state
    saved = load_checkpoint(save_checkpoint(tmp_path, Checkpoint(config, half, 40, 0.0, ())))
    assert saved.config == config
    after = make_engine(saved.config).advance(saved.state, 20).state
    assert bits(after) == bits(straight(config))


def test_global_random_state_is_unchanged(tmp_path: Path) -> None:
    before = global_randomness()
    trainer, log = paused_at(3, tmp_path)
    for command in (Evaluate("random", 0), Save(), Resume(), SetPace(None)):
        trainer.send(command)
    log.wait(Finished)
    ended(trainer)
    assert global_randomness() == before
