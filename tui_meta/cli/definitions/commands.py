"""The commands, in the order of the help page, and what it says about each.

A function of a command, with its arguments and flags, is imported when it is needed: the help of
the program needs that of ``training.train`` alone.
"""

from __future__ import annotations

from tui_meta.cli.definitions.app import EXAMPLES, app
from tui_meta.cli.definitions.training import train


def _register(name: str, function: str, help: str, epilogue: str | None = None) -> None:
    """Add the command ``name``, which calls ``function``, a module of this package and a name."""
    app.command(
        f"{__package__}.{function}",
        name=name,
        help=help,
        help_epilogue=epilogue,
        sort_key=len([*app]),
    )


app.default(train)
_register(
    "train",
    "every_setting:train",
    "Train from scratch (default command).",
    EXAMPLES,
)
_register(
    "resume",
    "training:resume",
    "Resume runs from their latest save or from a given checkpoint.",
    "Example: tui-meta resume checkpoints/fomaml-mine --iterations 100000\n",
)
_register(
    "sweep",
    "every_setting:sweep",
    "Train many runs into one folder, without the dashboard, on all processors.",
    "Without settings, an interrupted sweep continues; with more seeds or values it\n"
    "is extended. A job array trains a part in each job, as --shard 1/8 to --shard 8/8.\n"
    "Exit code: 0 if all runs finished, 1 if some diverged or failed.\n"
    "Examples:\n"
    "  tui-meta sweep rates --seeds 5 --sweep reptile.inner-lr=0.005,0.01,0.02\n"
    "  tui-meta sweep rates --watch\n",
)
_register(
    "reproduce",
    "training:reproduce",
    "Train what publications trained, and print their losses beside ours, with verdicts.",
    "An interrupted command continues, and trains no run twice.\n"
    "Exit code: 0 if all runs finished, 1 if some diverged or failed.\n"
    "Examples:\n"
    "  tui-meta reproduce finn2017 --seeds 5\n"
    "  tui-meta reproduce --iterations 1000\n"
    "  tui-meta sweep reproduction --watch\n",
)
_register(
    "attach",
    "training:attach",
    "Attach to a running session (detached, or open elsewhere).",
    "Example: tui-meta attach 1\n",
)
_register(
    "ls",
    "training:list_sessions",
    "List running sessions on this machine.",
    "When piped: tab-separated id, runs, seconds since the start, and viewers.\n",
)
_register(
    "stop",
    "training:stop",
    "Stop sessions after saving.",
    "Example: tui-meta stop 1\n",
)
_register(
    "send",
    "training:send",
    "Send a dashboard command to a session from a script.",
    "Commands: pause, resume, step [N], save, evaluate [random | standard |\n"
    "half-range | compare], pace [N | full], extend, add [SETTING=VALUE ...].\n"
    "add begins another run, with the settings of --run (default: the first) but for\n"
    "those that are named; name=NAME and algorithm=NAME are settings too.\n"
    "Exit code: 0 if all runs accepted, 2 otherwise.\n"
    "Examples:\n"
    "  tui-meta send 1 step 10\n"
    "  tui-meta send 1 add reptile.inner-lr=0.005\n",
)
_register(
    "watch",
    "training:watch",
    "Stream a session's events as text until it ends.",
    "Example: tui-meta watch 1 --json > events.jsonl\n",
)
_register(
    "eval",
    "runs:evaluate",
    "Evaluate runs: three reference evaluations, or one few-shot protocol.",
    "Examples:\n"
    "  tui-meta eval checkpoints/fomaml-source checkpoints/fomaml-mine\n"
    "  tui-meta eval checkpoints/fomaml-source --shots 5 --steps 1,5,10\n"
    "  tui-meta eval checkpoints/fomaml-source --protocol finn-5-shot\n",
)
_register(
    "compare",
    "runs:compare",
    "Paired comparison of two runs on the same tasks, with 95% confidence intervals.",
    "Example: tui-meta compare checkpoints/fomaml-mine checkpoints/reptile-mine\n",
)
_register(
    "runs",
    "runs:runs",
    "List runs: settings that differ, state, iteration, validation loss, last activity.",
    "When piped: tab-separated name, algorithm, state, iteration, target, best validation\n"
    "loss, its iteration, age in seconds, the training process or the problem, and the ends\n"
    "of the 95% interval of that loss.\n",
)
_register(
    "show",
    "runs:show",
    "Show one run: settings, provenance, checkpoints, evaluations and loss curve.",
    "Example: tui-meta show checkpoints/fomaml-source\n",
)
_register(
    "export",
    "runs:export",
    "Export training, validation and evaluation losses for other tools.",
    "Example: tui-meta export checkpoints/* --to parquet\n",
)
_register(
    "config",
    "every_setting:show_config",
    "Print all settings as a TOML file for --config.",
    "Example: tui-meta config --seed 3 > my.toml; tui-meta --config my.toml\n",
)
_register(
    "diff",
    "runs:diff",
    "Show differences in settings, versions and results between two runs.",
    "Exit code: 0 if settings and results are identical, 1 if not, 2 for errors.\n",
)
_register(
    "report",
    "runs:report",
    "Report a sweep: means with intervals over seeds, as a table and as a figure.",
    "csv has a row for each run, the others one for each group.\n"
    "Example: tui-meta report rates --to latex --out rates.tex --figure rates.pdf\n",
)
_register(
    "rm",
    "runs:remove",
    "Delete runs (only files created by tui-meta, never a run in training).",
    "Example: tui-meta rm checkpoints/fomaml-mine checkpoints/reptile-mine\n",
)
app.command(
    f"{__package__}.completion:install_completion",
    name="--install-completion",
    help="Install completion for your shell.",
    help_epilogue=EXAMPLES,
)
