"""Flags of ``eval`` and ``compare`` to evaluation protocols."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any

from core.errors import ConfigError
from core.evaluation_protocol import EvaluationProtocol, ProtocolName, named_protocol
from core.tasks.family import TaskFamily
from tui_meta.cli.settings import naming_flags

TASKS = {"tasks", "seed"}
"""Flags that choose the tasks of any protocol."""


def joined_steps(words: Iterable[str]) -> list[str]:
    """Return a command line with commas between the numbers after ``--steps``.

    Paths may follow, which the parser would take for further numbers.
    """
    joined: list[str] = []
    for word in words:
        if joined[-2:-1] == ["--steps"] and re.fullmatch(r"[\d,]+", word):
            joined[-1] += f",{word}"
        else:
            joined.append(word)
    return joined


def is_chosen(given: Mapping[str, Any]) -> bool:
    """Return True if flags describe a protocol, not just the tasks."""
    return not given.keys() <= TASKS


def chosen_protocol(given: Mapping[str, Any], tasks: TaskFamily) -> EvaluationProtocol:
    """Return what the flags ``given`` make of the protocol that they name, or of "source".

    ``tasks`` are those that the networks were trained on. Raises ``ConfigError``.
    """
    settings = {name: value for name, value in given.items() if name != "protocol"}
    try:
        return dataclasses.replace(
            named_protocol(given.get("protocol", "source"), tasks), **settings
        )
    except ConfigError as error:
        raise naming_flags(error, given) from error


def every_step(
    given: Mapping[str, Any], name: ProtocolName, tasks: TaskFamily
) -> EvaluationProtocol:
    """Return the protocol ``name`` on the tasks of ``given``, with the loss after every step."""
    protocol = chosen_protocol({**given, "protocol": name}, tasks)
    return dataclasses.replace(protocol, steps=tuple(range(1, protocol.last_step + 1)))


def protocol_lines(
    given: Mapping[str, Any], protocol: EvaluationProtocol, tasks: TaskFamily, networks: int
) -> tuple[str, str]:
    """Return a title for the results of so many networks, and further settings of ``protocol``."""
    name = given.get("protocol")
    others = {key: value for key, value in given.items() if key in {"protocol", *TASKS}}
    is_named = name and chosen_protocol(others, tasks) == protocol
    title = f"{name}: loss" if is_named else "Loss"
    lr = "inner lr of each run" if protocol.inner_lr is None else f"inner lr {protocol.inner_lr:g}"
    same = "the same " if networks > 1 else ""
    family = protocol.family or tasks
    intervals = {**family.described, "x": family.x}
    ranges = (f"{key} {low:.4g} to {high:.4g}" for key, (low, high) in intervals.items())
    query = ["random query points"] if protocol.query == "random" else []
    noise = [f"noise {protocol.noise:g}"] if protocol.noise else []
    return (
        f"{title} on {same}{protocol.tasks:,} random tasks, {protocol.support}",
        ", ".join((lr, *ranges, *query, *noise)),
    )
