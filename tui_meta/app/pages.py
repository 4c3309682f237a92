"""The screens above the Watch screen, each imported when it is needed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module

from tui_meta.app.garbage import freeze_modules
from tui_meta.screens.page import Page


class Pages(Mapping[str, type[Page]]):
    """Screens by name, each imported when it is first used: the first frame needs none."""

    def __init__(self, classes: Mapping[str, str]) -> None:
        self._classes = classes

    def __getitem__(self, name: str) -> type[Page]:
        module, _, kind = self._classes[name].partition(".")
        page: type[Page] = getattr(import_module(f"tui_meta.screens.{module}.screen"), kind)
        return page

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)


PAGES = Pages(
    {
        "lab": "lab.LabPage",
        "time-machine": "time_machine.TimeMachinePage",
        "battery": "battery.BatteryPage",
        "geometry": "geometry.GeometryPage",
        "runs": "runs.RunsPage",
        "sweep": "sweep.SweepPage",
        "messages": "messages.MessagesPage",
    }
)
"""The screens above the watch screen, by the names that keys use."""

WITHOUT_RUNS = ("sweep", "messages")
"""The screens that say something although nothing is trained."""


def in_background(work: Callable[[], object]) -> None:
    """Do ``work`` in a thread that does not keep the application from ending."""
    # Not a worker, which would have to end before the application does.
    threading.Thread(target=work, name="imports", daemon=True).start()


def import_screens() -> None:
    """Import the screens and dialogs, and exclude what modules hold from garbage collection."""
    list(PAGES.values())
    for name in ("app.questions", "screens.dialogs.help", "screens.dialogs.palette"):
        import_module(f"tui_meta.{name}")
    freeze_modules()
