"""Who is measured: each peer in one file, behind one adapter, in a process of its own."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Protocol, cast


class Peer(Protocol):
    """Trains by the source's protocol; what it has learned stays in it from call to call."""

    chunk: int
    """Iterations that one call of the peer makes together; ``run`` takes multiples of it."""

    def run(self, algorithm: str, iterations: int) -> None:
        """Meta-iterations of "fomaml" or "reptile", drawing their random data."""


@dataclass(frozen=True)
class Entry:
    """A peer that can be measured.

    ``place`` is its class, as "module:class"; ``own`` says that it runs on the project's packages
    alone.
    """

    title: str
    place: str
    algorithms: tuple[str, ...] = ("fomaml", "reptile")
    own: bool = True

    def make(self) -> Peer:
        """The peer, ready to run."""
        module, name = self.place.split(":")
        return cast(Peer, getattr(importlib.import_module(f"benchmarks.peers.{module}"), name)())


PEERS = {
    "higher": Entry("higher", "higher:Higher", ("fomaml",), own=False),
    "learn2learn": Entry(
        "learn2learn's algorithm (its clone-and-adapt update, written for this benchmark)",
        "learn2learn:Learn2Learn",
        ("fomaml",),
    ),
    "plain": Entry("plain PyTorch, a port of the source", "plain:Plain"),
    "torch": Entry("this project, engine torch (batched over tasks)", "engines:TorchPeer"),
    "jax": Entry("JAX, jit over lax.scan", "jax_scan:JaxScan", own=False),
    "fused": Entry("this project, engine fused", "engines:FusedPeer"),
    "peak": Entry("the multiply-add peak", "peak:Peak"),
}
"""By name, in the order of the table; ``peak`` only multiplies and adds."""
