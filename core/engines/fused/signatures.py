"""What the kernels' entries are called with, for numba, which compiles them, and for every call."""

from __future__ import annotations

from typing import Literal, NamedTuple

SGD, MOMENTUM, ADAM = range(3)
OPTIMIZERS = {"sgd": SGD, "momentum": MOMENTUM, "adam": ADAM}

Dtype = str
"""``"float32"``, ``"float64"``, ``"int64"`` or ``"bool"``."""


Kind = Literal["first order", "second order", "head"]
MODULES: dict[Kind, str] = {
    "first order": "kernel",
    "second order": "second_order",
    "head": "head",
}
"""The modules with the kernels of each kind, which are compiled where they are first needed."""


class Variant(NamedTuple):
    """A library of kernels: those of a kind, for one type of numbers."""

    dtype: Dtype
    """``"float32"`` or ``"float64"``."""
    kind: Kind = "first order"


class Array(NamedTuple):
    """A C-contiguous array; only those that are ``writable`` receive results."""

    dtype: Dtype
    ndim: int = 1
    writable: bool = True


class Values(NamedTuple):
    """A number, or a tuple of ``length`` numbers."""

    dtype: Dtype
    length: int | None = None


Argument = Array | Values
Signature = tuple[Argument, ...]


def entries(variant: Variant) -> dict[str, Signature]:
    """Return the arguments of the entries of ``variant`` by their names."""
    dtype, kind = variant
    scratch, plan = Array(dtype), Array("int64")
    vector, matrix, given = Array(dtype), Array(dtype, 2), Array(dtype, writable=False)
    count, real, switch = Values("int64"), Values("float64"), Values("bool")
    batches = (given, given, given, given, Values("int64", 5))
    return {
        "advance": (
            *(scratch, plan, vector, matrix, Array("float64"), *batches),
            *(Array("float64", writable=False), count, real, real),
            *(count, Values("float64", 2), count, switch),
            *{"first order": (), "second order": (switch, switch), "head": (count, switch)}[kind],
        ),
        "adapt": (
            *(scratch, plan, given, Array("float64", 2), matrix, *batches),
            *(Array("int64", writable=False), real, switch),
            *((switch,) if kind == "second order" else ()),
        ),
    }
