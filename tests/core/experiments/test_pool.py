"""The pool of threads: everything is done once, in spite of errors, and closing leaves nothing."""

import itertools
import threading
from collections.abc import Callable

import pytest

from core.errors import EngineError, SubjectError
from core.experiments.pool import work_off
from tests.support.runs import until


def doubled(piece: int, _: Callable[[], bool]) -> int:
    return 2 * piece


def no_failure(piece: int, problem: str) -> int:
    raise AssertionError(problem)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_each_piece_is_done_once(workers: int) -> None:
    results = list(work_off(range(50), doubled, no_failure, workers))
    assert sorted(results) == [2 * piece for piece in range(50)]


@pytest.mark.parametrize("error", [ValueError("odd"), EngineError("x", "odd"), SystemExit("odd")])
def test_a_piece_that_raises_is_a_result_and_not_the_end(error: BaseException) -> None:
    def work(piece: int, _: Callable[[], bool]) -> str:
        if piece % 2:
            raise error
        return f"{piece}"

    def failed(piece: int, problem: str) -> str:
        assert "odd" in problem
        return f"{piece} failed"

    results = work_off(range(4), work, failed, 2)
    assert sorted(results) == ["0", "1 failed", "2", "3 failed"]


def test_closing_cancels_what_is_being_done_and_leaves_no_thread() -> None:
    before = threading.active_count()

    def work(piece: int, cancelled: Callable[[], bool]) -> int | None:
        if piece:
            until(cancelled)
            return None
        return piece

    results = work_off(itertools.count(), work, no_failure, 3)
    assert next(results) == 0
    assert threading.active_count() == before + 3
    results.close()
    assert threading.active_count() == before


def test_no_more_pieces_are_begun_than_their_results_are_taken() -> None:
    begun = itertools.count()
    workers = 2

    def work(piece: int, _: Callable[[], bool]) -> int:
        next(begun)
        return piece

    results = work_off(range(1_000), work, no_failure, workers)
    next(results)
    until(lambda: threading.active_count() > 0)
    results.close()
    assert next(begun) <= 1 + 2 * workers + workers + 1


@pytest.mark.parametrize("allowed", [0, 1, 3])
def test_there_are_as_many_threads_as_the_system_allows(
    allowed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, started = threading.Thread.start, itertools.count()

    def limited(thread: threading.Thread) -> None:
        if next(started) >= allowed:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    results = work_off(range(9), doubled, no_failure, 4)
    if allowed:
        assert sorted(results) == [2 * piece for piece in range(9)]
    else:
        with pytest.raises(SubjectError, match="threads: cannot be started"):
            list(results)
