"""Compiles functions, and all that they call, into one library that is optimised once.

numba optimises each function with everything that it calls, and generates machine code of it,
before its callers include it and are optimised in turn, and compiles it again for each constant
that is passed to it. Both together took two thirds of the time for the kernel.
"""

# mypy: disable-error-code="misc, no-untyped-call"

from __future__ import annotations

import functools
import pickle
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from numba import njit, types
from numba.core import event
from numba.core.codegen import JITCodeLibrary, JITCPUCodegen
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.compiler_machinery import PassManager
from numba.core.dispatcher import _FunctionCompiler  # type: ignore[attr-defined]
from numba.core.registry import cpu_target
from numba.core.runtime.nrt import rtsys
from numba.core.serialize import dumps
from numba.core.typed_passes import (
    AnnotateTypes,
    IRLegalization,
    NativeLowering,
    NoPythonBackend,
    NopythonTypeInference,
    PreLowerStripPhis,
)
from numba.core.untyped_passes import FixupArgs, IRProcessing, ReconstructSSA, TranslateByteCode


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


OPTIONS: Any = {
    "nogil": True,
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
    "pipeline_class": PartCompiler,
}
"""Options of a function that Python calls."""

PART: Any = {**OPTIONS, "no_cpython_wrapper": True, "_nrt": False}
"""Options of a function that compiled ones call."""

_parts: list[Any] = []


def part(function: Callable[..., Any], **options: Any) -> Any:
    """Declare a function that compiled ones call."""
    declared: Any = njit(**PART, **options)(function)
    declared._compiler.__class__ = _AnyConstant
    _parts.append(declared)
    return declared


class _Progress(event.Listener):
    """Reports how many of the functions are compiled."""

    def __init__(self, entries: Sequence[Any], report: Report) -> None:
        self._functions, self._report = (*_parts, *entries), report
        self._compiled: set[Any] = set()

    def on_start(self, event: Any) -> None:
        """Do nothing: what counts is done."""

    def on_end(self, event: Any) -> None:
        self._compiled.update({event.data["dispatcher"]}.intersection(self._functions))
        self._report(f"{len(self._compiled)} of {len(self._functions)} functions")


class _Entry(NamedTuple):
    """What is needed to call a function of a library from Python."""

    description: Any
    environment: Any


class Library:
    """Machine code of some functions, ``functions`` in the order of their declaration."""

    def __init__(self, library: Any, entries: Sequence[_Entry]) -> None:
        self._library, self._entries = library, entries
        context = cpu_target.target_context
        self.functions = [context.get_executable(library, *entry) for entry in entries]

    @classmethod
    def compile(
        cls, functions: Sequence[Any], signatures: Sequence[Any], report: Report = lambda _: None
    ) -> Library:
        """Compile each of ``functions`` for its signature; ``report`` is called with what is done.

        Arguments of another type than that of the signature have no defined effect.
        """
        entries = [njit(**OPTIONS)(function) for function in functions]
        with global_compiler_lock:
            with event.install_listener("numba:compile", _Progress(entries, report)):
                for entry, signature in zip(entries, signatures, strict=True):
                    entry.compile(signature)
            report("machine code")
            results = [next(iter(entry.overloads.values())) for entry in entries]
            library = cpu_target.target_context.codegen().create_library("kernel")
            library.enable_object_caching()
            for result in results:
                library.add_llvm_module(result.library._final_module)
            library.finalize()
            return cls(library, [_Entry(one.fndesc, one.environment) for one in results])

    @classmethod
    def from_bytes(cls, code: bytes) -> Library:
        """Return the library that ``to_bytes`` gave, on the same machine."""
        context = cpu_target.target_context
        with global_compiler_lock:
            # As little of numba as the code calls: refreshing the context would prepare it to
            # compile, which takes a quarter of a second.
            rtsys.initialize(context)
            library, entries = pickle.loads(code)
            return cls(context.codegen().unserialize_library(library), entries)

    def to_bytes(self) -> bytes:
        """Return the code for later processes."""
        for description, _ in self._entries:
            description.typemap = description.calltypes = None  # they hold what cannot be pickled
        code: bytes = dumps((self._library.serialize_using_object_code(), self._entries))
        return code
