"""Functions that are compiled into one library."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import threading

import pytest
from numba import float64, int64

from core.algorithms.fomaml import Fomaml
from core.config import RunConfig
from core.engines import make_engine
from core.engines.fused import compiler, network
from core.engines.fused.compiler import Library, part


@part
def power(x, n):
    product = 1.0
    for _ in range(n):
        product *= x
    return product


def square(x: float) -> float:
    return float(power(x, 2))


def cube_over(x: float, y: int) -> float:
    return float(power(x, 3)) / y


@pytest.fixture(scope="module")
def reports() -> list[str]:
    return []


@pytest.fixture(scope="module")
def library(reports: list[str]) -> Library:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "_parts", [power])
        signatures = [float64(float64), float64(float64, int64)]
        return Library.compile([square, cube_over], signatures, reports.append)


def test_functions_of_a_library_compute(library: Library) -> None:
    compute_square, compute_cube = library.functions
    assert compute_square(3.0) == 9.0
    assert compute_cube(2.0, 4) == 2.0
    assert compute_cube(2.0, 0) == float("inf")


def test_a_library_is_the_same_after_a_round_through_bytes(library: Library) -> None:
    restored = Library.from_bytes(library.to_bytes())
    assert [one(2.0, *rest) for one, rest in zip(restored.functions, ((), (1,)), strict=True)] == [
        4.0,
        8.0,
    ]


def test_a_part_is_compiled_once_for_all_constants(library: Library) -> None:
    assert power.signatures == [(float64, int64)]


def test_progress_counts_functions_up_to_their_number(library: Library, reports: list[str]) -> None:
    assert reports == [
        "1 of 3 functions",
        "2 of 3 functions",
        "3 of 3 functions",
        "machine code",
    ]


def test_every_run_that_waits_for_the_compiler_reports_what_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = RunConfig(algorithm=Fomaml())
    make_engine(config)  # so that it is compiled
    cached, entered, waiting = network._prepare("float32"), threading.Event(), threading.Event()

    def prepare(_: str) -> object:
        entered.set()
        assert waiting.wait(10)
        network._report("1 of 2 functions")
        return cached

    monkeypatch.setattr(network, "_prepare", prepare)
    monkeypatch.setattr("core.engines.fused.network.must_compile", lambda _: True)
    said: list[list[str]] = [[], []]
    threads = [threading.Thread(target=make_engine, args=(config, one.append)) for one in said]
    threads[0].start()
    assert entered.wait(10)
    threads[1].start()
    while len(network._waiting) < 2:
        threads[1].join(0.01)
    waiting.set()
    for thread in threads:
        thread.join()
    for one in said:
        assert one[:2] == [
            "compiling the fused engine; later starts skip this",
            "compiling the fused engine: 1 of 2 functions; later starts skip this",
        ]
