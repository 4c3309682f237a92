"""The command line. Nothing heavy is imported before a command is known to be valid."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, CycloptsError, Parameter

from core.errors import LabError
from core.version import VERSION
from tui_meta.app.crash import crash_line
from tui_meta.app.signals import interrupt_at_once
from tui_meta.cli.errors import describe_error, describe_usage_error
from tui_meta.cli.home import expanded, needing_home
from tui_meta.cli.parameters import (
    AnySession,
    ConfigFile,
    Dashboard,
    Detach,
    Device,
    DryRun,
    JsonEvents,
    JsonResult,
    NoTui,
    Pace,
    Paths,
    Protocol,
    SessionId,
    Settings,
    WatchedJson,
    several,
    switch,
)
from tui_meta.cli.protocols import joined_steps
from tui_meta.cli.settings import whole_numbers
from tui_meta.console import (
    Exit,
    Output,
    configure_stdio,
    describe_os_error,
    flush_stdio,
    is_closed_output,
    print_error,
)

if TYPE_CHECKING:
    from tui_meta.cli.commands.train import OutputMode

EXAMPLES = """\
Examples:
  tui-meta                                   train both, in the dashboard
  tui-meta --seed 3 --network.hidden 40 40   change settings
  tui-meta --seeds 3 --sweep reptile.inner-lr=0.01,0.02    nine runs side by side
  tui-meta --config my.toml --pace 100       read settings from a file
  tui-meta config --seed 3 > my.toml         write such a file
  tui-meta --no-tui --json > log.jsonl       train without the dashboard
  tui-meta --detach                          train in the background
  tui-meta attach                            view running training
  tui-meta resume checkpoints/fomaml-mine    resume a run
  tui-meta eval checkpoints/fomaml-source    evaluate a run
  tui-meta runs                              list runs

In a TOML configuration file, put seed = 3 at the top level and inner_lr = 0.01
under [fomaml] or [reptile]; also [network], [waves] and [validation]. Values
under [sweep] are lists, and each [[runs]] has a name, an algorithm and settings.
Flags override the file.
"""

# Help texts are arguments: Python removes docstrings under PYTHONOPTIMIZE=2.
app = App(
    name="tui-meta",
    help="Watch FOMAML and Reptile learn few-shot sine regression, live in a terminal.",
    help_format="plaintext",
    help_epilogue=EXAMPLES,
    usage="Usage: tui-meta [COMMAND] [OPTIONS]",
    version=f"tui-meta {VERSION}",
    console=Output(),
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
app.register_install_completion_command(help="Install completion for your shell.")


_completion: Any = app["--install-completion"]
_completion.default_command = needing_home(_completion.default_command)


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
    dashboard: Dashboard = {},  # noqa: B006  (only read)
) -> int:
    from tui_meta.cli.commands.train import train

    mode = _mode(no_tui=no_tui, json=json, detach=detach)
    return train(settings, config, mode, dashboard, dry_run=dry_run)


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
    dashboard: Dashboard = {},  # noqa: B006  (only read)
) -> int:
    from tui_meta.cli.commands.train import resume

    mode = _mode(no_tui=no_tui, json=json, detach=detach)
    return resume(paths, iterations, pace, mode, dashboard)


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


@app.command(
    name="eval",
    sort_key=3,
    help_epilogue=(
        "Examples:\n"
        "  tui-meta eval checkpoints/fomaml-source checkpoints/fomaml-mine\n"
        "  tui-meta eval checkpoints/fomaml-source --shots 5 --steps 1,5,10\n"
        "  tui-meta eval checkpoints/fomaml-source --protocol finn-5-shot\n"
    ),
    help="Evaluate runs: three reference evaluations, or one few-shot protocol.",
)
def evaluate(
    paths: Paths,
    /,
    *,
    protocol: Protocol = {},  # noqa: B006  (only read)
    device: Device = "auto",
    json: JsonResult = False,
) -> int:
    from tui_meta.cli.commands.evaluate import evaluate

    with interrupt_at_once():
        return evaluate(paths, protocol, device=device, as_json=json)


@app.command(
    sort_key=4,
    help_epilogue="Example: tui-meta compare checkpoints/fomaml-mine checkpoints/reptile-mine\n",
    help="Paired comparison of two runs on the same tasks, with 95% confidence intervals.",
)
def compare(
    first: Annotated[Path, Parameter(help="First run (folder or checkpoint), A")],
    second: Annotated[Path, Parameter(help="Second run (folder or checkpoint), B")],
    /,
    *,
    protocol: Protocol = {},  # noqa: B006  (only read)
    device: Device = "auto",
    json: JsonResult = False,
) -> int:
    from tui_meta.cli.commands.compare import compare

    with interrupt_at_once():
        return compare(first, second, protocol, device=device, as_json=json)


@app.command(
    sort_key=5,
    help_epilogue=(
        "When piped: tab-separated name, algorithm, state, iteration, target, best loss,\n"
        "its iteration, age in seconds, and the training process or the problem.\n"
    ),
    help="List runs: state, iteration, best loss and last activity.",
)
def runs(
    folder: Annotated[Path, Parameter(help="Parent folder of runs")] = Path("checkpoints"),
    /,
    *,
    sort: Annotated[
        Literal["age", "name", "state", "iteration", "best"], Parameter(help="Sort order")
    ] = "age",
    json: JsonResult = False,
) -> int:
    from tui_meta.cli.commands.runs import runs

    return runs(folder, sort=sort, as_json=json)


@app.command(
    sort_key=6,
    help_epilogue="Example: tui-meta show checkpoints/fomaml-source\n",
    help="Show one run: settings, provenance, checkpoints, evaluations and loss curve.",
)
def show(path: Annotated[Path, Parameter(help="Run folder, or a checkpoint file in it")], /) -> int:
    from tui_meta.cli.commands.show import show

    return show(path)


@app.command(
    sort_key=7,
    help_epilogue="Example: tui-meta export checkpoints/* --to parquet\n",
    help="Export training, validation and evaluation losses for other tools.",
)
def export(
    paths: Annotated[list[Path], several("Run folders", "PATH")],
    /,
    *,
    to: Annotated[Literal["csv", "parquet", "tensorboard"], Parameter(help="Format")],
    out: Annotated[
        str | None,
        Parameter(
            help="Output file or folder, - for standard output; for tensorboard, the log "
            "directory (default: RUN.csv or RUN.parquet, of several runs.csv or runs.parquet; "
            "tensorboard/)",
            metavar="PATH",
            allow_leading_hyphen=True,
        ),
    ] = None,
    force: Annotated[bool, switch("Overwrite an existing file")] = False,
) -> int:
    from tui_meta.cli.commands.export import export

    return export(paths, to=to, out=out, force=force)


@app.command(
    name="config",
    sort_key=7.5,
    help_epilogue=("Example: tui-meta config --seed 3 > my.toml; tui-meta --config my.toml\n"),
    help="Print all settings as a TOML file for --config.",
)
def show_config(*, config: ConfigFile = None, settings: Settings = {}) -> int:  # noqa: B006
    from tui_meta.cli.commands.config import show_config

    return show_config(settings, config)


@app.command(
    sort_key=8,
    help_epilogue="Exit code: 0 if settings and results are identical, 1 if not, 2 for errors.\n",
    help="Show differences in settings, versions and results between two runs.",
)
def diff(
    first: Annotated[Path, Parameter(help="First run folder, A")],
    second: Annotated[Path, Parameter(help="Second run folder, B")],
    /,
) -> int:
    from tui_meta.cli.commands.diff import diff

    return diff(first, second)


@app.command(
    name="rm",
    sort_key=9,
    help_epilogue="Example: tui-meta rm checkpoints/fomaml-mine checkpoints/reptile-mine\n",
    help="Delete runs (only files created by tui-meta, never a run in training).",
)
def remove(
    paths: Annotated[list[Path], several("Run folders", "PATH")],
    /,
    *,
    yes: Annotated[bool, switch("Skip the confirmation")] = False,
) -> int:
    from tui_meta.cli.commands.remove import remove

    return remove(paths, yes=yes)


COMMANDS = [name for name in app if not name.startswith("-")]


def main(tokens: Sequence[str] | None = None) -> int:
    """Run the command line ``tokens``, by default that of the process, and return the exit code.

    Errors that users can cause become one line on standard error.
    """
    configure_stdio()
    # NumPy's threads are not used here, and wait busily: a third of the time of many a start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        words = [expanded(token) for token in (sys.argv[1:] if tokens is None else tokens)]
        words = joined_steps(words)
        code: int | None = app(words, exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except CycloptsError as error:
        print_error(describe_usage_error(error, COMMANDS))
        return Exit.REFUSED
    except LabError as error:
        print_error(describe_error(error))
        return Exit.REFUSED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except OSError as error:
        closed = is_closed_output(error)
        if not closed:
            print_error(describe_os_error(error))
        flush_stdio()
        return Exit.PIPE_CLOSED if closed else Exit.REFUSED
    except Exception as error:
        print_error(crash_line(error, "this command"))
        flush_stdio()
        return Exit.FAILED
    return code or Exit.DONE


def _mode(*, no_tui: bool, json: bool, detach: bool) -> OutputMode:
    if detach:
        if json:
            raise LabError("--json cannot be combined with --detach; use tui-meta watch ID --json")
        return "detached"
    if json:
        return "json"
    return "lines" if no_tui else "dashboard"
