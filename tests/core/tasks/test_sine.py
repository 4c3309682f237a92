"""Waves, grids, and data as a pure function of (seed, stream, iteration)."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.algorithms.base import Algorithm
from core.algorithms.fomaml import Fomaml
from core.config import RunConfig
from core.evaluation.few_shot_tasks import PROBES, draw_task
from core.tasks.base import Batches
from core.tasks.counter_random import uniforms
from core.tasks.functions import TaskFunction, query_grid
from core.tasks.sampler import TaskSampler
from core.tasks.sine import SineTasks
from core.tasks.streams import Stream
from tests.support.strategies import SEEDS, WAVES, algorithms
from tests.support.waves import sine_wave

ITERATIONS = st.integers(0, 2**40)
SINES = {"float32": 2e-5, "float64": 1e-13}
"""Error of 5 sin(x): arguments up to 17 carry a rounding of a few units in the last place."""


def parts(batches: Batches, index: slice) -> list[bytes]:
    """The exact bits of some iterations' data."""
    query_x = batches.query_x if batches.query_x.ndim == 2 else batches.query_x[index]
    arrays = batches.x[index], batches.y[index], query_x, batches.query_y[index]
    return [array.tobytes() for array in arrays]


def test_a_wave_is_amplitude_times_the_sine_of_x_plus_phase() -> None:
    x = np.linspace(-5, 5, 7)
    assert sine_wave(4.0, 1.0).at(x).tolist() == pytest.approx([4 * math.sin(v + 1) for v in x])


def test_a_wave_keeps_the_shape_and_the_precision_of_x() -> None:
    y = sine_wave(4.0, 1.0)(np.zeros((2, 3, 1), np.float32))
    assert (y.shape, y.dtype) == ((2, 3, 1), np.float32)


def test_a_wave_at_whole_numbers_is_not_rounded_to_whole_numbers() -> None:
    y = sine_wave(0.5, 0.25).at(np.arange(3))
    assert y.tolist() == pytest.approx([0.5 * math.sin(v + 0.25) for v in range(3)])


def test_a_wave_is_labelled_with_its_formula() -> None:
    assert sine_wave(4.0, 1.0).label == "4.00·sin(x + 1.00)"


def test_the_default_distribution_is_that_of_the_reference_code() -> None:
    """Phases of a whole turn; half a turn is the protocol of Finn et al., of other numbers."""
    assert SineTasks() == SineTasks(amplitude=(0.1, 5.0), phase=(0.0, 2 * math.pi), x=(-5.0, 5.0))


def test_the_query_grid_is_50_equally_spaced_points_with_both_ends() -> None:
    grid = query_grid(SineTasks())
    assert (grid.shape, grid[0], grid[-1]) == ((50, 1), -5.0, 5.0)
    assert np.diff(grid[:, 0]) == pytest.approx(10 / 49)


@given(seed=SEEDS, first=ITERATIONS, n=st.integers(0, 9), width=st.integers(1, 40))
def test_any_iteration_is_drawn_directly(seed: int, first: int, n: int, width: int) -> None:
    together = uniforms(seed, Stream.TRAINING, first, n, width)
    alone = [uniforms(seed, Stream.TRAINING, first + i, 1, width)[0] for i in range(n)]
    assert together.shape == (n, width)
    assert together.tolist() == [draws.tolist() for draws in alone]


@given(
    algorithm=algorithms(),
    waves=WAVES,
    seed=SEEDS,
    first=ITERATIONS,
    n=st.integers(1, 40),
    dtype=st.sampled_from(["float32", "float64"]),
    data=st.data(),
)
def test_a_batch_has_the_same_bits_alone_and_within_any_chunk(
    algorithm: Algorithm,
    waves: SineTasks,
    seed: int,
    first: int,
    n: int,
    dtype: str,
    data: st.DataObject,
) -> None:
    source = TaskSampler(waves, seed, dtype)
    chunk = algorithm.batches(source, first, n)
    index = data.draw(st.integers(0, n - 1))
    alone = algorithm.batches(source, first + index, 1)
    assert parts(alone, slice(None)) == parts(chunk, slice(index, index + 1))


@given(seed=SEEDS, first=ITERATIONS)
def test_no_two_streams_and_no_two_seeds_share_a_number(seed: int, first: int) -> None:
    draws = [uniforms(seed, stream, first, 4, 8) for stream in Stream]
    draws += [uniforms((seed + 1) % 2**63, stream, first, 4, 8) for stream in Stream]
    assert len(np.unique(draws)) == np.size(draws)


def test_each_purpose_has_a_stream_of_its_own() -> None:
    """Evaluations and training never draw from one stream; "compare" repeats "half-range"."""
    probes = [probe.stream for name, probe in PROBES.items() if name != "compare"]
    own = [Stream.INITIALISATION, TaskSampler(SineTasks(), 0).stream, *probes]
    assert len(set(own)) == len(own)
    assert not {Stream.MANY_TASKS, Stream.MANY_TASKS_HALF_RANGE} & set(own)


@given(seed=SEEDS, iteration=st.integers(0, 10**6))
def test_evaluation_tasks_differ_from_training_tasks(seed: int, iteration: int) -> None:
    source = TaskSampler(SineTasks(), seed, "float64")
    training = source.few_shot(iteration, 2, 3, 10, 50)
    for protocol in PROBES.values():
        task = draw_task(SineTasks(), seed, protocol, iteration)
        assert not np.isin(task.support_x, training.x).any()


@given(waves=WAVES, seed=SEEDS, dtype=st.sampled_from(["float32", "float64"]))
def test_few_shot_data_lies_on_waves_of_the_distribution(
    waves: SineTasks, seed: int, dtype: str
) -> None:
    data = TaskSampler(waves, seed, dtype).few_shot(3, 2, 4, 7, 11)
    assert data.x.shape == data.y.shape == (2, 4, 1, 7, 1)
    assert (data.query_x.shape, data.query_y.shape) == ((11, 1), (2, 4, 11, 1))
    assert {array.dtype.name for array in (data.x, data.y, data.query_x, data.query_y)} == {dtype}
    n = len(waves.parameters)
    draws = uniforms(seed, Stream.TRAINING, 3, 2, 4 * (n + 7)).reshape(2, 4, n + 7)
    low, high = np.float64(waves.x)
    assert data.x[:, :, 0, :, 0] == pytest.approx(low + (high - low) * draws[..., n:], abs=1e-6)
    for index in np.ndindex(2, 4):
        amplitude, phase, frequency = (
            a + (b - a) * draw
            for (a, b), draw in zip(
                (waves.amplitude, waves.phase, waves.frequency),
                (*draws[index][:n], 0.0)[:3],
                strict=True,
            )
        )
        support, query = data.x[index][0, :, 0].astype(float), data.query_x[:, 0].astype(float)
        tolerance = SINES[dtype]
        assert data.y[index][0, :, 0] == pytest.approx(
            amplitude * np.sin(frequency * support + phase), abs=tolerance
        )
        assert data.query_y[index][:, 0] == pytest.approx(
            amplitude * np.sin(frequency * query + phase), abs=tolerance
        )


def test_training_phases_cover_the_whole_period() -> None:
    """Read from the waves themselves: sin(phase) and cos(phase) from y at x = 0 and pi / 2."""
    waves = SineTasks(amplitude=(1.0, 1.0), x=(0.0, math.pi / 2))
    data = TaskSampler(waves, 0, "float64").few_shot(0, 500, 3, 1, 2)
    sine, cosine = data.query_y[..., 0, 0], data.query_y[..., 1, 0]
    turns = (np.arctan2(sine, cosine) / (2 * math.pi)) % 1
    counts, _ = np.histogram(turns, bins=8, range=(0, 1))
    # 1,500 phases, 188 expected in a bin with a standard deviation of 13.
    assert counts.min() > 120
    assert counts.max() < 260


def test_support_points_and_amplitudes_fill_their_intervals_evenly() -> None:
    data = TaskSampler(SineTasks(), 0, "float64").few_shot(0, 500, 3, 10, 50)
    counts, _ = np.histogram(data.x, bins=10, range=(-5, 5))
    assert counts.sum() == data.x.size
    # 15,000 points, 1,500 expected in a bin with a standard deviation of 37.
    assert np.abs(counts - 1500).max() < 200
    amplitudes = np.abs(data.query_y).max(-2)
    assert np.median(amplitudes) == pytest.approx(2.55, abs=0.2)


@given(
    seed=SEEDS,
    epochs=st.integers(1, 3),
    batch_size=st.integers(1, 6),
    batches=st.integers(1, 4),
    n_tasks=st.integers(1, 3),
)
def test_minibatches_of_an_epoch_are_the_grid_without_replacement(
    seed: int, epochs: int, batch_size: int, batches: int, n_tasks: int
) -> None:
    points = batch_size * batches
    data = TaskSampler(SineTasks(), seed, "float64").minibatches(
        5, 2, n_tasks, points, batch_size, epochs
    )
    assert data.x.shape == data.y.shape == (2, n_tasks, epochs * batches, batch_size, 1)
    grid = query_grid(SineTasks(), points)
    for x in data.x.reshape(-1, points):
        assert np.sort(x).tolist() == grid[:, 0].tolist()


def test_a_minibatch_keeps_each_point_with_its_y() -> None:
    source = TaskSampler(SineTasks(amplitude=(2.0, 2.0), phase=(1.0, 1.0)), 0, "float64")
    data = source.minibatches(0, 3, 2, 50, 10, 2)
    assert data.y == pytest.approx(2 * np.sin(data.x + 1), abs=1e-14)


def test_minibatches_are_reshuffled_for_each_epoch_task_and_iteration() -> None:
    data = TaskSampler(SineTasks(), 0, "float64").minibatches(0, 3, 2, 50, 10, 2)
    orders = data.x.reshape(-1, 50).tolist()
    assert all(first != second for first, second in pairwise(sorted(orders)))


@given(seed=SEEDS, points=st.sampled_from([2, 3, 50, 64, 65, 1_000]))
def test_minibatches_are_shuffled_in_the_order_of_the_draws(seed: int, points: int) -> None:
    n, n_tasks, epochs = 2, 2, 2
    data = TaskSampler(SineTasks(), seed, "float64").minibatches(3, n, n_tasks, points, 1, epochs)
    draws = uniforms(seed, Stream.TRAINING, 3, n, n_tasks * (2 + epochs * points))
    draws = draws.reshape(n, n_tasks, -1)[..., 2:].reshape(n, n_tasks, epochs, points)
    grid = query_grid(SineTasks(), points)
    assert data.x.ravel().tolist() == grid[draws.argsort()].ravel().tolist()


@given(seed=SEEDS, first=ITERATIONS)
def test_random_query_points_follow_the_support_points(seed: int, first: int) -> None:
    waves = SineTasks(x=(-3.0, 2.0))
    sampler = TaskSampler(waves, seed, "float64")
    data = sampler.few_shot(first, 2, 4, 3, 5, "random")
    assert (data.x.shape, data.query_x.shape) == ((2, 4, 1, 3, 1), (2, 4, 5, 1))
    draws = uniforms(seed, Stream.TRAINING, first, 2, 4 * 10).reshape(2, 4, 10)
    points = np.concatenate([data.x[:, :, 0], data.query_x], 2)[..., 0]
    assert points == pytest.approx(5 * draws[..., 2:] - 3, abs=1e-12)
    amplitude, phase = 0.1 + 4.9 * draws[..., :1], 2 * math.pi * draws[..., 1:2]
    expected = amplitude * np.sin(data.query_x[..., 0] + phase)
    assert data.query_y[..., 0] == pytest.approx(expected, abs=1e-12)


def test_a_frequency_is_a_parameter_only_where_it_is_not_1() -> None:
    usual, varied = SineTasks(), SineTasks(frequency=(0.8, 1.2))
    assert usual.parameters == ("amplitude", "phase")
    assert varied.parameters == ("amplitude", "phase", "frequency")
    assert varied.reference == (4.0, 1.0, pytest.approx(1.1))
    assert varied.label(4.0, 1.0, 0.9) == "4.00·sin(0.90x + 1.00)"
    wave = TaskFunction(varied, (4.0, 1.0, 0.9)).at(np.array([2.0]))
    assert wave[0] == pytest.approx(4 * math.sin(2.8))


def test_a_file_does_not_name_the_usual_frequency() -> None:
    for frequency, found in (((1.0, 1.0), False), ((0.8, 1.2), True)):
        config = RunConfig(algorithm=Fomaml(), tasks=SineTasks(frequency=frequency))
        assert ("frequency" in config.to_dict()["waves"]) is found
        assert "frequency" in config.to_dict(complete=True)["waves"]


def test_minibatches_have_no_query_set() -> None:
    data = TaskSampler(SineTasks(), 0).minibatches(0, 3, 2, 50, 10, 1)
    assert (data.query_x.shape, data.query_y.shape) == ((0, 1), (3, 2, 0, 1))
