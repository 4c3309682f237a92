"""The loss curve has a bounded number of points, each a mean of losses."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.training.metrics import CURVE_POINTS, CurveBuilder


def losses_of(n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.random.default_rng(n).random(n)


def test_a_short_curve_has_every_loss() -> None:
    builder = CurveBuilder()
    builder.extend(np.array([3.0, 1.0, 2.0]))
    assert builder.build().iterations == (1, 2, 3)
    assert builder.build().losses == (3.0, 1.0, 2.0)


def test_a_new_curve_is_empty() -> None:
    assert (CurveBuilder().build().iterations, CurveBuilder().build().losses) == ((), ())


@pytest.mark.parametrize(
    "n", [1, CURVE_POINTS - 1, CURVE_POINTS, CURVE_POINTS + 1, 50_000, 1_000_000]
)
def test_a_curve_never_exceeds_its_capacity(n: int) -> None:
    builder = CurveBuilder()
    builder.extend(losses_of(n))
    curve = builder.build()
    assert min(n, CURVE_POINTS // 2 - 1) <= len(curve.iterations) <= CURVE_POINTS
    assert len(curve.iterations) == len(curve.losses)


@given(n=st.integers(1, 20_000))
def test_each_point_is_the_mean_since_the_previous_one(n: int) -> None:
    losses = losses_of(n)
    builder = CurveBuilder()
    builder.extend(losses)
    curve = builder.build()
    edges = (0, *curve.iterations)
    expected = [losses[a:b].mean() for a, b in pairwise(edges)]
    assert list(curve.losses) == pytest.approx(expected)
    width = edges[1] - edges[0]
    assert np.diff(edges).tolist() == [width] * len(curve.iterations)
    assert n - edges[-1] < width


@given(lengths=st.lists(st.integers(0, 3_000), max_size=8))
def test_the_chunk_length_does_not_change_the_curve(lengths: list[int]) -> None:
    losses = losses_of(sum(lengths))
    whole, parts = CurveBuilder(), CurveBuilder()
    whole.extend(losses)
    start = 0
    for length in lengths:
        parts.extend(losses[start : start + length])
        start += length
    assert parts.build() == whole.build()
