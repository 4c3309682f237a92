"""Whatever a terminal sends, in whatever pieces: no exception, and no key that was not pressed."""

import os
import threading
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import events
from textual._xterm_parser import XTermParser
from textual.message import Message

from tests.support.soak import soak
from tui_meta.app.application import TerminalDriver
from tui_meta.upstream.terminal_input import (
    FAR_SECONDS,
    LONGEST,
    LOST_SECONDS,
    NEAR_SECONDS,
    ReadWholeSequences,
    TerminalInput,
)


class Typed:
    """Input on a clock that the test moves; ``seen`` are its events as text."""

    def __init__(self, *, far: bool = False) -> None:
        self.now = 0.0
        self._input = TerminalInput(far=far, clock=lambda: self.now)
        self.seen: list[str] = []

    def send(self, *pieces: bytes | float) -> list[str]:
        """Send bytes, and let seconds pass."""
        for piece in pieces:
            if isinstance(piece, bytes):
                self.seen += map(as_text, self._input.feed(piece) if piece else [])
                continue
            end = self.now + piece
            while self.now < end:
                self.now = min(end, self.now + 0.1)
                self.seen += map(as_text, self._input.feed(b""))
        return self.seen


def as_text(message: Message) -> str:
    if isinstance(message, events.Key):
        return message.key
    if isinstance(message, events.Paste):
        return f"paste {message.text}"
    return type(message).__name__


SEQUENCES = [
    b"\x1b[A", b"\x1b[1;5D", b"\x1bOA", b"\x1b[3~", b"\x1b[3$", b"\x1b[[A", b"\x1b[I", b"\x1b[5;9R",
    b"\x1b[<35;50;10M", b"\x1b[<0;3;3m", b"\x1b[M !!", b"\x1b[M \xa5\xff", b"\x1b[32;50;10M",
    b"\x1b[113;;113u", b"\x1b[97:65:97;2:1;65u", b"\x1b[99;5u", b"\x1b[?2026;2$y", b"\x1b[?62;22c",
    b"\x1b[48;24;100;0;0t", b"\x1b]11;rgb:0/0/0\x07", b"\x1b]52;c;cXE=\x1b\\", b"\x1bP>|q(3)\x1b\\",
    b"\x1b[200~q x 1\n\x1b[201~",
]  # fmt: skip
KEYS = [b"q", b"5", b"\r", "é".encode(), b" "]


@st.composite
def cut_input(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> list[bytes | float]:
    """Draw input that is cut at random places, with pauses."""
    data = draw(whole)
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(data) - 1)), max_size=6)))
    pieces: list[bytes | float] = []
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        pieces += [data[start:end], draw(st.sampled_from([0.0, 0.0, 0.15, 0.3, 1.0, 1.9]))]
    return pieces


@settings(max_examples=soak(100, 10_000))
@given(cut_input(st.lists(st.sampled_from([*SEQUENCES, *KEYS]), max_size=8).map(b"".join)))
def test_a_cut_sequence_becomes_no_other_key(pieces: Sequence[bytes | float]) -> None:
    whole = iter(Typed().send(b"".join(piece for piece in pieces if isinstance(piece, bytes))))
    for event in Typed().send(*pieces):
        assert event == "escape" or event in whole, "a piece became a key"


@settings(max_examples=soak(100, 10_000))
@given(
    cut_input(
        st.lists(
            st.binary(max_size=4)
            | st.sampled_from([*SEQUENCES, b"\x1b", b"\x1b[", b"\x1b]", b"9" * 400, b";", b":3u"])
            | st.integers(0, 10**12).map(lambda number: b"\x1b[%d;%du" % (number, number % 1000)),
            max_size=12,
        ).map(b"".join)
    )
)
def test_any_bytes_are_read(pieces: Sequence[bytes | float]) -> None:
    typed = Typed()
    typed.send(*pieces, 2 * LOST_SECONDS, b"\x18\x1b[A")
    assert typed.seen[-1] == "up"


@pytest.mark.parametrize(
    "data",
    [b"\xe9", b"\x1b[M \xa5!", b"\x1b[97;1:3u", b"\x1b[1114112;1u", b"\x1b[48;24;100;0;0t",
     b"\x1b[57441;2u", b"\x1b[57344u", b"\x1b[55296u", b"\x1b[<0;0;0M", b"\x1b[?1;2c"],
)  # fmt: skip
def test_what_is_no_key_is_ignored(data: bytes) -> None:
    assert Typed().send(data, 3.0, b"p") == ["p"]


@pytest.mark.parametrize(
    ("pieces", "seen"),
    [
        ([b"\x1b", NEAR_SECONDS / 2, b"[A"], ["up"]),
        ([b"\x1b", 2 * NEAR_SECONDS, b"[A"], ["escape"]),
        ([b"\x1b", 2 * NEAR_SECONDS, b"[", 0.5, b"<35;50", 0.5, b";10M"], ["escape"]),
        ([b"\x1b[<35", 1.5, b";50;10M"], ["MouseMove"]),
        ([b"\x1b[<35", 10.0, b";50;10M"], []),
        ([b"\x1b", 10.0, b"[<35;50;10M", b"q"], ["escape", "q"]),
        ([b"\x1b[200~q", 10.0, b"x q", 10.0, b" x\x1b[201~p"], ["p"]),
        ([b"\x1b[200~" + b"x" * LONGEST, b"x q", b" x\x1b[201~p"], ["p"]),
    ],
)
def test_the_rest_of_a_sequence_completes_it_or_is_dropped(
    pieces: list[bytes | float], seen: list[str]
) -> None:
    assert Typed().send(*pieces) == seen


def test_a_far_terminal_is_waited_for_longer() -> None:
    pieces = (b"\x1b", (NEAR_SECONDS + FAR_SECONDS) / 2, b"[A")
    assert (Typed().send(*pieces), Typed(far=True).send(*pieces)) == (["escape"], ["up"])


def test_an_escape_that_is_read_with_an_answer_of_the_terminal_is_a_key() -> None:
    answer = b"\x1b[5;9R"
    assert Typed().send(b"\x1b" + answer) == ["escape", "CursorPosition"]
    assert Typed().send(b"\x1b", answer) == ["escape", "CursorPosition"]
    assert Typed().send(b"\x1b\x1b[A") == ["up"], "alt and a cursor key in rxvt"


def test_keys_after_escape_are_keys() -> None:
    assert Typed().send(b"\x1b", 0.1, b"w", b"\x1b", 0.1, b"\x1b", 1.0, b"[", 10.0, b"[") == [
        "escape", "w", "escape", "escape", "left_square_bracket",
    ]  # fmt: skip


def test_a_lone_escape_is_no_key_where_keys_are_sequences() -> None:
    assert Typed().send(b"\x1b[97u", b"\x1b", 1.0, b"[<35;50;10M", b"\x1b[27u") == ["a", "escape"]


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"\x1b[1089::99;5u", "ctrl+c"),
        (b"\x1b[1089;5u", "ctrl+c"),
        (b"\x1b[968::99;5u", "ctrl+c"),
        (b"\x1b[968;5u", "ctrl+c"),
        (b"\x1b[1089::99;69u", "ctrl+c"),  # with caps lock
        (b"\x1b[1089;;1089u", "с"),  # noqa: RUF001  # typed, it is the letter
        (b"\x1b[233::101;5u", "ctrl+e"),
        (b"\x1b[97:65;2u", "A"),
    ],
)
def test_shortcuts_work_in_other_layouts(data: bytes, key: str) -> None:
    assert Typed().send(data) == [key]


@pytest.mark.parametrize("code", [57358, 57360, *range(57441, 57455)])
def test_a_modifier_alone_is_nothing(code: int) -> None:
    assert Typed().send(b"\x1b[%du" % code, b"\x1b[%d;5:1u" % code) == []


def test_the_thread_that_reads_survives_any_bytes() -> None:
    driver: Any = object.__new__(TerminalDriver)
    driver.fileno, written = os.pipe()
    driver.exit_event = threading.Event()
    seen: list[str] = []
    arrived = threading.Event()

    def process(message: Message) -> None:
        seen.append(as_text(message))
        arrived.set()

    driver.process_message = process
    thread = threading.Thread(target=driver.run_input_thread)
    thread.start()
    os.write(written, b"\xe9\x1b[M \xa5!\x1b[1114112;1u\x1b[48;24;100;0;0t\x1b[<35;50;10M")
    assert arrived.wait(10)
    driver.exit_event.set()
    thread.join()
    os.close(written)
    os.close(driver.fileno)
    assert seen == ["MouseMove"]


def test_the_keys_of_other_layouts_are_asked_for() -> None:
    written: list[str] = []
    base = SimpleNamespace(write=written.append)

    class Recorded(ReadWholeSequences):
        _writer_thread = base  # type: ignore[assignment]

    driver = object.__new__(Recorded)
    driver.write("\x1b[>25u")
    assert written == ["\x1b[>29u"]


@pytest.mark.parametrize("sequence", ["\x1b[1114112;1u", "\x1b[97;1:3u"])
def test_textual_still_ends_over_keys(sequence: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (of any text)
        list(XTermParser().feed(sequence))


def test_textual_still_turns_a_cut_sequence_into_keys() -> None:
    parser = XTermParser()
    found = [*parser.feed("\x1b[<35"), *parser.feed("")]
    assert all(isinstance(key, events.Key) for key in found)
    assert found
