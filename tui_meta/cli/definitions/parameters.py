"""Flags and arguments that several commands share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter

from core.config import DeviceName
from tui_meta.cli.flags import RUN, dashboard_flags, whole_numbers

if TYPE_CHECKING:
    _Dashboard = dict[str, Any]
else:
    _Dashboard = dashboard_flags()

OUTPUT = Group("Output", sort_key=1.5)
"""Between the group ``RUN`` and the algorithms' groups."""


def switch(help: str) -> Parameter:
    """Return a flag without a value that is off by default."""
    return Parameter(help=help, negative=(), show_default=False)


def several(help: str, metavar: str) -> Parameter:
    """Return an argument that takes one value or more."""
    return Parameter(help=help, metavar=metavar, consume_multiple=True, negative=())


Paths = Annotated[list[Path], several("Run folders or checkpoint files", "PATH")]
ConfigFile = Annotated[
    Path | None, Parameter(help="TOML file with settings", metavar="FILE", group=RUN)
]
Dashboard = Annotated[_Dashboard, Parameter(name="*")]
NoTui = Annotated[
    bool,
    switch("No dashboard: progress bars, or plain lines if piped"),
    Parameter(name="--no-tui", group=OUTPUT),
]
JsonEvents = Annotated[
    bool, switch("No dashboard: print events as JSON Lines"), Parameter(group=OUTPUT)
]
WatchedJson = Annotated[bool, switch("Print events as JSON Lines")]
Detach = Annotated[
    bool, switch("Run in the background; view with tui-meta attach"), Parameter(group=OUTPUT)
]
SweepPath = Annotated[Path, Parameter(help="Folder of the sweep", metavar="FOLDER")]
Workers = Annotated[
    int | None,
    Parameter(help="Runs at once (default: one per processor)", converter=whole_numbers),
]
DryRun = Annotated[
    bool, switch("Only print the runs that would be trained"), Parameter(group=OUTPUT)
]
Check = Annotated[
    bool,
    switch("Only compare outer gradients with autograd and central differences, in float64"),
    Parameter(group=OUTPUT),
]
Notify = Annotated[
    str | None,
    Parameter(
        help="Shell command to run when a run diverges or fails, and when all have ended",
        metavar="COMMAND",
        group=OUTPUT,
    ),
]
SessionId = Annotated[str, Parameter(help="Session ID from tui-meta ls", metavar="ID")]
AnySession = Annotated[
    str | None,
    Parameter(help="Session ID from tui-meta ls (optional if only one is running)", metavar="ID"),
]
JsonResult = Annotated[bool, switch("Print JSON Lines, one object per line")]
Pace = Annotated[float | None, Parameter(help="Iterations per second (default: full speed)")]
Device = Annotated[DeviceName, Parameter(help="Compute device")]
