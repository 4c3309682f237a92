"""What a protocol is. No NumPy is imported: ``--help`` reads the names of protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.evaluation_protocol import ProtocolName
from core.reproduction.published import Published

Settings = Mapping[str, Any]
"""Settings in the shape of a configuration file."""


TASKS = 10_000
"""Tasks of an evaluation, as many as the publication with the most has."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """A network that a publication trains: with ``algorithm``, and with ``settings`` of its own."""

    name: str
    algorithm: str
    settings: Settings = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How the networks of a publication are trained and evaluated, and the losses that it gives.

    ``settings`` are those of all its ``methods``. The evaluation is the named one, with the shots
    and steps of each row of ``published``.
    """

    name: str
    version: int = 1
    publication: str
    url: str = ""
    settings: Settings
    methods: Sequence[Method]
    evaluation: ProtocolName
    published: Sequence[Published]

    @property
    def defaults(self) -> Settings:
        """The settings, and the algorithms to train: what a configuration file would have."""
        algorithms = [one.algorithm for one in self.methods if not one.settings]
        return {"algorithms": algorithms, **self.settings}


def algorithms(*names: str) -> tuple[Method, ...]:
    """Return methods that are algorithms without settings of their own."""
    return tuple(Method(name=name, algorithm=name) for name in names)
