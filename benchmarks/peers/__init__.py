"""The peers: other implementations, one per file, each measured in a process of its own."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Protocol, cast

from benchmarks.protocol import SECOND_ORDER


class Peer(Protocol):
    """Trains by the source's protocol and keeps its state from call to call."""

    chunk: int
    """Iterations that are computed together; ``run`` takes multiples of it."""

    def run(self, algorithm: str, iterations: int) -> None:
        """Run meta-iterations of one of its ``algorithms``, including the drawing of the data."""


@dataclass(frozen=True)
class PeerEntry:
    """A peer that can be measured.

    ``target`` is its class, as "module:class"; ``extra_packages`` is True if it needs the packages
    of ``benchmarks/.venv``.
    """

    title: str
    target: str
    algorithms: tuple[str, ...] = ("fomaml", "reptile")
    extra_packages: bool = False

    def make(self) -> Peer:
        """Create the peer."""
        module, name = self.target.split(":")
        return cast(Peer, getattr(importlib.import_module(f"benchmarks.peers.{module}"), name)())


PEERS = {
    "higher": PeerEntry("higher", "higher:Higher", ("fomaml",), extra_packages=True),
    "learn2learn": PeerEntry(
        "learn2learn's algorithm (its clone-and-adapt update, written for this benchmark)",
        "learn2learn:Learn2Learn",
        ("fomaml",),
    ),
    "plain": PeerEntry("plain PyTorch, a port of the source", "plain:Plain"),
    "torch": PeerEntry("this project, engine torch (batched over tasks)", "engines:TorchPeer"),
    "jax": PeerEntry("JAX, jit over lax.scan", "jax_scan:JaxScan", extra_packages=True),
    "fused": PeerEntry("this project, engine fused", "engines:FusedPeer"),
    "jax-second-order": PeerEntry(
        "JAX, jit over lax.scan",
        "jax_second_order:JaxSecondOrder",
        tuple(SECOND_ORDER),
        extra_packages=True,
    ),
    "fused-second-order": PeerEntry(
        "this project, engine fused", "engines:SecondOrderPeer", ("fomaml", *SECOND_ORDER)
    ),
    "peak": PeerEntry("the multiply-add peak", "peak:Peak"),
}
"""The peers by name, in the order of the table; ``peak`` is the arithmetic limit."""
