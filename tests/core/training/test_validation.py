"""A run validates itself on the same tasks each time, and keeps its past."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.algorithms.fomaml import Fomaml
from core.algorithms.registry import ALGORITHMS, DEFAULT_ALGORITHMS
from core.algorithms.reptile import Reptile
from core.api import evaluate, open_run
from core.config import RunConfig, ValidationSettings
from core.engines import make_engine
from core.errors import ConfigError
from core.evaluation.adaptation import many_tasks
from core.evaluation.few_shot_tasks import draw_many
from core.evaluation.statistics import Statistics
from core.evaluation_protocol import EvaluationProtocol
from core.events import Finished, Spent, Validated
from core.models.settings import NetworkConfig
from core.storage.checkpoint import load_checkpoint
from core.storage.latest_checkpoint import latest_checkpoint
from core.storage.paths import checkpoint_path
from core.storage.run_index import describe_run
from core.tasks.sine import SineTasks
from core.training import schedule
from core.training.run_plan import plan_resumed
from core.training.trainer import Trainer
from tests.support.runs import (
    Log,
    ended,
    new_plan,
    paused_at,
    run_whole,
    saved_kinds,
    small_config,
    straight,
)
from tests.support.states import bits

SOURCES = Path(__file__).parents[3] / "checkpoints"
FEW = ValidationSettings(tasks=3, steps=(1, 2), interval=50)


def whole_run(out: Path, config: RunConfig) -> tuple[Trainer, Log]:
    log = Log()
    return run_whole(Trainer(new_plan(out, config), log), log), log


# When.


def test_a_run_of_the_source_has_13_validations_and_keeps_53_parameter_vectors() -> None:
    config = RunConfig(algorithm=Fomaml())
    all_iterations = range(config.iterations + 1)
    validated = [i for i in all_iterations if schedule.is_validated(config, i)]
    assert validated == [0, 100, 1_000, *range(5_000, 50_001, 5_000)]
    kept = [i for i in all_iterations if schedule.is_kept(config, i)]
    assert len(kept) == 53
    assert {0, 10, 30, 100, 300, 1_000, *validated} <= set(kept)


@given(
    st.integers(0, 3_000),
    st.builds(
        RunConfig,
        algorithm=st.just(Reptile()),
        iterations=st.integers(1, 3_000),
        eval_interval=st.integers(1, 3_000),
        validation=st.builds(ValidationSettings, interval=st.integers(0, 3_000)),
    ),
)
def test_the_next_stop_is_the_first_iteration_with_something_due(
    iteration: int, config: RunConfig
) -> None:
    def due(at: int) -> bool:
        evaluated = at % config.eval_interval == 0
        return evaluated or schedule.is_validated(config, at) or schedule.is_kept(config, at)

    stop = schedule.next_stop(config, iteration)
    assert stop > iteration
    assert due(stop)
    assert not any(map(due, range(iteration + 1, stop)))


@pytest.mark.parametrize(("hidden", "kept"), [((64, 64), 53), ((900, 900), 9), ((4_000, 4_000), 0)])
def test_of_large_networks_fewer_parameter_vectors_are_kept(
    hidden: tuple[int, ...], kept: int
) -> None:
    config = RunConfig(algorithm=Fomaml(), network=NetworkConfig(hidden=hidden))
    assert sum(schedule.is_kept(config, i) for i in range(50_001)) == kept


def test_an_interval_of_0_switches_validation_off(tmp_path: Path) -> None:
    off = small_config(validation=ValidationSettings(interval=0))
    trainer, log = whole_run(tmp_path, off)
    assert not log.of(Validated)
    assert trainer.snapshot.best is None


# What.


def test_validations_are_evaluations_of_the_parameters_of_that_iteration(
    engine_name: str, tmp_path: Path
) -> None:
    config = small_config(engine_name, validation=FEW)
    _, log = whole_run(tmp_path, config)
    found = log.of(Validated)
    assert [one.iteration for one in found] == [0, 50, 100, 120]
    for one in found:
        theta = load_checkpoint(checkpoint_path(tmp_path / "run", one.iteration)).state.theta
        losses = many_tasks(make_engine(config), theta, config, config.validation)
        columns = Statistics.per_step(losses)
        assert one.steps == (0, 1, 2)
        assert one.mean == tuple(column.mean for column in columns)
        assert one.median == tuple(column.median for column in columns)
        assert (one.low[-1], one.high[-1]) == (columns[-1].low, columns[-1].high)
        assert one.losses == tuple(losses[:, -1].tolist())


def test_python_evaluates_a_run_with_its_own_validation(tmp_path: Path) -> None:
    _, log = whole_run(tmp_path, small_config("fused", validation=FEW))
    run = open_run(tmp_path / "run")
    assert evaluate(run, run.config.validation).mean.tolist() == list(log.of(Validated)[-1].mean)


@pytest.mark.parametrize("iteration", [0, 7])
def test_runs_of_all_seeds_and_algorithms_are_validated_on_the_same_tasks(iteration: int) -> None:
    """So a validation cannot depend on the amplitudes of its tasks, which are always the same."""
    configs = [
        RunConfig(algorithm=kind(), seed=seed, iterations=100 + iteration)
        for kind in ALGORITHMS.values()
        for seed in range(10)
    ]
    drawn = [draw_many(config.validation, config.tasks) for config in configs]
    for other in drawn[1:]:
        assert other.parameters.tobytes() == drawn[0].parameters.tobytes()
        assert other.sets.support_x.tobytes() == drawn[0].sets.support_x.tobytes()
        assert other.sets.query_y.tobytes() == drawn[0].sets.query_y.tobytes()


def test_the_tasks_of_eval_are_others_than_those_of_validation() -> None:
    """The best network was chosen on the tasks of validation."""
    own = draw_many(ValidationSettings(), SineTasks())
    test = draw_many(EvaluationProtocol(), SineTasks())
    assert not set(own.parameters[:, 0].tolist()) & set(test.parameters[:, 0].tolist())


@pytest.mark.slow
def test_64_tasks_agree_with_10_000_within_the_stated_intervals() -> None:
    means, validations = {}, {}
    for name in DEFAULT_ALGORITHMS:
        checkpoint = latest_checkpoint(SOURCES / f"{name}-source").checkpoint
        config, theta = checkpoint.config, checkpoint.state.theta
        engine = make_engine(config)
        many = EvaluationProtocol(tasks=10_000, steps=(32,), seed=2)
        means[name] = many_tasks(engine, theta, config, many)[:, -1].mean()
        few = many_tasks(engine, theta, config, config.validation)[:, -1]
        validations[name] = few
        found = Statistics.of(few)
        assert found.low <= means[name] <= found.high
    difference = Statistics.of(validations["fomaml"] - validations["reptile"])
    assert difference.low <= means["fomaml"] - means["reptile"] <= difference.high


def test_a_validation_that_diverges_is_counted_and_never_the_best(tmp_path: Path) -> None:
    wild = dataclasses.replace(FEW, inner_lr=1e6, steps=(1, 60))
    trainer, log = whole_run(tmp_path, small_config("fused", validation=wild))
    last = log.of(Validated)[-1]
    assert last.diverged == (0, 3, 3)
    assert last.result is None
    assert trainer.snapshot.best is None


def test_validation_changes_no_bit_of_training(engine_name: str, tmp_path: Path) -> None:
    config = small_config(engine_name, validation=dataclasses.replace(FEW, interval=7))
    whole_run(tmp_path, config)
    assert bits(latest_checkpoint(tmp_path / "run").checkpoint.state) == bits(straight(config))


def test_validation_has_no_task_family_of_its_own() -> None:
    with pytest.raises(ConfigError, match=r"validation\.family"):
        ValidationSettings(family=SineTasks())


# Budgets.


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        (Fomaml(tasks=3, shots=10, query_points=50, inner_steps=2), (3, 180, 9)),
        (Reptile(tasks=2, points=50, batch_size=10, inner_epochs=3), (2, 100, 30)),
    ],
)
def test_budgets_grow_with_each_iteration(
    algorithm: Fomaml | Reptile, expected: tuple[int, int, int], tmp_path: Path
) -> None:
    config = small_config(algorithm=algorithm, validation=FEW)
    trainer, log = whole_run(tmp_path, config)
    for one in log.of(Validated):
        spent = one.spent
        assert (spent.tasks, spent.points, spent.gradients) == tuple(
            one.iteration * each for each in expected
        )
    seconds = [one.spent.seconds for one in log.of(Validated)]
    assert seconds == sorted(seconds)
    assert trainer.snapshot.spent == Spent(
        *(120 * each for each in expected), trainer.snapshot.elapsed
    )


# History, and what a resumed run has.


def test_the_history_is_kept_when_a_run_is_interrupted_anywhere(
    engine_name: str, tmp_path: Path
) -> None:
    config = small_config(engine_name, validation=FEW)
    whole_run(tmp_path / "whole", config)
    for iteration in (1, 30, 50, 77):
        out = tmp_path / str(iteration)
        first, _ = paused_at(iteration, out, config)
        ended(first, save=True)
        log = Log()
        run_whole(Trainer(plan_resumed(out / "run"), log), log)
        for at in (i for i in range(121) if schedule.is_kept(config, i)):
            states = [
                load_checkpoint(checkpoint_path(run / "run", at)).state
                for run in (out, tmp_path / "whole")
            ]
            assert bits(states[0]) == bits(states[1])
        bests = [
            latest_checkpoint(run / "run").checkpoint.best for run in (out, tmp_path / "whole")
        ]
        assert bests[0] == bests[1] is not None


def test_a_validation_that_was_not_logged_is_repeated_on_resume(tmp_path: Path) -> None:
    trainer, log = paused_at(50, tmp_path, small_config(validation=FEW))
    ended(trainer, save=True)
    (tmp_path / "run" / "events.jsonl").unlink()
    again = Log()
    second = Trainer(plan_resumed(tmp_path / "run", pace=1e-3), again)
    second.start()
    assert again.wait(Validated).mean == log.of(Validated)[-1].mean
    ended(second)


def test_a_run_of_the_first_version_has_no_validations_until_it_is_resumed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(Path(__file__).parents[1] / "first_version", folder)
    assert describe_run(folder)[0].best is None
    log = Log()
    trainer = Trainer(plan_resumed(folder), log)
    trainer.start()
    assert log.wait(Validated).iteration == 50_000
    ended(trainer)
    assert describe_run(folder)[0].best is not None


def test_the_history_is_never_pruned(tmp_path: Path) -> None:
    config = small_config(validation=FEW)
    trainer, log = whole_run(tmp_path, config)
    assert log.of(Finished)
    kinds = saved_kinds(trainer.plan.folder)
    kept = [at for at in range(120) if schedule.is_kept(config, at)]
    assert [at for at, kind in kinds.items() if kind == "history"] == kept
    assert np.all(np.diff(list(kinds)) > 0)
