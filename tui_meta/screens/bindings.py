"""Turns the table of keys into bindings of the terminal library."""

from collections.abc import Iterable

from textual.binding import Binding, BindingType

from tui_meta.views.keys.table import Key


def bindings(keys: Iterable[Key]) -> list[BindingType]:
    """One binding for each key; its tooltip is what the help says of it."""
    return [
        Binding(key.names, key.action, key.label, tooltip=key.help, id=key.name) for key in keys
    ]
