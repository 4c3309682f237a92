"""Compiles functions, and all that they call, into one library that is optimised once.

numba optimises each function with everything that it calls, and generates machine code of it,
before its callers include it and are optimised in turn, and compiles it again for each constant
that is passed to it. Both together took two thirds of the time for the kernel.
"""

# mypy: disable-error-code="misc, no-untyped-call"

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite.binding import parse_assembly
from numba import njit, types
from numba.core import event
from numba.core.codegen import JITCodeLibrary, JITCPUCodegen
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.compiler_machinery import PassManager
from numba.core.dispatcher import _FunctionCompiler  # type: ignore[attr-defined]
from numba.core.registry import cpu_target
from numba.core.typed_passes import (
    AnnotateTypes,
    IRLegalization,
    NativeLowering,
    NoPythonBackend,
    NopythonTypeInference,
    PreLowerStripPhis,
)
from numba.core.untyped_passes import FixupArgs, IRProcessing, ReconstructSSA, TranslateByteCode

from core.engines.fused.native import Code, Linked
from core.engines.fused.signatures import Argument, Array, Signature


class _Part(JITCodeLibrary):
    """The code of a function and of what it calls, as numba wrote it."""

    def add_llvm_module(self, ll_module: Any) -> None:
        self._final_module.link_in(ll_module)

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        return 0


class _PartCodegen(JITCPUCodegen):
    _library_class = _Part

    def set_env(self, env_name: str, env: Any) -> None:
        """Do nothing: there is no machine code that would read it."""


@functools.cache
def _codegen() -> _PartCodegen:
    return _PartCodegen("parts")


Report = Callable[[str], None]

_PASSES = (
    TranslateByteCode,
    FixupArgs,
    IRProcessing,
    ReconstructSSA,
    NopythonTypeInference,
    PreLowerStripPhis,
    IRLegalization,
    AnnotateTypes,
    NativeLowering,
    NoPythonBackend,
)


class PartCompiler(Compiler):
    """Compiles a function as a part of a library."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.state.targetctx = self.state.targetctx.subtarget(_internal_codegen=_codegen())

    def define_pipelines(self) -> list[PassManager]:
        """Return numba's passes without those for closures, exceptions, and arrays."""
        passes = PassManager("part")
        for one in _PASSES:
            passes.add_pass(one, one.__name__)
        passes.finalize()
        return [passes]


class _AnyConstant(_FunctionCompiler):
    """Compiles a function once for all constants; LLVM knows them where it includes the code."""

    def fold_argument_types(self, args: Any, kws: Any) -> Any:
        signature, args = super().fold_argument_types(args, kws)
        return signature, tuple(map(types.unliteral, args))


PART: Any = {
    "nogil": True,
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "_nrt": False,
    "pipeline_class": PartCompiler,
}
"""Options of a function: Python calls none of them by numba, and none owns memory."""

_parts: list[Any] = []


def part(function: Callable[..., Any], **options: Any) -> Any:
    """Declare a function that compiled ones call."""
    declared: Any = njit(**PART, **options)(function)
    declared._compiler.__class__ = _AnyConstant
    _parts.append(declared)
    return declared


def _with_parts(entries: Sequence[Any]) -> set[Any]:
    """Return ``entries`` and all parts that they call."""
    found, left = set(entries), [*entries]
    while left:
        function = left.pop().py_func
        called = [function.__globals__.get(name) for name in function.__code__.co_names]
        new = {part for part in _parts if part in called} - found
        found |= new
        left += new
    return found


class _Progress(event.Listener):
    """Reports how many of the functions are compiled."""

    def __init__(self, entries: Sequence[Any], report: Report) -> None:
        self._functions, self._report = _with_parts(entries), report
        self._compiled: set[Any] = set()

    def on_start(self, event: Any) -> None:
        """Do nothing: what counts is done."""

    def on_end(self, event: Any) -> None:
        self._compiled.update({event.data["dispatcher"]}.intersection(self._functions))
        self._report(f"{len(self._compiled)} of {len(self._functions)} functions")


def compile_library(
    functions: Sequence[Any], signatures: Sequence[Signature], report: Report
) -> Code:
    """Compile each of ``functions`` for its signature; ``report`` is called with what is done."""
    entries = [njit(**PART)(function) for function in functions]
    with global_compiler_lock:
        with event.install_listener("numba:compile", _Progress(entries, report)):
            for entry, signature in zip(entries, signatures, strict=True):
                entry.compile(types.void(*map(_type, signature)))
        report("machine code")
        results = [next(iter(entry.overloads.values())) for entry in entries]
        library = cpu_target.target_context.codegen().create_library("kernel")
        library.enable_object_caching()
        for result in results:
            library.add_llvm_module(result.library._final_module)
        library.finalize()
        _, _, (content, _) = library.serialize_using_object_code()
        return Code(tuple(result.fndesc.llvm_func_name for result in results), content)


def _type(argument: Argument) -> Any:
    number = getattr(types, "boolean" if argument.dtype == "bool" else argument.dtype)
    if isinstance(argument, Array):
        return types.Array(number, argument.ndim, "C", readonly=not argument.writable)
    return number if argument.length is None else types.UniTuple(number, argument.length)


def link(code: Code) -> Linked:
    """Link ``code`` into this process, by numba, which knows more names than `native.link`."""
    codegen = cpu_target.target_context.codegen()
    empty = parse_assembly("").as_bitcode()
    with global_compiler_lock:
        library = codegen.unserialize_library(("kernel", "object", (code.content, empty)))
        return Linked([library.get_pointer_to_function(name) for name in code.names], library)
