"""The length of a chunk, from the time that the ones before took."""

from types import SimpleNamespace

import pytest

from core.training import pacing
from core.training.pacing import FASTEST_GROWTH, Pacing


def lengths(monkeypatch: pytest.MonkeyPatch, timed: Pacing, seconds: float, n: int) -> list[int]:
    """Return the lengths of the first chunks of a run whose iterations take ``seconds``."""
    clock = 0.0
    monkeypatch.setattr(pacing, "time", SimpleNamespace(monotonic=lambda: clock))
    found = []
    for _ in range(n):
        began = clock
        found.append(timed.chunk)
        clock += seconds * found[-1]
        timed.finish_chunk(found[-1], began)
    return found


def test_chunks_grow_to_their_duration(monkeypatch: pytest.MonkeyPatch) -> None:
    found = lengths(monkeypatch, Pacing(None, 0.0, 0.1), 2**-14, 6)
    assert found[:4] == [1, FASTEST_GROWTH, FASTEST_GROWTH**2, FASTEST_GROWTH**3]
    assert found[4:] == [pytest.approx(0.1 * 2**14, abs=1)] * 2


def test_a_slow_iteration_is_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lengths(monkeypatch, Pacing(None, 0.0), 1.0, 3) == [1, 1, 1]


def test_a_chunk_has_not_more_iterations_than_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    found = lengths(monkeypatch, Pacing(100.0, 0.0, 0.1), 2**-14, 4)
    assert found == [1, FASTEST_GROWTH, 10, 10]
