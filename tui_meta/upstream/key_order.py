"""Handles keys one at a time: each takes full effect before the next one is delivered.

Textual 8.2.8 delivers a key at its arrival to whatever has the focus then, while the action of the
key before may still be queued. Over a slow connection several keys arrive at once, and what was
typed after ``:`` went to the screen below: ``:lab`` and enter paused the training.

https://github.com/Textualize/textual/issues/6605 reports it for the keys of one input; no issue is
known for keys that change the screen or the focus.
"""

import time
from collections import deque
from typing import Any

from textual import events, on
from textual.app import App
from textual.message import Message
from textual.widget import Widget

LONGEST_SECONDS = 1.0
"""A key whose marker has not come back by then went to a screen that is gone."""


class KeyDone(Message):
    """Follows a key from widget to widget: once it reaches the application, the key is handled."""


class KeysHandled(Message, bubble=False):
    """Tells the screen in front that the last key is handled, and none waits."""


class KeysToApplication(Widget):
    """A widget that has no keys of its own, nor has anything around it: the application gets them.

    Textual passes a key on from widget to widget, each of which looks for a method named after it.
    """

    def _forward_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key):
            event._set_forwarded()
            self.app.post_message(event)
        else:
            super()._forward_event(event)


class OneKeyAtATime(App[None], inherit_bindings=False):
    """An application that holds keys back until the one before is handled."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._waiting_keys: deque[events.Key] = deque()
        self._key_started: float | None = None

    @property
    def has_pending_keys(self) -> bool:
        """True while a key is being handled or waits for its turn."""
        return bool(self._waiting_keys) or self._key_started is not None

    async def on_event(self, event: events.Event) -> None:
        """Queue a key; handle every other event at once."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            self._waiting_keys.append(event)
            if self._key_started is None or self._is_late:
                await self._next_key()
            elif len(self._waiting_keys) == 1:
                self.set_timer(LONGEST_SECONDS, self._next_if_late)
        else:
            await super().on_event(event)

    @property
    def _is_late(self) -> bool:
        since = self._key_started
        return since is not None and time.monotonic() - since >= LONGEST_SECONDS

    async def _next_if_late(self) -> None:
        if self._is_late:
            await self._next_key()
        if self._waiting_keys:
            self.set_timer(LONGEST_SECONDS, self._next_if_late)

    async def _next_key(self) -> None:
        self._key_started = None
        if self._waiting_keys:
            self._key_started = time.monotonic()
            target = self.focused or self.screen
            await super().on_event(self._waiting_keys.popleft())
            target.post_message(KeyDone())
        else:
            self.screen.post_message(KeysHandled())

    @on(KeyDone)
    def _go_to_next_key(self) -> None:
        """Deliver the next key once screen, focus and panels are where the last one put them."""
        self.screen.call_after_refresh(self._next_key)
