"""Commands that train, and those of sessions: arguments, flags and help texts.

Nothing heavy is imported before a command is known to be valid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from core.errors import LabError
from tui_meta.cli.definitions.app import app
from tui_meta.cli.definitions.parameters import (
    AnySession,
    ConfigFile,
    Dashboard,
    Detach,
    DryRun,
    JsonEvents,
    JsonResult,
    Notify,
    NoTui,
    Pace,
    Paths,
    RunSettings,
    SessionId,
    Settings,
    SweepPath,
    WatchedJson,
    several,
    switch,
)
from tui_meta.cli.settings import whole_numbers

if TYPE_CHECKING:
    from tui_meta.cli.commands.train import OutputMode


@app.command(sort_key=1, help="Train from scratch (default command).")
@app.default
def train(
    *,
    config: ConfigFile = None,
    settings: Settings = {},  # noqa: B006  (only read)
    no_tui: NoTui = False,
    json: JsonEvents = False,
    detach: Detach = False,
    dry_run: DryRun = False,
    notify: Notify = None,
    dashboard: Dashboard = {},  # noqa: B006  (only read)
) -> int:
    from tui_meta.cli.commands.train import train

    mode = _mode(no_tui=no_tui, json=json, detach=detach)
    return train(settings, config, mode, dashboard, dry_run=dry_run, notify=notify)


@app.command(
    sort_key=2,
    help_epilogue="Example: tui-meta resume checkpoints/fomaml-mine --iterations 100000\n",
    help="Resume runs from their latest save or from a given checkpoint.",
)
def resume(
    paths: Paths,
    /,
    *,
    iterations: Annotated[
        int | None,
        Parameter(help="Target iteration (default: the run's own target)", converter=whole_numbers),
    ] = None,
    pace: Pace = None,
    no_tui: NoTui = False,
    json: JsonEvents = False,
    detach: Detach = False,
    notify: Notify = None,
    dashboard: Dashboard = {},  # noqa: B006  (only read)
) -> int:
    from tui_meta.cli.commands.train import resume

    mode = _mode(no_tui=no_tui, json=json, detach=detach)
    return resume(paths, iterations, pace, mode, dashboard, notify)


@app.command(
    sort_key=2.05,
    help_epilogue=(
        "Without settings, an interrupted sweep continues; with more seeds or values it\n"
        "is extended. A job array trains a part in each job, as --shard 1/8 to --shard 8/8.\n"
        "Exit code: 0 if all runs finished, 1 if some diverged or failed.\n"
        "Example: tui-meta sweep rates --seeds 5 --sweep reptile.inner-lr=0.005,0.01,0.02\n"
    ),
    help="Train many runs into one folder, without the dashboard, on all processors.",
)
def sweep(
    folder: SweepPath,
    /,
    *,
    config: ConfigFile = None,
    settings: RunSettings = {},  # noqa: B006  (only read)
    store: Annotated[
        Literal["final", "all", "none"],
        Parameter(help="What is kept of a run: final network, whole run folder, or its result"),
    ] = "final",
    workers: Annotated[
        int | None,
        Parameter(help="Runs at once (default: one per processor)", converter=whole_numbers),
    ] = None,
    scheduler: Annotated[
        str | None,
        Parameter(help="Dask scheduler whose workers train: tcp://host:port, or its file"),
    ] = None,
    shard: Annotated[str, Parameter(help="Part to train, of N parts", metavar="I/N")] = "1/1",
    dry_run: DryRun = False,
    notify: Notify = None,
    json: JsonResult = False,
) -> int:
    from tui_meta.cli.commands.sweep import sweep

    return sweep(
        folder,
        settings,
        config,
        store=store,
        workers=workers,
        scheduler=scheduler,
        shard=shard,
        dry_run=dry_run,
        notify=notify,
        as_json=json,
    )


@app.command(
    sort_key=2.1,
    help_epilogue="Example: tui-meta attach 1\n",
    help="Attach to a running session (detached, or open elsewhere).",
)
def attach(
    id: AnySession = None,
    /,
    *,
    read_only: Annotated[bool, switch("View only: send no commands")] = False,
    dashboard: Dashboard = {},  # noqa: B006  (only read)
) -> int:
    from tui_meta.cli.commands.sessions import attach

    return attach(id, dashboard, read_only=read_only)


@app.command(
    name="ls",
    sort_key=2.2,
    help_epilogue="When piped: tab-separated id, runs, seconds since the start, and viewers.\n",
    help="List running sessions on this machine.",
)
def list_sessions(*, json: JsonResult = False) -> int:
    from tui_meta.cli.commands.sessions import list_sessions

    return list_sessions(as_json=json)


@app.command(
    sort_key=2.3, help_epilogue="Example: tui-meta stop 1\n", help="Stop sessions after saving."
)
def stop(ids: Annotated[list[str], several("Session IDs from tui-meta ls", "ID")], /) -> int:
    from tui_meta.cli.commands.sessions import stop_sessions

    return stop_sessions(ids)


@app.command(
    sort_key=2.4,
    help_epilogue=(
        "Commands: pause, resume, step [N], save, evaluate [random | standard |\n"
        "half-range | compare], pace [N | full], extend.\n"
        "Exit code: 0 if all runs accepted, 2 otherwise.\n"
        "Example: tui-meta send 1 step 10\n"
    ),
    help="Send a dashboard command to a session from a script.",
)
def send(
    id: SessionId,
    command: Annotated[list[str], several("Command to send, and its argument", "WORD")],
    /,
    *,
    run: Annotated[
        str | None, Parameter(help="Only this run (default: all)", metavar="NAME")
    ] = None,
) -> int:
    from tui_meta.cli.commands.send import send

    return send(id, command, run)


@app.command(
    sort_key=2.5,
    help_epilogue="Example: tui-meta watch 1 --json > events.jsonl\n",
    help="Stream a session's events as text until it ends.",
)
def watch(id: AnySession = None, /, *, json: WatchedJson = False) -> int:
    from tui_meta.cli.commands.sessions import watch

    return watch(id, as_json=json)


def _mode(*, no_tui: bool, json: bool, detach: bool) -> OutputMode:
    if detach:
        if json:
            raise LabError("--json cannot be combined with --detach; use tui-meta watch ID --json")
        return "detached"
    if json:
        return "json"
    return "lines" if no_tui else "dashboard"
