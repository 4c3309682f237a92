"""What makes command lines in the process of the tests quick: what a command takes is found once.

A process of the program parses one command line; for each, cyclopts 5 goes through the signature,
types and settings of its command, for some 30 ms.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from cyclopts import ArgumentCollection, Parameter

Found = dict[tuple[Any, ...], tuple[ArgumentCollection, tuple[Any, ...]]]
"""What commands take, and the groups and parameters whose places in memory are in the keys."""


@contextmanager
def quick_parser() -> Iterator[None]:
    """Let all command lines that are parsed meanwhile share what their commands take."""
    analyse = ArgumentCollection._from_callable
    found: Found = {}

    def shared(
        command: Callable[..., Any],
        *parameters: Parameter | None,
        reserved: Iterable[str] | None = None,
        parse_docstring: bool = True,
        _resolve_groups: bool = True,
        **groups: Any,
    ) -> ArgumentCollection:
        own = {"parse_docstring": parse_docstring, "_resolve_groups": _resolve_groups}
        names = tuple(reserved or ())
        given = (command, *parameters, *groups.values())
        key = (*map(id, given), *groups, *own.values(), names)
        if key not in found:
            made = analyse(command, *parameters, reserved=names, **own, **groups)
            found[key] = made, given
        return without_values(found[key][0])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ArgumentCollection, "_from_callable", shared)
        yield


def without_values(taken: ArgumentCollection) -> ArgumentCollection:
    """Return a copy for another command line."""
    copies = {id(one): copy.copy(one) for one in taken}
    for one in copies.values():
        one.tokens = []
        one.children = ArgumentCollection([copies[id(child)] for child in one.children])
    return ArgumentCollection(copies.values())
