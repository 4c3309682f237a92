"""The version of this program, also where it runs from a checkout that is not installed."""

VERSION = "0.1.0"

NAME_AND_VERSION = f"tui-meta {VERSION}"
"""What ``tui-meta --version`` prints."""
