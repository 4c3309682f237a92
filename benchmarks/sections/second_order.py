"""Time of a meta-iteration with second derivatives, beside JAX and beside FOMAML."""

from __future__ import annotations

from contextlib import ExitStack

from benchmarks.peers.process import PeerProcess
from benchmarks.protocol import SECOND_ORDER
from benchmarks.report import Cell, Section, Table
from benchmarks.rounds import Effort, Spread, alternate, ratios

OURS, JAX = "fused-second-order", "jax-second-order"


def second_order(effort: Effort) -> Section:
    """Measure MAML, ANIL and Meta-SGD under the source's and Finn's protocol."""
    with ExitStack() as stack:
        peers = {name: stack.enter_context(PeerProcess(name, {})) for name in (OURS, JAX)}
        for peer in peers.values():
            peer.warm_up(effort.seconds)
        candidates = {
            (name, algorithm): lambda peer=peer, algorithm=algorithm: peer.microseconds(algorithm)
            for algorithm in ("fomaml", *SECOND_ORDER)
            for name, peer in peers.items()
            if algorithm in peer.entry.algorithms
        }
        times = alternate(candidates, effort.rounds)
    fomaml = times[OURS, "fomaml"]
    rows: list[tuple[Cell, ...]] = [("fomaml", Spread.of(fomaml), None, None, None)]
    rows += [
        (
            algorithm,
            Spread.of(times[OURS, algorithm]),
            Spread.of(times[JAX, algorithm]),
            ratios(times[JAX, algorithm], times[OURS, algorithm]),
            None if "," in algorithm else ratios(times[OURS, algorithm], fomaml),
        )
        for algorithm in SECOND_ORDER
    ]
    columns = ("", "fused, µs", "JAX, µs", "JAX / fused", "fused / FOMAML, fused")
    return Section(
        "Second derivatives: one thread",
        [Table("Time of a meta-iteration", columns, rows)],
        [
            "without a protocol's name: that of the source, 3 tasks of 10 support and 50 query "
            "points, 1-64-64-1, tanh",
            "finn2017: 25 tasks of 10 support and 10 random query points, 1-40-40-1, ReLU, Adam",
            "JAX: jit over lax.scan, reverse over reverse, vmap over tasks; its batches come from "
            "NumPy in chunks of 1,000",
        ],
    )
