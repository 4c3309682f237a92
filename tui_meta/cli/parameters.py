"""What several commands are given: the flags and arguments that they share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter

from core.config import DeviceName
from tui_meta.cli.preferences import face_flags
from tui_meta.cli.settings import flags, whole_numbers

if TYPE_CHECKING:
    Given = dict[str, Any]
    Preferred = dict[str, Any]
else:
    Given, Preferred = flags(), face_flags()

OUTPUT = Group("Output", sort_key=1.5)
"""Comes after the group ``RUN`` and before the algorithms'."""

Paths = Annotated[
    list[Path],
    Parameter(
        help="Run folders or checkpoint files",
        consume_multiple=True,
        metavar="PATH",
        negative=(),
    ),
]
Settings = Annotated[Given, Parameter(name="*")]
Face = Annotated[Preferred, Parameter(name="*")]
NoTui = Annotated[
    bool,
    Parameter(
        name="--no-tui",
        help="Without the dashboard: progress bars, or lines where output is piped",
        group=OUTPUT,
        negative=(),
        show_default=False,
    ),
]
JsonEvents = Annotated[
    bool,
    Parameter(
        help="Without the dashboard: the events of events.jsonl, one JSON object a line",
        group=OUTPUT,
        negative=(),
        show_default=False,
    ),
]
Detach = Annotated[
    bool,
    Parameter(
        help="In the background: tui-meta attach shows it",
        group=OUTPUT,
        negative=(),
        show_default=False,
    ),
]
SessionId = Annotated[str, Parameter(help="Session, as tui-meta ls names it", metavar="ID")]
AnySession = Annotated[
    str | None, Parameter(help="Session; without it, the only one", metavar="ID")
]
JsonResult = Annotated[
    bool,
    Parameter(help="All of it as JSON, one line for each result", negative=(), show_default=False),
]
Pace = Annotated[float | None, Parameter(help="Iterations per second; without it, full speed")]
Tasks = Annotated[int, Parameter(help="Random tasks to average over", converter=whole_numbers)]
TaskSeed = Annotated[
    int, Parameter(help="Decides the tasks and their points", converter=whole_numbers)
]
Device = Annotated[DeviceName, Parameter(help="Where to compute")]
