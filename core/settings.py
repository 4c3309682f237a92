"""Fields of the dataclasses that users configure: a default and a help text each."""

import dataclasses
from typing import Any


def setting(default: Any = dataclasses.MISSING, *, help: str, added: bool = False) -> Any:
    """Return a dataclass field with a help text; without ``default``, subclasses give one.

    Unlike a docstring below the field, the text exists without sources and needs no parsing, which
    took 80 ms of each start. One that was ``added`` after version 0.1 is left out of files while it
    has its default, so that they have the bytes of that version.
    """
    return dataclasses.field(default=default, metadata={"help": help, "added": added})


def drop_added(settings: Any, plain: dict[str, Any]) -> None:
    """Remove from ``plain``, the values of ``settings``, those that files leave out."""
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if field.metadata.get("added") and value == field.default:
            plain.pop(field.name, None)
        elif dataclasses.is_dataclass(value):
            drop_added(value, plain[field.name])
        elif isinstance(value, tuple):
            for one, of in zip(value, plain[field.name], strict=True):
                if dataclasses.is_dataclass(one):
                    drop_added(one, of)


def help_texts(kind: type) -> dict[str, str]:
    """Return the help texts of a dataclass: of each field its own, or that of a base."""
    bases = [base for base in reversed(kind.__mro__) if dataclasses.is_dataclass(base)]
    fields = [field for base in bases for field in dataclasses.fields(base)]
    return {field.name: field.metadata["help"] for field in fields if "help" in field.metadata}
