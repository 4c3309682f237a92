"""SIMD registers as a numba type, for products and transposes that numba's loops cannot express.

numba vectorises plain loops well enough for elementwise work, but spills the sums of a blocked
product and depends on alias checks. Here a register is a value: kernels load, compute and store
explicitly, for float32 and float64 and any instruction set. Additions happen in the written order,
so the same machine gives the same bits.
"""

# numba and llvmlite have no type hints, therefore `Any`.
# mypy: disable-error-code="misc, no-untyped-call, untyped-decorator"

from __future__ import annotations

import operator
from typing import Any, NamedTuple

from llvmlite import ir
from numba import extending, int64, types
from numba.core import cgutils
from numba.core.imputils import lower_builtin, lower_cast
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import models, register_model

from core.engines.fused.machine import MACHINE, lanes_of

intrinsic: Any = extending.intrinsic
INTEGER = ir.IntType(64)
LANE = ir.IntType(32)


BLOCKS = sorted({MACHINE.tile_rows, 4, 2, 1}, reverse=True)
STRIPS = sorted({MACHINE.tile_columns, 3, 2, 1}, reverse=True)
"""Rows and registers of the blocks that a product is cut into: the best one, and for what is left
over those of four and two, which still keep the units half busy, and of one. Three registers and
four rows are as good as the best one, where the registers of a row are an odd number."""
TILE_COLUMNS = MACHINE.tile_columns
WIDE = MACHINE.tile_columns
"""Adjacent registers that accumulate sums over points."""


class Register(types.Type):
    """``lanes_of(dtype)`` numbers of ``dtype``, or some registers side by side.

    Arithmetic is elementwise.
    """

    def __init__(self, dtype: types.Type, registers: int = 1) -> None:
        self.dtype = dtype
        self.count = registers * lanes_of(dtype)
        super().__init__(name=f"Register({dtype}, {registers})")


@register_model(Register)
class _RegisterModel(models.PrimitiveModel):
    def __init__(self, manager: Any, register: Register) -> None:
        element = manager.lookup(register.dtype).get_value_type()
        super().__init__(manager, register, ir.VectorType(element, register.count))


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
    return _splat(builder, number, target.count)


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
def multiply_add(_: Any, x: Any, y: Any, z: Any) -> Any:
    """``x * y + z`` lane by lane, where the machine can do that with a single rounding.

    Of a sum of two products LLVM would choose which one is not rounded.
    """

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = args[0].type
        return builder.call(_vector_function(builder, "fmuladd", kind, kind, [kind] * 3), args)

    return x(x, x, x), generate


@intrinsic
def square_root(_: Any, register: Any) -> Any:
    """Return the square root of each lane."""

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
# them cost a twentieth of a meta-iteration. Nothing is checked; an index counts elements.


@intrinsic
def pointer(_: Any, array: Any) -> Any:
    """Return a pointer to the numbers of ``array``; the caller keeps the array alive."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return context.make_array(array)(context, builder, args[0]).data

    return types.CPointer(array.dtype)(array), generate


@intrinsic
def at(_: Any, data: Any, index: Any) -> Any:
    """The pointer to ``data[index]``."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.gep(args[0], [args[1]])

    return data(data, int64), generate


@intrinsic
def lanes(_: Any, buf: Any) -> Any:
    """Return the count of numbers of the dtype of ``buf`` in a register: a constant."""

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
def wide_zero(_: Any, buf: Any) -> Any:
    """Zeros in `WIDE` registers."""
    wide = Register(buf.dtype, WIDE)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return ir.Constant(context.get_value_type(wide), None)

    return wide(buf), generate


@intrinsic
def load_like(_: Any, buf: Any, index: Any, register: Any) -> Any:
    """As many numbers as there are in ``register``, from ``buf[index]`` on."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _load(builder, builder.gep(args[0], [args[1]]), register.count)

    return register(buf, int64, register), generate


@intrinsic
def store(_: Any, buf: Any, index: Any, register: Any) -> Any:
    """Write ``register`` from ``buf[index]`` on."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = builder.gep(args[0], [args[1]])
        _store(builder, args[2], pointer)
        return context.get_dummy_value()

    return types.void(buf, int64, register), generate


# --- blocks -----------------------------------------------------------------------------------


class _Block(NamedTuple):
    """LLVM values of a block of a product, as in `product_strip`."""

    c: Any
    init: Any
    a: Any
    b: Any
    c_row: Any
    init_row: Any
    a_row: Any
    a_step: Any
    steps: Any


def _emit_block(builder: Any, buf: Any, data: Any, block: _Block, rows: int, columns: int) -> None:
    """``C = I + A B`` for ``rows`` by ``columns`` registers.

    The sums stay in registers over all steps: a step loads ``columns`` registers of a row of B once
    and multiplies them by ``rows`` single numbers of A.
    """
    count = lanes_of(buf.dtype)
    vector = ir.VectorType(data.type.pointee, count)
    # Not llvm.fma, which is a library call where the machine has no such instruction.
    multiply_add = _vector_function(builder, "fmuladd", vector, vector, [vector] * 3)
    places = [(row, column) for row in range(rows) for column in range(columns)]
    sums = {place: cgutils.alloca_once(builder, vector) for place in places}
    for row, column in places:
        pointer = _pointer(builder, data, block.init, block.init_row, row, column * count)
        builder.store(_load(builder, pointer, count), sums[row, column])
    with cgutils.for_range(builder, block.steps) as loop:
        b_row = builder.add(block.b, builder.mul(loop.index, block.c_row))
        a_column = builder.add(block.a, builder.mul(loop.index, block.a_step))
        parts = [
            _load(builder, _pointer(builder, data, b_row, column=column * count), count)
            for column in range(columns)
        ]
        for row in range(rows):
            factor = builder.load(_pointer(builder, data, a_column, block.a_row, row))
            factors = _splat(builder, factor, count)
            for column, part in enumerate(parts):
                slot = sums[row, column]
                builder.store(builder.call(multiply_add, [factors, part, builder.load(slot)]), slot)
    for row, column in places:
        pointer = _pointer(builder, data, block.c, block.c_row, row, column * count)
        _store(builder, builder.load(sums[row, column]), pointer)


def _transposed(builder: Any, square: list[Any], part: int) -> list[Any]:
    """The columns of a square of registers; 128 bits are ``part`` numbers.

    Shuffles within 128 bits, and of whole 128 bits, are the cheap ones.
    """
    count = len(square)
    columns = list(square)
    # Swap the off-diagonal squares of side 1, then 2, within each part.
    for side in [2**power for power in range(part.bit_length() - 1)]:
        inner = [bool(lane & side) for lane in range(count)]
        upper = [lane + count - side if far else lane for lane, far in enumerate(inner)]
        lower = [lane + count if far else lane + side for lane, far in enumerate(inner)]
        for row in range(count):
            if not row & side:
                x, y = columns[row], columns[row + side]
                columns[row] = _shuffle(builder, x, y, upper)
                columns[row + side] = _shuffle(builder, x, y, lower)
    # Now part p of register r is for column p * part + r % part: collect its rows.
    even = [lane for lane in range(2 * count) if not lane & part]
    odd = [lane + part for lane in even]
    for first in range(part):
        pieces = columns[first::part]
        for _ in range((count // part).bit_length() - 1):
            pairs = list(zip(pieces[::2], pieces[1::2], strict=True))
            pieces = [_shuffle(builder, *pair, lanes) for lanes in (even, odd) for pair in pairs]
        columns[first::part] = pieces
    return columns


def _folds(count: int, part: int) -> list[tuple[list[int], list[int]]]:
    """Return the lanes that are added to fold two registers into one, for each repetition.

    Whole 128 bits first, ``part`` numbers, then within them: such shuffles are the cheap ones.
    """
    every = range(2 * count)
    whole = [lane for lane in every if not lane & part]
    within = [
        x + first + lane
        for first in range(0, count, part)
        for x in (0, count)
        for lane in range(0, part, 2)
    ]
    folds = [(whole, [lane + part for lane in whole])] * ((count // part).bit_length() - 1)
    return folds + [(within, [lane + 1 for lane in within])] * (part.bit_length() - 1)


def _totals(builder: Any, registers: list[Any]) -> Any:
    """The sums of as many registers as each has lanes: lane i is that of ``registers[i]``."""
    count = len(registers)
    folds = _folds(count, 4 if isinstance(registers[0].type.element, ir.FloatType) else 2)
    # Fold lane numbers to find the lane in which each ends up.
    numbers = [[i] * count for i in range(count)]
    for first, _ in folds:
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        numbers = [[(x + y)[lane] for lane in first] for x, y in pairs]
    for_place = dict(zip(numbers[0], registers, strict=True))
    registers = [for_place[place] for place in range(count)]
    for first, second in folds:
        pairs = zip(registers[::2], registers[1::2], strict=True)
        registers = [
            builder.fadd(_shuffle(builder, x, y, first), _shuffle(builder, x, y, second))
            for x, y in pairs
        ]
    return registers[0]


@intrinsic
def product_strip(
    _: Any,
    columns: Any,
    buf: Any,
    c: Any,
    init: Any,
    init_row: Any,
    a: Any,
    a_row: Any,
    a_step: Any,
    b: Any,
    rows: Any,
    steps: Any,
    width: Any,
) -> Any:
    """``C = I + A B`` for all rows of a strip of ``columns`` registers, one of `STRIPS`.

    Element (r, k) of A is at ``a + r * a_row + k * a_step``. Rows of B and C are ``width`` apart,
    those of I ``init_row`` (0 repeats one row, a bias). The rows are taken in blocks of as many as
    fit (`BLOCKS`).
    """

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        columns, data, c, init, init_row, a, a_row, a_step, b, rows, steps, width = args
        done = builder.append_basic_block("done")
        switch = builder.switch(columns, done)
        for n_columns in STRIPS:
            case = builder.append_basic_block(f"strip_{n_columns}")
            switch.add_case(INTEGER(n_columns), case)
            builder.position_at_end(case)
            first = INTEGER(0)
            for n_rows in [rows for rows in BLOCKS if rows <= 4 or n_columns < 3]:
                blocks = builder.udiv(builder.sub(rows, first), INTEGER(n_rows))
                with cgutils.for_range(builder, blocks) as loop:
                    row = builder.add(first, builder.mul(loop.index, INTEGER(n_rows)))
                    block = _Block(
                        c=builder.add(c, builder.mul(row, width)),
                        init=builder.add(init, builder.mul(row, init_row)),
                        a=builder.add(a, builder.mul(row, a_row)),
                        b=b,
                        c_row=width,
                        init_row=init_row,
                        a_row=a_row,
                        a_step=a_step,
                        steps=steps,
                    )
                    _emit_block(builder, buf, data, block, n_rows, n_columns)
                first = builder.add(first, builder.mul(blocks, INTEGER(n_rows)))
            builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    return types.void(int64, buf, *(int64,) * 10), generate


@intrinsic
def transpose_tile(
    _: Any, buf: Any, source: Any, source_row: Any, target: Any, target_row: Any
) -> Any:
    """Transpose a square of as many rows as a register has lanes."""
    count = lanes_of(buf.dtype)
    part = 16 * count // MACHINE.register_bytes

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data, source, source_row, target, target_row = args
        square = [
            _load(builder, _pointer(builder, data, source, source_row, row), count)
            for row in range(count)
        ]
        for row, register in enumerate(_transposed(builder, square, part)):
            _store(builder, register, _pointer(builder, data, target, target_row, row))
        return context.get_dummy_value()

    return types.void(buf, *(int64,) * 4), generate


def _emit_dots(
    builder: Any, buf: Any, data: Any, pairs: list[tuple[list[Any], Any]], width: Any
) -> Any:
    """Code of `dots`, summed over ``pairs`` of some rows and a matrix."""
    count = lanes_of(buf.dtype)
    sides = len(pairs[0][0])
    vector = ir.VectorType(data.type.pointee, count)
    multiply_add = _vector_function(builder, "fmuladd", vector, vector, [vector] * 3)
    places = [(side, row) for side in range(sides) for row in range(count // sides)]
    sums = {place: cgutils.alloca_once_value(builder, vector(None)) for place in places}
    for rows, b in pairs:
        with cgutils.for_range(builder, builder.udiv(width, INTEGER(count))) as loop:
            k = builder.mul(loop.index, INTEGER(count))
            parts = [
                _load(builder, _pointer(builder, data, builder.add(row, k)), count) for row in rows
            ]
            b_column = builder.add(b, k)
            for row in range(count // sides):
                part = _load(builder, _pointer(builder, data, b_column, width, row), count)
                for side in range(sides):
                    slot = sums[side, row]
                    added = builder.call(multiply_add, [parts[side], part, builder.load(slot)])
                    builder.store(added, slot)
    return _totals(builder, [builder.load(slot) for slot in sums.values()])


@intrinsic
def dots_of_row(_: Any, buf: Any, row: Any, b: Any, width: Any) -> Any:
    """Scalar products of a row with as many rows of B as a register has lanes.

    All rows are ``width`` long, a multiple of the lanes, and those of B lie one behind the other.
    """

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data, row, b, width = args
        return _emit_dots(builder, buf, data, [([row], b)], width)

    return Register(buf.dtype)(buf, *(int64,) * 3), generate


@intrinsic
def dots(_: Any, buf: Any, first: Any, second: Any, b: Any, width: Any) -> Any:
    """Scalar products of two rows with half as many rows of B as `dots_of_row` takes.

    The products of the ``first`` row are in the lower half of the result.
    """

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data, first, second, b, width = args
        return _emit_dots(builder, buf, data, [([first, second], b)], width)

    return Register(buf.dtype)(buf, *(int64,) * 4), generate


@intrinsic
def dots_of_both(
    _: Any,
    buf: Any,
    first: Any,
    second: Any,
    b: Any,
    other_first: Any,
    other_second: Any,
    other_b: Any,
    width: Any,
) -> Any:
    """The sum of two results of `dots`, which is folded once."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data, first, second, b, other_first, other_second, other_b, width = args
        pairs = [([first, second], b), ([other_first, other_second], other_b)]
        return _emit_dots(builder, buf, data, pairs, width)

    return Register(buf.dtype)(buf, *(int64,) * 7), generate


@intrinsic
def load_twice(_: Any, buf: Any, index: Any) -> Any:
    """Half a register from ``buf[index]`` on, in both halves."""
    half = lanes_of(buf.dtype) // 2

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        part = _load(builder, builder.gep(args[0], [args[1]]), half)
        return _shuffle(builder, part, part, [*range(half)] * 2)

    return Register(buf.dtype)(buf, int64), generate


@intrinsic
def store_halves(_: Any, buf: Any, lower: Any, upper: Any, register: Any) -> Any:
    """Write the halves of ``register`` from ``buf[lower]`` and from ``buf[upper]`` on."""
    half = lanes_of(buf.dtype) // 2

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data, *places, value = args
        for side, place in enumerate(places):
            part = _shuffle(builder, value, value, [*range(side * half, (side + 1) * half)])
            _store(builder, part, builder.gep(data, [place]))
        return context.get_dummy_value()

    return types.void(buf, int64, int64, register), generate
