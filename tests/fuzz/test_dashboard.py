"""The dashboard stays intact under any keys, pasted text, bytes and sizes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import plotext  # noqa: F401  (loaded later, its library would look like harm)
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import events

import core.engines.torch.engine  # noqa: F401  # loading it, as an answer does, looks like harm
from tests.support.dashboard.canned import CannedSession
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.watch import assert_intact, settle
from tests.support.hostile.damage import HOSTILE_TEXT
from tests.support.hostile.guards import harmless
from tests.support.soak import soak
from tui_meta.app.application import TuiMetaApp
from tui_meta.screens.watch.screen import WatchScreen
from tui_meta.upstream.terminal_input import TerminalInput

INPUTS = 100
"""The inputs of an example, all to one dashboard."""

NAMED = [
    "tab", "shift+tab", "enter", "escape", "space", "up", "down", "left", "right", "home", "end",
    "pageup", "pagedown", "backspace", "delete", "f1", "f12", "ctrl+a", "ctrl+l", "ctrl+s",
    "ctrl+p", "question_mark", "less_than_sign", "greater_than_sign", "ctrl+@",
]  # fmt: skip

KEYS = st.sampled_from(NAMED) | st.characters(
    exclude_categories=("Cs", "Cc"), exclude_characters="q"
)
"""Every key but those that quit."""

PASTES = HOSTILE_TEXT.map(lambda text: events.Paste(text))

RAW = st.lists(
    st.sampled_from(
        ["\x1b", "[", "O", "]", "?", ";", "<", "M", "m", "~", "A", "B", "R", "u", "t", "I", "0",
         "1", "9", "35", "200~", "201~", "\x1b[200~", "\x1b[<0;3;3M", "\x1b[<64;9;9M", "\x07",
         "\x1b\\", "\x1b[?2026;2$y", "\x1b[48;24;100;0;0t", "\x9b", "\x00", "é", "中",
         "\udce9", "\x1b[M", "\x1b[97;1:3u", "\x1b[1114112;1u", "\x1b[<0;99999;99999M",
         "\x1b[<67;3;3M", "\x1b[57344u"]
    ),
    min_size=1,
    max_size=12,
).map("".join)  # fmt: skip
"""Bytes from a terminal, perhaps a hostile one: whole sequences and pieces of them."""


def reports(text: str) -> list[events.Event]:
    """Return the events that ``text`` from a terminal becomes, without keys that quit."""
    found = TerminalInput(far=False).feed(text.encode("utf-8", "surrogateescape"))
    keys = ("q", "ctrl+q", "ctrl+c")
    return [
        message
        for message in found
        if isinstance(message, events.Event)
        and not (isinstance(message, events.Key) and message.key in keys)
    ]


@settings(max_examples=soak(2, 100))
@given(
    inputs=st.lists(KEYS | PASTES | RAW.map(reports), min_size=INPUTS, max_size=INPUTS),
    size=st.sampled_from([(80, 24), (120, 40), (40, 10), (200, 60)]),
)
async def test_any_keys_and_pastes(
    inputs: Sequence[str | events.Paste | list[events.Event]], size: tuple[int, int]
) -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=size) as pilot:
        await settle(pilot)
        with harmless(Path(os.environ["XDG_STATE_HOME"])):  # the folder for the keys y and p
            for item in inputs:
                if isinstance(item, str):
                    await pilot.press(item)
                else:
                    for event in item if isinstance(item, list) else [item]:
                        pilot.app.post_message(event)
                    await pilot.pause()
            await assert_intact(pilot)


@settings(max_examples=soak(3, 500))
@given(
    sizes=st.lists(
        st.tuples(st.integers(1, soak(250, 500)), st.integers(1, soak(100, 200)))
        | st.tuples(st.integers(1, 60), st.integers(1, 20)),
        min_size=20,
        max_size=20,
    ),
    keys=st.lists(st.sampled_from(["enter", "tab", "question_mark", "e", "1"]), max_size=3),
)
async def test_any_sizes(sizes: list[tuple[int, int]], keys: list[str]) -> None:
    async with TuiMetaApp(FakeSession()).run_test(size=(80, 24)) as pilot:
        await pilot.press(*keys)
        with harmless():
            for size in sizes:
                await pilot.resize_terminal(*size)
                await assert_intact(pilot)


async def test_a_focus_that_moves_twice_at_once_comes_to_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moves: list[str] = []
    reveal = WatchScreen.action_reveal

    def counted(screen: WatchScreen, panel: str) -> None:
        moves.append(panel)
        reveal(screen, panel)

    monkeypatch.setattr(WatchScreen, "action_reveal", counted)
    async with TuiMetaApp(FakeSession()).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for key in reports("3;3M1"):
            pilot.app.post_message(key)
        await settle(pilot)
        moved = len(moves)
        for _ in range(20):
            await pilot.pause(0.01)
        assert len(moves) == moved
