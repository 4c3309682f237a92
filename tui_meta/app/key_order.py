"""One key after the other: each has done what it does before the next one is looked at.

The terminal library gives a key to what has the focus when it arrives. Over a slow connection
several arrive at once, and what was typed behind ``:`` went to the screen below: ``:lab`` and enter
paused the training.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from textual import events, on
from textual.app import App
from textual.message import Message

LONGEST_SECONDS = 1.0
"""A key that has not come back by then has gone with its screen."""


class KeyDone(Message):
    """Follows a key from widget to widget: where this arrives, the key has been."""


class OrderedKeys(App[None], inherit_bindings=False):
    """Holds keys back until the one before is done."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._held_back: deque[events.Key] = deque()
        self._under_way_since: float | None = None

    async def on_event(self, event: events.Event) -> None:
        """Let a key wait for its turn; all else has it now."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            self._held_back.append(event)
            if self._under_way_since is None or self._is_late:
                await self._next_key()
            elif len(self._held_back) == 1:
                self.set_timer(LONGEST_SECONDS, self._next_if_late)
        else:
            await super().on_event(event)

    @property
    def _is_late(self) -> bool:
        since = self._under_way_since
        return since is not None and time.monotonic() - since >= LONGEST_SECONDS

    async def _next_if_late(self) -> None:
        if self._is_late:
            await self._next_key()
        if self._held_back:
            self.set_timer(LONGEST_SECONDS, self._next_if_late)

    async def _next_key(self) -> None:
        self._under_way_since = None
        if self._held_back:
            self._under_way_since = time.monotonic()
            target = self.focused or self.screen
            await super().on_event(self._held_back.popleft())
            target.post_message(KeyDone())

    @on(KeyDone)
    def _go_to_next_key(self) -> None:
        """The next one, once everything is where the last key put it: screen, focus, panels."""
        self.screen.call_after_refresh(self._next_key)
