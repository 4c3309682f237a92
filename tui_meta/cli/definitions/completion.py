"""The command that installs completion; importing what it needs takes 10 ms."""

from cyclopts.completion.install import create_install_completion_command

from tui_meta.cli.definitions.app import app
from tui_meta.cli.home import needing_home

install_completion = needing_home(
    create_install_completion_command(app.install_completion, add_to_startup=True)
)
