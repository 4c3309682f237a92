"""SIMD registers as a numba type, and the two blocks that numba's own loops cannot express.

numba vectorises plain loops well enough for elementwise work, but spills the sums of a blocked
product and depends on alias checks. Here a register is a value: kernels say what to load, compute
and store, for float32 and float64 and for any instruction set, and the order of every addition is
the one written down, so that the same machine gives the same bits.
"""

# numba and llvmlite have no types, hence `Any`.
# mypy: disable-error-code="misc, no-untyped-call, untyped-decorator"

from __future__ import annotations

import operator
from typing import Any, NamedTuple

from llvmlite import ir
from numba import extending, int64, types
from numba.core import cgutils
from numba.core.imputils import lower_builtin, lower_cast
from numba.core.registry import cpu_target
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import models, register_model

intrinsic: Any = extending.intrinsic
INTEGER = ir.IntType(64)
LANE = ir.IntType(32)


class Machine(NamedTuple):
    """An instruction set, and the block of a product that its registers hold."""

    name: str
    register_bytes: int
    tile_rows: int
    tile_columns: int
    """In registers."""


def machine(features: str) -> Machine:
    """The machine with LLVM's ``features``, such as ``"+sse4.2,+avx2,-avx512f"``.

    A tile of r rows by c registers does r c multiply-adds for c loads and r broadcasts. It wants at
    least eight sums, because two units with a latency of four work on them, and must fit into 32
    registers (AVX-512, NEON) or 16 (AVX2): a spilled sum costs more than a small tile.
    """
    enabled = set(features.split(","))
    if "+avx512f" in enabled:
        return Machine("avx512", 64, 5, 4)
    if {"+avx2", "+fma"} <= enabled:
        return Machine("avx2", 32, 4, 3)
    if "+neon" in enabled:
        return Machine("neon", 16, 5, 4)
    return Machine("generic", 16, 5, 2)


# NUMBA_CPU_NAME and NUMBA_CPU_FEATURES choose another machine than the host, and are followed here:
# benchmarks force AVX2 with them.
_, CPU, FEATURES = cpu_target.target_context.codegen().magic_tuple()
MACHINE = machine(FEATURES)
TILE_ROWS, TILE_COLUMNS = MACHINE.tile_rows, MACHINE.tile_columns
TILES = [
    (rows, columns)
    for rows in sorted({1, 2, TILE_ROWS})
    for columns in sorted({1, 2, TILE_COLUMNS})
]
"""Rows and registers of the blocks that a product is cut into: the best one, and for what is left
over those of two, which still keep the units half busy, and of one."""


def lanes_of(dtype: object) -> int:
    """How many numbers of ``dtype``, float32 or float64, a register holds."""
    return MACHINE.register_bytes // (4 if str(dtype) == "float32" else 8)


class Register(types.Type):
    """``lanes_of(dtype)`` numbers of ``dtype`` with elementwise arithmetic."""

    def __init__(self, dtype: types.Type) -> None:
        self.dtype = dtype
        super().__init__(name=f"Register({dtype})")


@register_model(Register)
class _RegisterModel(models.PrimitiveModel):
    def __init__(self, manager: Any, register: Register) -> None:
        element = manager.lookup(register.dtype).get_value_type()
        super().__init__(manager, register, ir.VectorType(element, lanes_of(register.dtype)))


# --- pieces of LLVM code ----------------------------------------------------------------------


def _splat(builder: Any, scalar: Any, count: int) -> Any:
    """``scalar`` in every lane."""
    vector = ir.VectorType(scalar.type, count)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, LANE(0))
    return _shuffle(builder, first, first, [0] * count)


def _shuffle(builder: Any, x: Any, y: Any, lanes: list[int]) -> Any:
    """The chosen ``lanes`` of ``x`` followed by ``y``."""
    return builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(LANE, len(lanes)), lanes))


def _pointer(
    builder: Any, data: Any, base: Any, stride: Any = None, row: int = 0, column: int = 0
) -> Any:
    """``data + base + row * stride + column``."""
    if row:
        base = builder.add(base, builder.mul(stride, INTEGER(row)))
    return builder.gep(data, [builder.add(base, INTEGER(column)) if column else base])


def _load(builder: Any, pointer: Any, count: int) -> Any:
    """``count`` neighbours; they need no more alignment than a single one."""
    element = pointer.type.pointee
    loaded = builder.load(builder.bitcast(pointer, ir.VectorType(element, count).as_pointer()))
    loaded.align = 4
    return loaded


def _store(builder: Any, vector: Any, pointer: Any) -> None:
    stored = builder.store(vector, builder.bitcast(pointer, vector.type.as_pointer()))
    stored.align = 4


def _vector_function(
    builder: Any, name: str, vector: Any, result: Any, arguments: list[Any]
) -> Any:
    """LLVM's intrinsic ``name`` for registers of ``vector``'s type."""
    kind = "f32" if isinstance(vector.element, ir.FloatType) else "f64"
    return cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(result, arguments), f"llvm.{name}.v{vector.count}{kind}"
    )


# --- arithmetic -------------------------------------------------------------------------------


@lower_cast(types.Float, Register)
@lower_cast(types.Integer, Register)
def _number_to_register(context: Any, builder: Any, source: Any, target: Any, value: Any) -> Any:
    number = context.cast(builder, value, source, target.dtype)
    return _splat(builder, number, lanes_of(target.dtype))


class _Elementwise(AbstractTemplate):
    """Register with register, register with number, number with register."""

    def generic(self, args: Any, kws: Any) -> Any:
        registers = [arg for arg in args if isinstance(arg, Register)]
        return signature(registers[0], *registers[:1] * len(args)) if registers else None


def _define(symbol: Any, instruction: str) -> None:
    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        # Of the fast-math flags only those that keep NaN and infinity visible: a product and a sum
        # may fuse, and a quotient may be a refined estimate of the reciprocal.
        return getattr(builder, instruction)(*args, flags=("contract", "arcp"))

    infer_global(symbol)(type(f"_Register_{instruction}", (_Elementwise,), {}))
    lower_builtin(symbol, Register, Register)(generate)


_define(operator.add, "fadd")
_define(operator.sub, "fsub")
_define(operator.mul, "fmul")
_define(operator.truediv, "fdiv")


@intrinsic
def at_most(_: Any, register: Any, bound: Any) -> Any:
    """``min(register, bound)`` lane by lane, but NaN where ``register`` is NaN."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *args), args[1], args[0])

    return register(register, register), generate


@intrinsic
def at_least(_: Any, register: Any, bound: Any) -> Any:
    """``max(register, bound)`` lane by lane, but NaN where ``register`` is NaN."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", *args), args[1], args[0])

    return register(register, register), generate


@intrinsic
def where_positive(_: Any, condition: Any, register: Any) -> Any:
    """``register`` in the lanes where ``condition`` is positive or NaN, zero elsewhere."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        zero = ir.Constant(args[0].type, None)
        return builder.select(builder.fcmp_ordered("<=", args[0], zero), zero, args[1])

    return register(register, register), generate


@intrinsic
def square_root(_: Any, register: Any) -> Any:
    """The root of each lane."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = args[0].type
        return builder.call(_vector_function(builder, "sqrt", kind, kind, [kind]), args)

    return register(register), generate


@intrinsic
def total(_: Any, register: Any) -> Any:
    """The sum of the lanes, added as a tree."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = args[0].type
        function = _vector_function(
            builder, "vector.reduce.fadd", kind, kind.element, [kind.element, kind]
        )
        return builder.call(function, [kind.element(-0.0), args[0]], fastmath=("reassoc",))

    return register.dtype(register), generate


# --- memory -----------------------------------------------------------------------------------
# Kernels get pointers, not arrays: an array is seven words with a reference count, and passing
# those around cost a twentieth of a meta-iteration. Nothing is checked; an index counts elements.


@intrinsic
def pointer(_: Any, array: Any) -> Any:
    """Where the numbers of ``array`` start; the caller keeps the array alive."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return context.make_array(array)(context, builder, args[0]).data

    return types.CPointer(array.dtype)(array), generate


@intrinsic
def lanes(_: Any, buf: Any) -> Any:
    """How many numbers of the dtype of ``buf`` a register holds: a constant."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return INTEGER(lanes_of(buf.dtype))

    return int64(buf), generate


@intrinsic
def broadcast(_: Any, buf: Any, index: Any) -> Any:
    """``buf[index]`` in every lane."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = builder.gep(args[0], [args[1]])
        return _splat(builder, builder.load(pointer), lanes_of(buf.dtype))

    return Register(buf.dtype)(buf, int64), generate


@intrinsic
def splat(_: Any, buf: Any, value: Any) -> Any:
    """``value`` in every lane of a register of the dtype of ``buf``."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return args[1]

    return Register(buf.dtype)(buf, Register(buf.dtype)), generate


@intrinsic
def load(_: Any, buf: Any, index: Any) -> Any:
    """The register that starts at ``buf[index]``."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = builder.gep(args[0], [args[1]])
        return _load(builder, pointer, lanes_of(buf.dtype))

    return Register(buf.dtype)(buf, int64), generate


@intrinsic
def store(_: Any, buf: Any, index: Any, register: Any) -> Any:
    """Write ``register`` from ``buf[index]`` on."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = builder.gep(args[0], [args[1]])
        _store(builder, args[2], pointer)
        return context.get_dummy_value()

    return types.void(buf, int64, register), generate


# --- blocks -----------------------------------------------------------------------------------


def _emit_tile(context: Any, builder: Any, buf: Any, args: Any, rows: int, columns: int) -> None:
    """The code of `product_tile` for one size."""
    data, c, init, init_row, a, a_row, a_step, b, steps, width = args
    count = lanes_of(buf.dtype)
    vector = ir.VectorType(data.type.pointee, count)
    # Not llvm.fma, which is a library call where the machine has no such instruction.
    multiply_add = _vector_function(builder, "fmuladd", vector, vector, [vector] * 3)
    block = [(row, column) for row in range(rows) for column in range(columns)]
    sums = {place: cgutils.alloca_once(builder, vector) for place in block}
    for row, column in block:
        pointer = _pointer(builder, data, init, init_row, row, column * count)
        builder.store(_load(builder, pointer, count), sums[row, column])
    with cgutils.for_range(builder, steps) as loop:
        b_row = builder.add(b, builder.mul(loop.index, width))
        a_column = builder.add(a, builder.mul(loop.index, a_step))
        parts = [
            _load(builder, _pointer(builder, data, b_row, column=column * count), count)
            for column in range(columns)
        ]
        for row in range(rows):
            factor = builder.load(_pointer(builder, data, a_column, a_row, row))
            factors = _splat(builder, factor, count)
            for column, part in enumerate(parts):
                slot = sums[row, column]
                builder.store(builder.call(multiply_add, [factors, part, builder.load(slot)]), slot)
    for row, column in block:
        pointer = _pointer(builder, data, c, width, row, column * count)
        _store(builder, builder.load(sums[row, column]), pointer)


@intrinsic
def product_tile(
    _: Any,
    rows: Any,
    columns: Any,
    buf: Any,
    c: Any,
    init: Any,
    init_row: Any,
    a: Any,
    a_row: Any,
    a_step: Any,
    b: Any,
    steps: Any,
    width: Any,
) -> Any:
    """``C = I + A B`` for a block of ``rows`` by ``columns`` registers, sizes from `TILES`.

    The block's sums stay in registers over all ``steps``: a step loads ``columns`` registers of a
    row of B once and multiplies them by ``rows`` single numbers of A. Rows of B and C are ``width``
    apart, those of I ``init_row`` (0 repeats one row, a bias); A may be read transposed.
    """

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        rows, columns, *rest = args
        size = builder.add(builder.shl(rows, INTEGER(8)), columns)
        done = builder.append_basic_block("done")
        switch = builder.switch(size, done)
        for n_rows, n_columns in TILES:
            case = builder.append_basic_block(f"tile_{n_rows}_{n_columns}")
            switch.add_case(INTEGER((n_rows << 8) + n_columns), case)
            builder.position_at_end(case)
            _emit_tile(context, builder, buf, rest, n_rows, n_columns)
            builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    return types.void(int64, int64, buf, *(int64,) * 9), generate


@intrinsic
def transpose_tile(
    _: Any, buf: Any, source: Any, source_row: Any, target: Any, target_row: Any
) -> Any:
    """Transpose a square of as many rows as a register has lanes.

    Registers are first filled by narrow loads of 128 bits, one from every fourth row (of float32),
    which leaves a transposition inside each 128 bits: half the shuffles that whole rows would need,
    and shuffles are the scarce thing here.
    """
    count = lanes_of(buf.dtype)
    part = 16 * count // MACHINE.register_bytes

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data, source, source_row, target, target_row = args

        def gather(first_row: int, column: int) -> Any:
            """``part`` columns of rows ``first_row``, ``first_row + part``, ... side by side."""
            pieces = [
                _load(builder, _pointer(builder, data, source, source_row, row, column), part)
                for row in range(first_row, count, part)
            ]
            while len(pieces) > 1:
                joined = list(range(2 * pieces[0].type.count))
                pairs = zip(pieces[::2], pieces[1::2], strict=True)
                pieces = [_shuffle(builder, x, y, joined) for x, y in pairs]
            return pieces[0]

        for column in range(0, count, part):
            block = [gather(row, column) for row in range(part)]
            # Swap the off-diagonal squares of side 1, then 2, within each part.
            for side in [2**power for power in range(part.bit_length() - 1)]:
                inner = [bool(lane & side) for lane in range(count)]
                upper = [lane + count - side if far else lane for lane, far in enumerate(inner)]
                lower = [lane + count if far else lane + side for lane, far in enumerate(inner)]
                for row in range(part):
                    if not row & side:
                        x, y = block[row], block[row + side]
                        block[row] = _shuffle(builder, x, y, upper)
                        block[row + side] = _shuffle(builder, x, y, lower)
            for row, vector in enumerate(block):
                _store(builder, vector, _pointer(builder, data, target, target_row, column + row))
        return context.get_dummy_value()

    return types.void(buf, *(int64,) * 4), generate
