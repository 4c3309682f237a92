"""The most multiply-adds per second one thread of this machine does, as a peer.

Twelve independent chains of full-width vector multiply-adds in registers: two units of a latency of
four need eight. An "iteration" is as many as the algorithm's 64 x 64 layer takes: three products
(forward, back to its input, gradient of its weight), which are 97 % of an iteration's arithmetic.
"""

# numba's helpers have no types.
# mypy: allow-untyped-calls

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from benchmarks.protocol import FOMAML, REPTILE, UNITS

CHAINS = 12
UNROLL = 8
FLOAT = ir.FloatType()

POINTS = {
    "fomaml": FOMAML.tasks * (FOMAML.shots + FOMAML.query_points),
    "reptile": REPTILE.points,
}
"""Points that are passed forward and backward in an iteration."""


def flop(algorithm: str) -> int:
    """Floating-point operations of one meta-iteration, those of the 64 x 64 layer."""
    return POINTS[algorithm] * 3 * 2 * UNITS * UNITS


class Peak:
    """Only multiplies and adds."""

    chunk = 100

    def run(self, algorithm: str, iterations: int) -> None:
        multiply_add(iterations * flop(algorithm) // (CHAINS * UNROLL * 2 * LANES))


def _lanes() -> int:
    """Numbers of a vector register of the machine that numba compiles for."""
    features = set(cpu_target.target_context.codegen().magic_tuple()[2].split(","))
    return 16 if "+avx512f" in features else 8 if "+avx2" in features else 4


LANES = _lanes()


@intrinsic
def _chains(typing_context: Any, rounds: Any) -> Any:
    """``rounds`` times ``UNROLL`` multiply-adds in each of ``CHAINS`` registers; gives a sum."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = ir.VectorType(FLOAT, LANES)
        name = f"llvm.fmuladd.v{LANES}f32"
        multiply_add = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector] * 3), name
        )
        sums = [cgutils.alloca_once(builder, vector) for _ in range(CHAINS)]
        # Not from one: it stays one, which the compiler notices, and leaves the chain out.
        for index, place in enumerate(sums, start=2):
            builder.store(ir.Constant(vector, [float(index)] * LANES), place)
        half = ir.Constant(vector, [0.5] * LANES)
        with cgutils.for_range(builder, arguments[0]):
            for place in sums * UNROLL:
                builder.store(builder.call(multiply_add, [builder.load(place), half, half]), place)
        total = builder.load(sums[0])
        for place in sums[1:]:
            total = builder.fadd(total, builder.load(place))
        return builder.extract_element(total, ir.Constant(ir.IntType(32), 0))

    return types.float32(types.int64), generate


@njit(nogil=True)
def multiply_add(rounds: int) -> float:
    """Must be used: the value keeps the compiler from leaving out the work."""
    return float(_chains(rounds))  # type: ignore[call-arg]
