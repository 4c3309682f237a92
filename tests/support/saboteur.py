"""Calls that fail unexpectedly in some threads, however often, once they are armed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

PROBLEM = "out of the blue"

Call = tuple[Any, str]
"""An object or module, and the name of the function in it that fails."""


class Saboteur:
    """Makes a call fail in the threads whose names begin with ``thread``, ``times`` times."""

    def __init__(self, thread: str, error: type[BaseException], times: float) -> None:
        self.armed = False
        self.hits = 0
        self._thread, self._error, self._times = thread, error, times

    def wrap(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            is_there = threading.current_thread().name.startswith(self._thread)
            if is_there and self.armed and self.hits < self._times:
                self.hits += 1
                raise self._error(PROBLEM)
            return original(*arguments, **named)

        return call


def sabotage(
    patch: pytest.MonkeyPatch,
    thread: str,
    call: Call,
    error: type[BaseException] = RuntimeError,
    times: float = 1,
) -> Saboteur:
    """Let ``call`` fail in threads named ``thread``…; returns the saboteur, not armed yet."""
    saboteur = Saboteur(thread, error, times)
    owner, name = call
    patch.setattr(owner, name, saboteur.wrap(getattr(owner, name)))
    return saboteur


def name_of(call: object) -> str:
    """Return the name of a call, for the name of a test."""
    return f"{call[0].__name__}.{call[1]}" if isinstance(call, tuple) else str(call)
