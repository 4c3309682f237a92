"""The sub-commands, a file each; ``tui_meta.cli.definitions`` imports one when it is called."""
