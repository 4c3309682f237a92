"""Presets of the Lab draw tasks as pure functions of seed and index."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.lab_tasks import draw_points, draw_preset
from core.analysis.questions import ExplicitTask
from core.errors import ConfigError
from core.evaluation.few_shot_tasks import PRESETS, PROBES, PresetName, ProbeName, draw_task
from core.tasks.sine import SineTasks
from tests.support.strategies import SEEDS, WAVES
from tests.support.waves import sine_wave

NOISE, CONTRADICTION = 0.5, 1.5
NAMES = st.sampled_from(list(PRESETS))


def true_y(task: ExplicitTask) -> np.ndarray:
    amplitude, phase = task.parameters
    return amplitude * np.sin(np.array(task.support_x) + phase)


@given(name=NAMES, index=st.integers(0, 2**53), seed=SEEDS, waves=WAVES)
def test_a_preset_is_a_pure_function_within_the_interval(
    name: PresetName, index: int, seed: int, waves: SineTasks
) -> None:
    task = draw_preset(name, index, seed, waves)
    assert task == draw_preset(name, index, seed, waves)
    assert waves.x[0] - 1e-9 <= min(task.support_x)
    assert max(task.support_x) <= waves.x[1] + 1e-9


@given(name=NAMES, seed=SEEDS)
def test_successive_tasks_of_a_preset_differ(name: PresetName, seed: int) -> None:
    first, second = (draw_preset(name, index, seed, SineTasks()) for index in (0, 1))
    assert not set(first.support_x) & set(second.support_x)


@pytest.mark.parametrize("name", ["standard", "half-range"])
def test_presets_and_evaluations_of_one_name_draw_the_same_tasks(name: ProbeName) -> None:
    task, probe = draw_preset(name, 3, 7, SineTasks()), draw_task(SineTasks(), 7, PROBES[name], 3)
    assert task.parameters == probe.function.parameters
    assert task.support_x == tuple(probe.support_x[:, 0].tolist())
    assert task.support_y == tuple(probe.support_y[:, 0].tolist())


@given(index=st.integers(0, 10**6))
def test_amplitudes_beyond_the_trained_range_reach_twice_its_end(index: int) -> None:
    assert 5 <= draw_preset("beyond-range", index, 0, SineTasks()).parameters[0] <= 10


def test_noise_has_its_deviation_and_no_bias() -> None:
    tasks = [draw_preset("noisy", index, 0, SineTasks()) for index in range(1_000)]
    noise = np.concatenate([np.array(task.support_y) - true_y(task) for task in tasks])
    # 10,000 numbers: a standard error of 0.005 of the mean and 0.0035 of the deviation.
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - NOISE) < 0.014
    # Two thirds of normal numbers lie within one deviation, give or take 0.005.
    assert abs((abs(noise) < NOISE).mean() - 0.6827) < 0.02


def test_one_point_is_one_point_on_the_wave() -> None:
    task = draw_preset("one-point", 0, 0, SineTasks())
    assert len(task.support_x) == 1
    assert task.support_y == pytest.approx(true_y(task))


def test_contradictory_points_share_x_and_lie_on_both_sides() -> None:
    task = draw_preset("contradictory", 0, 0, SineTasks())
    half = len(task.support_x) // 2
    assert task.support_x[:half] == task.support_x[half:]
    assert np.subtract(task.support_y[:half], true_y(task)[:half]) == pytest.approx(CONTRADICTION)
    assert np.subtract(task.support_y[half:], true_y(task)[half:]) == pytest.approx(-CONTRADICTION)


@given(
    few=st.integers(1, 100),
    more=st.integers(0, 99),
    noise=st.floats(0, 9),
    index=st.integers(0, 99),
)
def test_more_points_and_other_noise_keep_the_earlier_points(
    few: int, more: int, noise: float, index: int
) -> None:
    wave, many = sine_wave(2.0, 0.3), min(100, few + more)
    fewer = draw_points(wave, few, (-2, 3), noise, index, 5)
    assert draw_points(wave, many, (-2, 3), noise, index, 5).support_y[:few] == fewer.support_y
    exact = draw_points(wave, few, (-2, 3), 0.0, index, 5)
    assert exact.support_x == fewer.support_x
    assert exact.support_y == pytest.approx(true_y(exact))
    assert -2 <= min(exact.support_x) <= max(exact.support_x) <= 3


@pytest.mark.parametrize(("n", "noise"), [(0, 0.0), (101, 0.0), (3, -1.0), (3, float("nan"))])
def test_invalid_numbers_of_points_and_noise_are_refused(n: int, noise: float) -> None:
    with pytest.raises(ConfigError):
        draw_points(sine_wave(1.0, 0.0), n, (-1, 1), noise, 0, 0)


def test_waves_too_large_for_a_question_are_refused() -> None:
    with pytest.raises(ConfigError, match="parameters"):
        draw_preset("beyond-range", 0, 0, SineTasks(amplitude=(1e7, 1e8)))
