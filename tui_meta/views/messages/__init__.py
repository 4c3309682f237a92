"""The message log and the status line."""
