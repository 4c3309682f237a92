"""The lines of a log from its end, so that a long log costs no more than its newest part."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from core.storage.reading import open_regular

BLOCK = 64 * 2**10
"""Bytes read at once."""


def lines_from_end(path: Path, most: int) -> Iterator[bytes]:
    """The lines within the last ``most`` bytes of ``path``, the last one first.

    Reads a block at a time, as lines are asked for. A line that is cut off is left out. Raises
    ``OSError``.
    """
    with open_regular(path) as log:
        place = log.seek(0, os.SEEK_END)
        first = max(0, place - most)
        rest: list[bytes] = []
        while place > first:
            size = min(BLOCK, place - first)
            place -= size
            log.seek(place)
            begun, *whole = log.read(size).split(b"\n")
            if whole:
                yield whole.pop() + b"".join(reversed(rest))
                yield from reversed(whole)
                rest = []
            rest.append(begun)
        if not first:
            yield b"".join(reversed(rest))
