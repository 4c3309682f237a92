"""Commands that train, and those of sessions: arguments, flags and help texts.

``train`` takes the settings that default runs have, which is what most starts and the help of the
program need; ``every_setting`` has the others. Nothing heavy is imported before a command is known
to be valid.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from core.errors import LabError
from core.reproduction.protocol import TASKS
from core.reproduction.protocols import PROTOCOLS
from tui_meta.cli.definitions.parameters import (
    OUTPUT,
    AnySession,
    Check,
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
    SessionId,
    WatchedJson,
    Workers,
    several,
    switch,
)
from tui_meta.cli.flags import COMMON_TABLES, flags, whole_numbers

if TYPE_CHECKING:
    from tui_meta.cli.commands.train import OutputMode

    _CommonSettings = dict[str, Any]
else:
    _CommonSettings = flags(COMMON_TABLES)

CommonSettings = Annotated[_CommonSettings, Parameter(name="*")]


def train(
    *,
    config: ConfigFile = None,
    settings: CommonSettings = {},  # noqa: B006  (only read)
    no_tui: NoTui = False,
    json: JsonEvents = False,
    detach: Detach = False,
    dry_run: DryRun = False,
    check: Check = False,
    notify: Notify = None,
    dashboard: Dashboard = {},  # noqa: B006  (only read)
) -> int:
    if check:
        from tui_meta.cli.commands.check import check_gradients

        return check_gradients(settings, config)
    from tui_meta.cli.commands.train import train

    mode = _mode(no_tui=no_tui, json=json, detach=detach)
    return train(settings, config, mode, dashboard, dry_run=dry_run, notify=notify)


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


def reproduce(
    names: Annotated[
        list[str] | None,
        several("Protocols (default: all)", "NAME"),
        Parameter(choices=tuple(PROTOCOLS)),
    ] = None,
    /,
    *,
    seeds: Annotated[
        tuple[int, ...],
        Parameter(
            help="Seeds of each run: a list, or how many, counted from 0 (default: 1)",
            converter=whole_numbers,
            show_default=False,
            consume_multiple=True,
            negative=(),
        ),
    ] = (),
    folder: Annotated[
        Path | None,
        Parameter(help="Folder of the runs, a sweep (default: reproduction)"),
    ] = None,
    iterations: Annotated[
        int | None,
        Parameter(
            help="Iterations of each run instead of those of the publication: a trial, no verdict",
            converter=whole_numbers,
        ),
    ] = None,
    tasks: Annotated[
        int, Parameter(help="Tasks of each evaluation", converter=whole_numbers)
    ] = TASKS,
    workers: Workers = None,
    to: Annotated[
        Literal["text", "markdown", "latex"], Parameter(help="Format of the tables")
    ] = "text",
    out: Annotated[
        str | None,
        Parameter(
            help="Output file or folder of Markdown or LaTeX (default: -, standard output)",
            metavar="PATH",
            allow_leading_hyphen=True,
        ),
    ] = None,
    json: JsonResult = False,
    report: Annotated[
        bool, switch("Only report what the folder has; train nothing"), Parameter(group=OUTPUT)
    ] = False,
    dry_run: DryRun = False,
) -> int:
    from tui_meta.cli.commands.reproduce import reproduce

    return reproduce(
        names or (),
        seeds=seeds,
        folder=folder,
        iterations=iterations,
        tasks=tasks,
        workers=workers,
        to=to,
        out=out,
        as_json=json,
        report=report,
        dry_run=dry_run,
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


def list_sessions(*, json: JsonResult = False) -> int:
    from tui_meta.cli.commands.sessions import list_sessions

    return list_sessions(as_json=json)


def stop(ids: Annotated[list[str], several("Session IDs from tui-meta ls", "ID")], /) -> int:
    from tui_meta.cli.commands.sessions import stop_sessions

    return stop_sessions(ids)


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
