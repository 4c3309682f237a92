"""The sub-commands, a file each; ``tui_meta.cli.main`` imports one when it is called."""
