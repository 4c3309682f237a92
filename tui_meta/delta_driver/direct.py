"""Writes to the terminal without waiting for it."""

import os
from contextlib import suppress
from typing import Final

_FLAGS: Final = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK


class DirectOutput:
    """Takes as much as the terminal behind a file has room for.

    The terminal is opened once more, because whether a file blocks is shared with the other
    programs that have it. Where that is not possible, nothing is taken.
    """

    def __init__(self, file: int) -> None:
        self._file = file
        self._opened: int | None = None

    def open(self) -> None:
        """Open the terminal, also again after the program was stopped."""
        self.close()
        with suppress(OSError):
            self._opened = os.open(os.ttyname(self._file), _FLAGS)

    def close(self) -> None:
        """Take nothing from now on."""
        opened, self._opened = self._opened, None
        if opened is not None:
            os.close(opened)

    def write(self, data: bytes) -> bytes:
        """Write what the terminal takes at once; return the rest."""
        if self._opened is None or not data:
            return data
        try:
            return data[os.write(self._opened, data) :]
        except OSError:  # it is full or gone, which the thread that waits for it will find out
            return data
