"""Turns the table of keys into bindings of Textual."""

from collections.abc import Iterable

from textual.binding import Binding, BindingType

from tui_meta.views.keys.table import Key


def bindings(keys: Iterable[Key]) -> list[BindingType]:
    """Return one binding for each key; its tooltip is the text of the help."""
    return [
        Binding(key.names, key.action, key.label, tooltip=key.help, id=key.name) for key in keys
    ]
