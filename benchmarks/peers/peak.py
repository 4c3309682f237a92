"""The peak rate of multiply-adds of one thread on this machine, as a peer.

Twelve independent chains of full-width vector multiply-adds in registers: two units of a latency of
four need eight. An "iteration" is as many as the algorithm's 64 x 64 layer takes: three products
(forward, back to its input, gradient of its weight), which are 97% of an iteration's arithmetic.
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
"""Points of the forward and backward passes of an iteration."""


def flop(algorithm: str) -> int:
    """Return the floating-point operations of the 64 x 64 layer in one meta-iteration."""
    return POINTS[algorithm] * 3 * 2 * UNITS * UNITS


class Peak:
    """Only multiplies and adds."""

    chunk = 100

    def run(self, algorithm: str, iterations: int) -> None:
        multiply_add(iterations * flop(algorithm) // (CHAINS * UNROLL * 2 * LANES))


def _lanes() -> int:
    """Return the number of float32 lanes of a vector register on numba's target machine."""
    features = set(cpu_target.target_context.codegen().magic_tuple()[2].split(","))
    return 16 if "+avx512f" in features else 8 if "+avx2" in features else 4


LANES = _lanes()


@intrinsic
def _chains(typing_context: Any, rounds: Any) -> Any:
    """Emit ``rounds`` times ``UNROLL`` multiply-adds in each of ``CHAINS`` registers."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = ir.VectorType(FLOAT, LANES)
        name = f"llvm.fmuladd.v{LANES}f32"
        multiply_add = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector] * 3), name
        )
        sums = [cgutils.alloca_once(builder, vector) for _ in range(CHAINS)]
        # Not from 1, a fixed point: the compiler would notice it and remove the chain.
        for index, register in enumerate(sums, start=2):
            builder.store(ir.Constant(vector, [float(index)] * LANES), register)
        half = ir.Constant(vector, [0.5] * LANES)
        with cgutils.for_range(builder, arguments[0]):
            for register in sums * UNROLL:
                product = builder.call(multiply_add, [builder.load(register), half, half])
                builder.store(product, register)
        total = builder.load(sums[0])
        for register in sums[1:]:
            total = builder.fadd(total, builder.load(register))
        return builder.extract_element(total, ir.Constant(ir.IntType(32), 0))

    return types.float32(types.int64), generate


@njit(nogil=True)
def multiply_add(rounds: int) -> float:
    """Run the multiply-adds; the returned sum keeps the compiler from removing them."""
    return float(_chains(rounds))  # type: ignore[call-arg]
