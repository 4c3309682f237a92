"""The help page of a command, from its definition."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Literal, cast, get_args, get_origin

from cyclopts import App, Argument, ArgumentCollection, Group
from cyclopts.group import sort_groups
from cyclopts.group_extractors import groups_from_app

from tui_meta.cli.definitions.help_page import Entry, Medium, panel, paragraphs


def print_help(app: App, command: Sequence[str]) -> None:
    """Print the page of ``command``, empty for that of the program."""
    medium = Medium.of(sys.stdout, os.environ)
    print("\n".join(_page(app, command, medium)))


def _page(app: App, command: Sequence[str], medium: Medium) -> Iterator[str]:
    described = app
    for name in command:
        described = described[name]
    arguments = arguments_of(described)
    usage = described.usage or _usage([app.name[0], *command], arguments)
    yield from paragraphs(usage, medium, "usage")
    yield ""
    yield from paragraphs(described.help, medium)
    yield ""
    for group, entries in _panels(described, arguments):
        yield from panel(group.name, entries, medium)
    examples = described.help_epilogue or app.help_epilogue or ""
    yield ""
    yield from paragraphs(examples.rstrip(), medium)


def arguments_of(app: App) -> ArgumentCollection:
    """Return what a command takes."""
    if not app.default_command:
        return ArgumentCollection()
    # Help texts are parameters, except those of commands that cyclopts defines. The public method
    # analyses everything twice, as groups could be named before they are defined.
    found: ArgumentCollection = ArgumentCollection._from_callable(
        app.default_command,
        group_arguments=cast("Group", app._group_arguments),
        group_parameters=cast("Group", app._group_parameters),
        parse_docstring=bool(app.default_command.__doc__),
        _resolve_groups=False,
    )
    return found


def _usage(words: list[str], arguments: ArgumentCollection) -> str:
    shown = arguments.filter_by(show=True)
    flags = [one for one in shown if one.index is None]
    positional = [one for one in shown if one.index is not None]
    words += [_names(one) for one in flags if one.required]
    words += ["[OPTIONS]"] * any(not one.required for one in flags)
    words += [_label(one) for one in positional if one.required]
    words += ["[ARGS]"] * any(not one.required for one in positional)
    return "Usage: " + " ".join(words)


def _panels(app: App, arguments: ArgumentCollection) -> Iterator[tuple[Group, list[Entry]]]:
    """Yield the groups of commands and of arguments in the order of their sort keys."""
    found = [(group, _commands(members)) for group, members in groups_from_app(app)]
    for group in arguments.groups:
        members = arguments.filter_by(group=group, show=True)
        members.sort(key=lambda one: not one.field_info.is_positional)
        found.append((group, list(map(_entry, members))))
    found = [(group, entries) for group, entries in found if entries and group.show]
    groups, panels = sort_groups(*map(list, zip(*found, strict=True)))
    yield from zip(groups, panels, strict=True)


def _commands(members: Sequence[Any]) -> list[Entry]:
    shown = sorted(
        (one.app.sort_key is None, one.app.sort_key or 0, one.names, one.app.help)
        for one in members
        if one.app.show
    )
    return [Entry(_with_aliases(names), help) for _, _, names, help in shown]


def _with_aliases(names: Sequence[str]) -> str:
    first, *others = names
    return f"{first} ({', '.join(others)})" if others else first


def _entry(argument: Argument) -> Entry:
    notes = []
    if choices := argument.get_choices():
        notes.append(f"[choices: {', '.join(choices)}]")
    if default := argument.show_default:
        shown = default if isinstance(default, str) else argument.field_info.default
        notes.append(f"[default: {shown}]")
    help = argument.parameter.help or ""
    return Entry(_names(argument), help, tuple(notes), argument.required)


def _names(argument: Argument) -> str:
    """Return the names as they are typed, the last one with a word for its value."""
    negative = argument.negatives
    names = [name for name in argument.parameter.name or () if name not in negative]
    names.sort(key=lambda name: not name.startswith("--"))
    if argument.index is not None:
        return " ".join([_label(argument), *filter(lambda name: name.startswith("-"), names)])
    return " ".join(filter(None, [*names, _value(argument), *negative]))


def _label(argument: Argument) -> str:
    long = [name for name in argument.names if name.startswith("--")]
    return (long[0] if long else argument.name).lstrip("-").upper()


def _value(argument: Argument) -> str:
    """Return a word for the value of a flag; empty for a switch."""
    if _without_none(argument.hint) is bool:
        return ""
    return argument.parameter.metavar or _word(argument, argument.hint)


def _word(argument: Argument, hint: Any) -> str:
    hint = _without_none(hint)
    inner = get_args(hint)
    if get_origin(hint) is tuple:
        if inner[1] is ...:
            return f"{_word(argument, inner[0])}..."
        return " ".join(_word(argument, one) for one in inner)
    if argument.parameter.choices or get_origin(hint) is Literal:
        return "CHOICE"
    return str(hint.__name__).upper()


def _without_none(hint: Any) -> Any:
    kinds = [kind for kind in get_args(hint) if kind is not type(None)]
    return kinds[0] if len(kinds) == 1 and type(None) in get_args(hint) else hint
