"""Functions that are compiled into one library."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from numba import float64, int64

from core.algorithms.fomaml import Fomaml
from core.config import RunConfig
from core.engines import make_engine
from core.engines.fused import compiler, native, network
from core.engines.fused.compiler import compile_library, part
from core.engines.fused.native import Code, Function, Linked, functions
from core.engines.fused.signatures import Array, Values, Variant


@part
def power(x, n):
    product = 1.0
    for _ in range(n):
        product *= x
    return product


def square(x, results):
    results[0] = power(x, 2)


def cube_over(x, y, results):
    results[0] = power(x, 3) / y


NUMBER, RESULTS = Values("float64"), Array("float64")
SIGNATURES = [(NUMBER, RESULTS), (NUMBER, Values("int64"), RESULTS)]


@pytest.fixture(scope="module")
def reports() -> list[str]:
    return []


@pytest.fixture(scope="module")
def code(reports: list[str]) -> Code:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "_parts", [power])
        return compile_library([square, cube_over], SIGNATURES, reports.append)


@pytest.mark.parametrize("link", [native.link, compiler.link], ids=["llvmlite", "numba"])
def test_functions_of_a_library_compute(code: Code, link: Callable[[Code], Linked]) -> None:
    compute_square, compute_cube = functions(link(Code.from_bytes(code.to_bytes())), SIGNATURES)
    results = np.zeros(1)

    def computed(function: Function, *arguments: float) -> float:
        function(*arguments, results)
        return float(results[0])

    assert computed(compute_square, 3.0) == 9.0
    assert computed(compute_cube, 2.0, 4) == 2.0
    assert computed(compute_cube, 2.0, 0) == float("inf")


@pytest.mark.parametrize("content", [b"", b"\x7fELF" * 100], ids=["nothing", "damaged"])
def test_code_that_cannot_be_linked_raises(code: Code, content: bytes) -> None:
    with pytest.raises(RuntimeError):
        native.link(code._replace(content=content))


def test_code_without_one_of_its_functions_raises(code: Code) -> None:
    with pytest.raises(RuntimeError):
        native.link(code._replace(names=(*code.names, "absent")))


def test_a_part_is_compiled_once_for_all_constants(code: Code) -> None:
    assert power.signatures == [(float64, int64)]


def test_progress_counts_functions_up_to_their_number(code: Code, reports: list[str]) -> None:
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
    cached, entered, waiting = (
        network._prepare(Variant("float32")),
        threading.Event(),
        threading.Event(),
    )

    def prepare(_: object) -> object:
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
