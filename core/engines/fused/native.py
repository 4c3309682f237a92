"""Links and calls machine code without numba.

numba compiles the kernel, and is not imported where the code is in the cache: its import and its
way to load code took half of the time to the first iteration.
"""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import ctypes
import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from llvmlite import binding

from core.engines.fused.signatures import Argument, Array, Signature

_TYPES: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "float64": (ctypes.c_double, float),
    "int64": (ctypes.c_int64, int),
    "bool": (ctypes.c_bool, bool),
}
"""Types of numbers, in C and in Python."""

_DONE = (0, -2)
"""numba's codes of functions that have returned, the second one for None."""

_numbers = itertools.count()


class Code(NamedTuple):
    """Machine code as an object file, and the names of functions in it."""

    names: tuple[str, ...]
    content: bytes

    def to_bytes(self) -> bytes:
        return b"\n".join(name.encode() for name in self.names) + b"\0" + self.content

    @classmethod
    def from_bytes(cls, data: bytes) -> Code:
        names, _, content = data.partition(b"\0")
        return cls(tuple(names.decode().split("\n")), content)


class Linked(NamedTuple):
    """Addresses of the functions of a `Code` in this process, as long as ``owner`` exists."""

    addresses: Sequence[int]
    owner: Any


@functools.cache
def _linker() -> Any:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.create_lljit_compiler(use_jit_link=True, suppress_errors=True)


def link(code: Code) -> Linked:
    """Link ``code`` into this process.

    Raises ``RuntimeError`` where it is damaged, or calls what is not in this process.
    """
    library = binding.JITLibraryBuilder().add_object_img(code.content).add_current_process()
    for name in code.names:
        library.export_symbol(name)
    linked = library.link(_linker(), f"kernel {next(_numbers)}")
    return Linked([linked[name] for name in code.names], linked)


class Function:
    """A compiled function, called by numba's convention. Calls hold no interpreter lock."""

    def __init__(self, address: int, signature: Signature, owner: Any) -> None:
        self._signature, self._owner = signature, owner
        # Results and exceptions are pointers in front.
        types = [ctypes.c_void_p, ctypes.c_void_p, *itertools.chain(*map(_types, signature))]
        self._call = ctypes.CFUNCTYPE(ctypes.c_int32, *types)(address)

    def __call__(self, *arguments: Any) -> None:
        """Run it; raises ``TypeError`` for arguments that are not those of its signature."""
        values: list[Any] = []
        for argument, given in zip(self._signature, arguments, strict=True):
            values += _values(argument, given)
        result, exception = ctypes.c_void_p(), ctypes.c_void_p()
        status = self._call(ctypes.addressof(result), ctypes.addressof(exception), *values)
        if status not in _DONE:
            raise RuntimeError(f"the fused kernel ended with status {status}")


def functions(linked: Linked, signatures: Sequence[Signature]) -> Iterator[Function]:
    """Yield the functions of a library, which stays as long as one of them."""
    for address, signature in zip(linked.addresses, signatures, strict=True):
        yield Function(address, signature, linked.owner)


def _types(argument: Argument) -> list[Any]:
    if not isinstance(argument, Array):
        return [_TYPES[argument.dtype][0]] * (argument.length or 1)
    # Two owners, number of items, size of an item, data, shape and strides.
    sizes = [ctypes.c_int64] * (2 * argument.ndim)
    return [*[ctypes.c_void_p] * 2, *[ctypes.c_int64] * 2, ctypes.c_void_p, *sizes]


def _values(argument: Argument, given: Any) -> list[Any]:
    if not isinstance(argument, Array):
        numbers = (given,) if argument.length is None else given
        if len(numbers) != (argument.length or 1):
            raise TypeError(f"not {argument}: {given!r}")
        return [*map(_TYPES[argument.dtype][1], numbers)]
    _check(argument, given)
    data = given.__array_interface__["data"][0]
    return [None, None, given.size, given.itemsize, data, *given.shape, *given.strides]


def _check(argument: Array, given: Any) -> None:
    """Raise ``TypeError`` for an array that compiled code would misread, or must not write."""
    if not isinstance(given, np.ndarray) or (given.dtype, given.ndim) != argument[:2]:
        raise TypeError(f"not {argument}: {given!r:.80}")
    flags = given.flags
    if not (flags.c_contiguous and flags.aligned and flags.writeable >= argument.writable):
        raise TypeError(f"the memory of an array is not that of {argument}")
