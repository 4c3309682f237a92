"""A pool of threads that trains runs and yields their results as they come."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TypeVar

from core.errors import LabError, SubjectError, unexpected

T = TypeVar("T")
R = TypeVar("R")

POLL_SECONDS = 0.1
"""Between two checks whether all is to end."""

Work = Callable[[T, Callable[[], bool]], R | None]
"""Does one piece of work, and asks now and then whether it was cancelled; None if it was."""


def work_off(
    pieces: Iterable[T],
    work: Work[T, R],
    failed: Callable[[T, str], R],
    workers: int,
    stopped: Callable[[], bool] = lambda: False,
) -> Generator[R]:
    """Yield the result of each piece as it comes, from ``workers`` threads.

    A piece that raises gives what ``failed`` makes of it and of the reason. When the iterator is
    closed, or ``stopped`` returns True, work is cancelled, and no thread is left; in the second
    case, what was done by then is still yielded. Where the system allows fewer threads, there are
    fewer; raises ``SubjectError`` where it allows none.
    """
    source, lock = iter(pieces), threading.Lock()
    results: queue.Queue[R | None] = queue.Queue(2 * workers)
    cancelled = threading.Event()

    def take() -> T | None:
        with lock:
            return None if cancelled.is_set() else next(source, None)

    def put(result: R | None) -> None:
        while True:
            try:
                return results.put(result, timeout=POLL_SECONDS)
            except queue.Full:
                if cancelled.is_set():
                    return None

    def serve() -> None:
        try:
            while (piece := take()) is not None:
                try:
                    result = work(piece, cancelled.is_set)
                except LabError as error:
                    result = failed(piece, str(error))
                except BaseException as error:
                    result = failed(piece, unexpected(error))
                if result is not None:
                    put(result)
        finally:
            put(None)

    threads = [threading.Thread(target=serve, name=f"worker {n}") for n in range(workers)]
    try:
        serving = _started(threads)
        while serving and not stopped():
            try:
                result = results.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            if result is None:
                serving -= 1
            else:
                yield result
    finally:
        cancelled.set()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
    while not results.empty():
        if (result := results.get()) is not None:
            yield result


def _started(threads: Sequence[threading.Thread]) -> int:
    """Start as many of ``threads`` as the system allows, and return their number."""
    for started, thread in enumerate(threads):
        try:
            thread.start()
        except RuntimeError as error:
            if started:
                return started
            problem, advice = f"cannot be started ({error})", "end other processes of yours"
            raise SubjectError("threads", problem, advice) from error
    return len(threads)
