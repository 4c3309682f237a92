"""What a terminal sends, as events: whole sequences only, and only those that Textual understands.

Textual 8.2.8 ends over bytes that are not UTF-8, as in the mouse reports of old terminals, over
numbers that are not characters, and over repeated keys. A sequence that arrives
in pieces becomes the keys that its characters are. It neither asks for the keys of other layouts
nor ignores a modifier that is pressed alone. No upstream issues known.
"""

import os
import re
import selectors
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from typing import Final

from textual import constants, events, messages
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.keys import Keys
from textual.message import Message

from tui_meta.upstream.kitty_keys import textual_sequence

_ESCAPE: Final = b"\x1b"

NEAR_SECONDS: Final = 0.25
"""Seconds after which an escape without anything behind it is the escape key."""

FAR_SECONDS: Final = 0.6
"""The same for a terminal at the other end of a network, where sequences are cut more often."""

LOST_SECONDS: Final = 2.0
"""Seconds after which the rest of a sequence is not waited for any longer."""

LONGEST: Final = 1 << 20
"""Bytes of a sequence or a pasted text; a longer one is dropped."""

_TOKEN: Final = re.compile(
    rb"(?P<text>[^\x1b]+)"
    rb"|\x1b\[200~(?P<paste>.*?)\x1b\[201~"
    rb"|(?P<sequence>\x1b\[\[[ -~]|\x1bO[ -~]|\x1b\[\d\d?\$"  # the console, keypads, rxvt
    rb"|\x1b\[(?!M|200~)[0-?]*[ -/]*[@-Z\\-~])"
    rb"|(?P<unused>\x1b\[M[^\x1b]{3}|\x1b[]PX^_][^\x1b\x07]*(?:\x07|\x1b\\))"
    rb"|(?P<alt>\x1b(?:[^\x1b\[\]OPX^_\x80-\xff]|[\xc0-\xff][\x80-\xbf]*))"
    rb"|(?P<start>\x1b(?:\[(?:200~.*|M[^\x1b]{0,2}|\[?|[0-?]*[ -/]*)"
    rb"|O|[]PX^_][^\x1b\x07]*\x1b?)?\Z)"
    rb"|(?P<escape>\x1b(?=\x1b\[\d{1,5};\d{1,5}R))"
    rb"|(?P<broken>\x1b(?:\[[0-?]*[ -/]*|[]PX^_][^\x1b\x07]*|O)?)",
    re.DOTALL,
)
"""``start`` is an incomplete sequence at the end; ``broken`` one that another byte interrupts.

``escape`` is the key, read together with an answer of the terminal, which comes after each repaint.
"""

_PASTE: Final = b"\x1b[200~"

_STARTS: Final = b"[]OPX^_"
"""What may follow the escape of a sequence; terminals send the first four."""

_MOUSE: Final = re.compile(r"\x1b\[<\d{1,3};\d{1,5};\d{1,5}[Mm]")
_CURSOR: Final = re.compile(r"\x1b\[(\d{1,5});(\d{1,5})R")
_SYNCHRONIZES: Final = re.compile(r"\x1b\[\?2026;[1-4]\$y")


class TerminalInput:
    """Makes events of bytes as they arrive.

    A sequence in pieces is put together. If the rest comes too late, all of it is dropped: the
    start is forgotten, and so is the rest, as far as it differs from keys that are pressed.
    """

    def __init__(self, *, far: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._escape_seconds = FAR_SECONDS if far else NEAR_SECONDS
        if "ESCDELAY" in os.environ:
            self._escape_seconds = constants.ESCAPE_DELAY
        self._textual = XTermParser()
        self._decoder = getincrementaldecoder("utf-8")("ignore")
        self._pending = b""
        self._is_late = False
        """True if the rest of ``_pending`` is dropped when it comes."""
        self._since = 0.0
        self._keys_are_sequences = False
        """True if the last key was a sequence of the Kitty protocol, as the escape key then is."""

    def feed(self, data: bytes) -> list[Message]:
        """Return the events of ``data``; without data, those that time has made certain."""
        now = self._clock()
        if not data:
            return self._expire(now)
        found: list[Message] = []
        pending, late, soon = self._pending, self._is_late, now - self._since <= LOST_SECONDS
        self._pending, self._is_late, self._since = b"", False, now
        if late and not _continues(pending, data, soon):
            pending, late = b"", False
        elif pending == _ESCAPE and not late and data[0] not in _STARTS:
            found.append(_escape_key())
            pending = b""
        for token in _TOKEN.finditer(pending + data):
            if token.lastgroup == "start":
                too_long = len(token[0]) > LONGEST
                self._pending = token[0][: len(_PASTE)] if too_long else token[0]
                self._is_late = late or too_long
            elif not late:
                found += self._events(token)
            late = False
        return found

    def _expire(self, now: float) -> list[Message]:
        """Stop waiting for the rest of a sequence if it is overdue."""
        alone = self._pending == _ESCAPE
        seconds = self._escape_seconds if alone else LOST_SECONDS
        if not self._pending or self._is_late or now - self._since < seconds:
            return []
        self._is_late, self._since = True, now
        pressed = alone and not self._keys_are_sequences
        if alone:
            self._keys_are_sequences = False
        return [_escape_key()] if pressed else []

    def _events(self, token: re.Match[bytes]) -> Iterator[Message]:
        """Yield the events of one complete token."""
        if token.lastgroup == "text":
            self._keys_are_sequences = False
            for char in self._decoder.decode(token[0]):
                if not "\x80" <= char <= "\x9f":
                    yield from self._keys(char)
            return
        self._decoder.reset()
        text = token[0].decode("utf-8", "ignore")
        if token.lastgroup == "paste":
            yield events.Paste(token["paste"].decode("utf-8", "ignore").replace("\x00", ""))
        elif token.lastgroup == "alt" and len(text) > 1:
            yield from (
                self._keys(text) if text in ANSI_SEQUENCES_KEYS else self._keys(text[1], True)
            )
        elif token.lastgroup == "sequence":
            yield from self._sequence(text)
        elif token.lastgroup == "escape":
            yield _escape_key()

    def _sequence(self, text: str) -> Iterator[Message]:
        """Yield the events of a sequence; nothing for one that means nothing to Textual."""
        if text == "\x1b[I":
            yield events.AppFocus()
        elif text == "\x1b[O":
            yield events.AppBlur()
        elif place := _CURSOR.fullmatch(text):
            yield events.CursorPosition(int(place[2]) - 1, int(place[1]) - 1)
        elif _SYNCHRONIZES.fullmatch(text):
            yield messages.TerminalSupportsSynchronizedOutput()
        elif _MOUSE.fullmatch(text):
            event = self._textual.parse_mouse_code(text)
            if event:
                yield event
        else:
            known = textual_sequence(text)
            if known:
                self._keys_are_sequences = text.endswith("u")
            elif text in ANSI_SEQUENCES_KEYS:
                known = text
            if known:
                yield from self._keys(known)

    def _keys(self, text: str, alt: bool = False) -> Iterator[Message]:
        for key in self._textual._sequence_to_key_events(text, alt):
            if key.key != Keys.Ignore:
                yield key


def _escape_key() -> events.Key:
    return events.Key("escape", "\x1b")


def _continues(pending: bytes, data: bytes, soon: bool) -> bool:
    """Return True if ``data`` is the rest of a sequence that was given up.

    A single character is that only ``soon`` after the start: later it is a key. The rest of a
    pasted text never becomes keys.
    """
    soon = soon or (len(data) > 1 and pending.startswith(_PASTE))
    token = _TOKEN.match(pending + data)
    if token is None or token.lastgroup in ("text", "alt", "broken"):
        return False
    if token.lastgroup == "start":
        return soon and (pending != _ESCAPE or data[0] in _STARTS[:4])
    return soon or token.end() > len(pending) + 1


class ReadWholeSequences(LinuxDriver):
    """Reads the terminal with `TerminalInput`.

    Reports of the size inside the input are not asked for: any bytes could pretend to be one, and
    a signal reports the size as well.
    """

    def write(self, data: str) -> None:
        """Write to the terminal; of keys also ask for the layout that shortcuts are named after."""
        super().write("\x1b[>29u" if data == "\x1b[>25u" else data)

    def _query_in_band_window_resize(self) -> None:
        """Leave out the query."""

    def run_input_thread(self) -> None:
        """Deliver what is typed until the application ends."""
        far = bool(os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"))
        terminal = TerminalInput(far=far)
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                data = os.read(self.fileno, 4096) if selector.select(0.1) else b""
                for message in terminal.feed(data):
                    self.process_message(message)
