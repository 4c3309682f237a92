"""Names of runs in little room: shorter, and still different."""

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from rich.cells import cell_len

_WORDS = re.compile("[^ =]*[ =]")
"""The words of a name before its last one, as in ``Reptile inner_lr=0.01``."""

_SEED = "seed "

_AROUND = 3
"""Cells around a name in a row of names."""


def brief_names(names: Sequence[str], width: int) -> Sequence[str]:
    """Return the longest of the shorter forms of all ``names`` in which each fits ``width`` cells.

    Without such a form it is the shortest.
    """
    forms = list(shorter_forms(names))
    return next((form for form in forms if max(map(cell_len, form)) <= width), forms[-1])


def shorter_forms(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the names as they are, with seeds in short, without what they share, and with both."""
    yield names
    yield [one.replace(f" {_SEED}", " s") for one in names]
    own = without_shared(names)
    yield own
    yield [one.removeprefix("…").replace(_SEED, "s") for one in own]


def without_shared(names: Sequence[str]) -> Sequence[str]:
    """Return names without the words that those of the same first word begin with."""
    words = [_WORDS.findall(name) for name in names]
    cut = []
    for name, own in zip(names, words, strict=True):
        alike = [one for one in words if one[:1] == own[:1]]
        shared = takewhile(
            lambda those: {*those} == {those[0]} != {_SEED}, zip(*alike, strict=False)
        )
        length = sum(len(those[0]) for those in shared) if len(alike) > 1 else 0
        cut.append(f"…{name[length:]}" if length else name)
    return cut


def names_in_row(names: Sequence[str], chosen: int, width: int) -> tuple[Sequence[str], range]:
    """Return names of all runs for a row of ``width`` cells, and the places of those that fit.

    The ``chosen`` one is among them, and its neighbours as long as there is room.
    """
    if sum(map(_in_row, names)) <= width:
        return names, range(len(names))
    short = brief_names(names, width - 2 * _AROUND)
    first, end, room = chosen, chosen + 1, width - _in_row(short[chosen]) - _AROUND
    while True:
        beside = [place for place in (end, first - 1) if 0 <= place < len(short)]
        place = next((one for one in beside if _in_row(short[one]) <= room), None)
        if place is None:
            return short, range(first, end)
        first, end = min(first, place), max(end, place + 1)
        room -= _in_row(short[place])


def _in_row(name: str) -> int:
    return cell_len(name) + _AROUND
