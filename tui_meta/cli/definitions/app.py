"""The application of the command line, before it has any command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from cyclopts import App, ArgumentCollection

from core.version import NAME_AND_VERSION
from tui_meta.cli.definitions.help import arguments_of, print_help

EXAMPLES = """\
Examples:
  tui-meta                                   train both, in the dashboard
  tui-meta --seed 3 --network.hidden 40 40   change settings
  tui-meta --seeds 3 --sweep reptile.inner-lr=0.01,0.02    nine runs side by side
  tui-meta --config my.toml --pace 100       read settings from a file
  tui-meta config --seed 3 > my.toml         write such a file
  tui-meta --algorithms maml --check         compare its gradient with autograd
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


MORE = """\
The settings of the other algorithms and task families: tui-meta train --help

"""


class CommandLine(App):
    """An application that prints help and version without Rich.

    Its default command takes the settings that default runs have, or all of them.
    """

    @contextmanager
    def every_setting(self) -> Iterator[None]:
        """Take the settings of every algorithm and task family while entered."""
        from tui_meta.cli.definitions.every_setting import train

        common, self.default_command = self.default_command, train
        try:
            yield
        finally:
            self.default_command = common

    def assemble_argument_collection(self, **_given: Any) -> ArgumentCollection:
        return arguments_of(self)  # for the parser too, which needs nothing else

    def generate_completion(self, **given: Any) -> str:
        with self.every_setting():
            return super().generate_completion(**given)

    def help_print(self, tokens: str | Iterable[str] | None = None, *, console: Any = None) -> None:
        command, _, _ = self.parse_commands(tokens)
        print_help(self, command)

    def version_print(self, console: Any = None) -> None:
        print(self.version)


# Help texts are arguments: Python removes docstrings under PYTHONOPTIMIZE=2.
app = CommandLine(
    name="tui-meta",
    help="Watch FOMAML and Reptile learn few-shot sine regression, live in a terminal.",
    help_format="plaintext",
    help_epilogue=MORE + EXAMPLES,
    usage="Usage: tui-meta [COMMAND] [OPTIONS]",
    version=NAME_AND_VERSION,
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
