"""What a terminal takes at once is written without waiting for it."""

import os
from collections.abc import Iterator

import pytest

from tui_meta.delta_driver.direct import DirectOutput

MORE_THAN_FITS = 1 << 20


@pytest.fixture
def pair() -> Iterator[tuple[int, int]]:
    """The two ends of a pseudo-terminal: that of the user, and that of the program."""
    ends = os.openpty()
    yield ends
    for end in ends:
        os.close(end)


def test_a_full_terminal_takes_nothing_and_nobody_waits(pair: tuple[int, int]) -> None:
    user, program = pair
    direct = DirectOutput(program)
    direct.open()
    assert direct.write(b"frame") == b""
    assert os.read(user, 100) == b"frame"
    data = b"x" * MORE_THAN_FITS
    rest = direct.write(data)
    while (less := direct.write(rest)) != rest:
        rest = less
    assert 0 < len(rest) < len(data)
    os.read(user, MORE_THAN_FITS)
    while direct.write(rest) == rest:
        os.read(user, MORE_THAN_FITS)
    direct.close()


def test_the_file_of_the_terminal_still_blocks(pair: tuple[int, int]) -> None:
    direct = DirectOutput(pair[1])
    direct.open()
    assert os.get_blocking(pair[1])
    direct.close()
    assert direct.write(b"frame") == b"frame"


def test_opening_again_leaves_no_descriptor_behind(pair: tuple[int, int]) -> None:
    lowest_free = os.dup(pair[1])
    os.close(lowest_free)
    direct = DirectOutput(pair[1])
    direct.open()
    direct.open()
    direct.close()
    assert os.dup(pair[1]) == lowest_free
    os.close(lowest_free)


def test_what_is_no_terminal_takes_nothing() -> None:
    ends = os.pipe()
    direct = DirectOutput(ends[1])
    direct.open()
    assert direct.write(b"frame") == b"frame"
    direct.close()
    for end in ends:
        os.close(end)
