"""The application of the command line, before it has any command."""

from __future__ import annotations

from typing import Any

from cyclopts import App

from core.version import VERSION
from tui_meta.cli.home import needing_home
from tui_meta.console import Output

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
