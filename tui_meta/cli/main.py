"""The command line. Nothing heavy is imported before a command is known to be valid."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from core.errors import LabError
from core.version import VERSION
from tui_meta.app.signals import ending_at_once
from tui_meta.cli.errors import describe_error, describe_usage_error
from tui_meta.cli.parameters import (
    AnySession,
    Detach,
    Device,
    Face,
    JsonEvents,
    JsonResult,
    NoTui,
    Pace,
    Paths,
    SessionId,
    Settings,
    Tasks,
    TaskSeed,
)
from tui_meta.cli.settings import RUN, whole_numbers
from tui_meta.console import Exit, Output, configure_stdio, flush_stdio, print_error

if TYPE_CHECKING:
    from tui_meta.cli.commands.launch import OutputMode

COMMANDS = (
    *("train", "resume", "attach", "ls", "stop", "send", "watch"),
    *("eval", "compare", "runs", "show", "export", "diff", "rm"),
)

EXAMPLES = """\
Examples:
  tui-meta                                   train both, in the dashboard
  tui-meta --seed 3 --network.hidden 40 40   with other settings
  tui-meta --config my.toml --pace 100       with settings from a file
  tui-meta --no-tui --json > log.jsonl       without a screen
  tui-meta --detach                          in the background
  tui-meta attach                            look at what trains, from any terminal
  tui-meta resume checkpoints/fomaml-mine    go on where a run was saved
  tui-meta eval checkpoints/fomaml-source    see what a run has learned
  tui-meta runs                              list the runs there are

A configuration file (TOML) says seed = 3 at its top and inner_lr = 0.01 under
[fomaml] or [reptile]; [network] and [waves] likewise. Flags override it.
"""

app = App(
    name="tui-meta",
    help="Watch FOMAML and Reptile learn few-shot sine regression, live in a terminal.",
    help_format="plaintext",
    help_epilogue=EXAMPLES,
    usage=f"Usage: tui-meta [{' | '.join(COMMANDS)}] [OPTIONS]",
    version=f"tui-meta {VERSION}",
    console=Output(),
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
app.register_install_completion_command()


@app.command(sort_key=1)
@app.default
def train(
    *,
    config: Annotated[
        Path | None, Parameter(help="TOML file with settings", metavar="FILE", group=RUN)
    ] = None,
    settings: Settings = {},  # noqa: B006  (only read)
    no_tui: NoTui = False,
    json: JsonEvents = False,
    detach: Detach = False,
    face: Face = {},  # noqa: B006  (only read)
) -> int:
    """Train from scratch (what tui-meta does when no command is given)."""
    from tui_meta.cli.commands.train import train

    return train(settings, config, _manner(no_tui=no_tui, json=json, detach=detach), face)


@app.command(
    sort_key=2,
    help_epilogue="Example: tui-meta resume checkpoints/fomaml-mine --iterations 100000\n",
)
def resume(
    paths: Paths,
    /,
    *,
    iterations: Annotated[
        int | None,
        Parameter(help="Where to end; without it, as planned", converter=whole_numbers),
    ] = None,
    pace: Pace = None,
    no_tui: NoTui = False,
    json: JsonEvents = False,
    detach: Detach = False,
    face: Face = {},  # noqa: B006  (only read)
) -> int:
    """Go on with runs where they were last saved, or at a checkpoint."""
    from tui_meta.cli.commands.resume import resume

    manner = _manner(no_tui=no_tui, json=json, detach=detach)
    return resume(paths, iterations, pace, manner, face)


@app.command(sort_key=2.1, help_epilogue="Example: tui-meta attach 1\n")
def attach(
    id: AnySession = None,
    /,
    *,
    read_only: Annotated[
        bool, Parameter(help="Look, and command nothing", negative=(), show_default=False)
    ] = False,
    face: Face = {},  # noqa: B006  (only read)
) -> int:
    """Show a session that trains already: one that was detached from, or somebody watches."""
    from tui_meta.cli.commands.attach import attach

    return attach(id, face, read_only=read_only)


@app.command(
    name="ls",
    sort_key=2.2,
    help_epilogue="Through a pipe: id, runs, seconds, and who watches, with tabs between.\n",
)
def list_sessions(*, json: JsonResult = False) -> int:
    """List the sessions that run on this machine."""
    from tui_meta.cli.commands.sessions import list_sessions

    return list_sessions(as_json=json)


@app.command(sort_key=2.3, help_epilogue="Example: tui-meta stop 1\n")
def stop(
    ids: Annotated[
        list[str],
        Parameter(
            help="Sessions, as tui-meta ls names them",
            consume_multiple=True,
            metavar="ID",
            negative=(),
        ),
    ],
    /,
) -> int:
    """Save and end sessions."""
    from tui_meta.cli.commands.sessions import stop_sessions

    return stop_sessions(ids)


@app.command(
    sort_key=2.4,
    help_epilogue=(
        "Orders: pause, resume, step [N], save, evaluate [random | standard | half-range |\n"
        "compare], pace [N | full], extend. Exit code: 0 if all runs did it, 2 if one did not.\n"
        "Example: tui-meta send 1 step 10\n"
    ),
)
def send(
    id: SessionId,
    words: Annotated[
        list[str],
        Parameter(help="What to do", consume_multiple=True, metavar="ORDER", negative=()),
    ],
    /,
    *,
    run: Annotated[
        str | None, Parameter(help="The one that does it; without it, all", metavar="NAME")
    ] = None,
) -> int:
    """Do from a script what the keys of the dashboard do."""
    from tui_meta.cli.commands.send import send

    return send(id, words, run)


@app.command(sort_key=2.5, help_epilogue="Example: tui-meta watch 1 --json > events.jsonl\n")
def watch(id: AnySession = None, /, *, json: JsonEvents = False) -> int:
    """Tell line by line what a session does, until it or all of its runs have ended."""
    from tui_meta.cli.commands.watch import watch

    return watch(id, as_json=json)


@app.command(
    name="eval",
    sort_key=3,
    help_epilogue="Example: tui-meta eval checkpoints/fomaml-source checkpoints/fomaml-mine\n",
)
def evaluate(
    paths: Paths,
    /,
    *,
    tasks: Tasks = 1_000,
    seed: TaskSeed = 0,
    device: Device = "auto",
    json: JsonResult = False,
) -> int:
    """Show what runs have learned: the three evaluations, and statistics over many tasks."""
    from tui_meta.cli.commands.evaluate import evaluate

    with ending_at_once():
        return evaluate(paths, n_tasks=tasks, seed=seed, device=device, as_json=json)


@app.command(
    sort_key=4,
    help_epilogue="Example: tui-meta compare checkpoints/fomaml-mine checkpoints/reptile-mine\n",
)
def compare(
    first: Annotated[Path, Parameter(help="Run folder or checkpoint file A")],
    second: Annotated[Path, Parameter(help="Run folder or checkpoint file B")],
    /,
    *,
    tasks: Tasks = 1_000,
    seed: TaskSeed = 0,
    device: Device = "auto",
    json: JsonResult = False,
) -> int:
    """Compare two runs on the same random tasks, in pairs, with 95 % intervals."""
    from tui_meta.cli.commands.compare import compare

    with ending_at_once():
        return compare(first, second, n_tasks=tasks, seed=seed, device=device, as_json=json)


@app.command(
    sort_key=5,
    help_epilogue=(
        "Through a pipe: a line for each run, with tabs between name, algorithm, state,\n"
        "iteration, target, best loss, its iteration, age in seconds, and who trains it\n"
        "or what is wrong with it.\n"
    ),
)
def runs(
    folder: Annotated[Path, Parameter(help="Folder with runs")] = Path("checkpoints"),
    /,
    *,
    sort: Annotated[
        Literal["age", "name", "state", "iteration", "best"], Parameter(help="What comes first")
    ] = "age",
    json: JsonResult = False,
) -> int:
    """List runs: state, iteration, best loss, and how long ago something last happened."""
    from tui_meta.cli.commands.runs import runs

    return runs(folder, sort=sort, as_json=json)


@app.command(sort_key=6, help_epilogue="Example: tui-meta show checkpoints/fomaml-source\n")
def show(path: Annotated[Path, Parameter(help="Run folder, or a checkpoint file in it")], /) -> int:
    """Show one run: settings, origin, checkpoints, evaluations and loss curve."""
    from tui_meta.cli.commands.show import show

    return show(path)


@app.command(
    sort_key=7,
    help_epilogue="Example: tui-meta export checkpoints/fomaml-source --to parquet\n",
)
def export(
    path: Annotated[Path, Parameter(help="Run folder")],
    /,
    *,
    to: Annotated[Literal["csv", "parquet", "tensorboard"], Parameter(help="Format")],
    out: Annotated[
        Path | None,
        Parameter(
            help="File, or folder for it; with tensorboard the folder of its logs. Without it, "
            "a file with the run's name, or the folder tensorboard",
            metavar="FILE_OR_FOLDER",
        ),
    ] = None,
    force: Annotated[
        bool, Parameter(help="Replace a file that exists", negative=(), show_default=False)
    ] = False,
) -> int:
    """Write the losses of training and of evaluations to a file for other tools."""
    from tui_meta.cli.commands.export import export

    return export(path, to=to, out=out, force=force)


@app.command(
    sort_key=8,
    help_epilogue="Exit code: 0 if settings and results are the same, 1 if not, 2 for an error.\n",
)
def diff(
    first: Annotated[Path, Parameter(help="Run folder A")],
    second: Annotated[Path, Parameter(help="Run folder B")],
    /,
) -> int:
    """Show which settings, versions and results of two runs differ."""
    from tui_meta.cli.commands.diff import diff

    return diff(first, second)


@app.command(
    name="rm",
    sort_key=9,
    help_epilogue="Example: tui-meta rm checkpoints/fomaml-mine checkpoints/reptile-mine\n",
)
def remove(
    paths: Annotated[
        list[Path],
        Parameter(help="Run folders", consume_multiple=True, metavar="PATH", negative=()),
    ],
    /,
    *,
    yes: Annotated[bool, Parameter(help="Do not ask", negative=(), show_default=False)] = False,
) -> int:
    """Delete runs: the files that tui-meta has made, and never a run that is being trained."""
    from tui_meta.cli.commands.remove import remove

    return remove(paths, yes=yes)


def main(tokens: Sequence[str] | None = None) -> int:
    """Run the command line ``tokens``, by default those of the process; gives the exit code.

    What a person can cause becomes one line on standard error.
    """
    configure_stdio()
    try:
        code: int | None = app(tokens, exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except CycloptsError as error:
        print_error(describe_usage_error(error, COMMANDS))
        return Exit.REFUSED
    except LabError as error:
        print_error(describe_error(error))
        return Exit.REFUSED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        flush_stdio()
        return Exit.PIPE_CLOSED
    except OSError as error:
        print_error(f"{error.filename or 'standard output'}: {error.strerror or error}")
        flush_stdio()
        return Exit.REFUSED
    return code or Exit.DONE


def _manner(*, no_tui: bool, json: bool, detach: bool) -> OutputMode:
    if detach:
        if json:
            raise LabError("--json cannot be combined with --detach; use tui-meta watch ID --json")
        return "detached"
    if json:
        return "json"
    return "lines" if no_tui else "dashboard"
