"""What makes dashboards in the process of the tests quick: they share, and wait for nothing."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from textual._compositor import Compositor
from textual.cache import LRUCache
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot

from tests.support.dashboard.idle import render_later, wait_for_idle, wait_for_screen
from tui_meta.widgets.canvas import _Lines


@contextmanager
def quick_dashboards() -> Iterator[None]:
    """Let all dashboards that are made meanwhile be quick."""
    with pytest.MonkeyPatch.context() as patch:
        _wait_no_longer(patch)
        _share_rules(patch)
        # The same lines are drawn once for all tests: a tenth of the time.
        patch.setattr(_Lines, "draw", functools.lru_cache(2_048)(_Lines.draw))
        # Each piece of a line has seven caches, which take longer to make than they save in tests.
        patch.setattr("textual.strip.FIFOCache", lambda maxsize: {})
        # Dashboards leave garbage collection alone: what they exempt would stay to the end.
        none = types.SimpleNamespace(
            freeze=lambda: None,
            set_threshold=lambda *_: None,
            collect=lambda _: None,
            get_count=lambda: (0, 0, 0),
            get_freeze_count=lambda: 0,
        )
        patch.setattr("tui_meta.app.garbage.gc", none)
        yield


def _wait_no_longer(patch: pytest.MonkeyPatch) -> None:
    """Let the pilot wait no longer than there is something to do, and paint once."""
    for module in ("pilot", "app"):
        patch.setattr(f"textual.{module}.wait_for_idle", wait_for_idle)
    patch.setattr(Pilot, "_wait_for_screen", wait_for_screen)
    patch.setattr(Compositor, "render_update", render_later)


def _share_rules(patch: pytest.MonkeyPatch) -> None:
    """Let applications of the same theme share parsed style sheets, a fifth of a test's time."""
    caches: dict[frozenset[tuple[str, str]], LRUCache[tuple[object, ...], object]] = {}
    make, set_variables = Stylesheet.__init__, Stylesheet.set_variables

    def share(sheet: Stylesheet) -> None:
        of = frozenset(sheet._variables.items())
        sheet._parse_cache = caches.setdefault(of, LRUCache(1_024))  # type: ignore[assignment]

    def made(sheet: Stylesheet, *, variables: dict[str, str] | None = None) -> None:
        make(sheet, variables=variables)
        share(sheet)

    def varied(sheet: Stylesheet, variables: dict[str, str]) -> None:
        sheet._parse_cache = LRUCache(1)
        set_variables(sheet, variables)
        share(sheet)

    patch.setattr(Stylesheet, "__init__", made)
    patch.setattr(Stylesheet, "set_variables", varied)
