"""Time of a meta-iteration beside other implementations, and the share of the machine's peak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from benchmarks.environment import avx2_only, has_avx512
from benchmarks.peers.process import PeerError, PeerProcess
from benchmarks.protocol import ALGORITHMS
from benchmarks.report import Cell, Section, Table
from benchmarks.rounds import Effort, Spread, alternate, ratios

OURS = "fused"
PEAK = "peak"
ALL = ("higher", "learn2learn", "plain", "torch", "jax", OURS, PEAK)

Times = dict[tuple[str, str], list[float]]
"""Microseconds of each round by peer and algorithm."""


def speed(effort: Effort) -> Section:
    """Measure every peer on one thread, used as its users would."""
    return _compare("Speed: the source's protocol on one thread", ALL, {}, effort)


def avx2(effort: Effort) -> Section:
    """Measure the fast peers again without AVX-512."""
    fast = ("torch", "jax", OURS, PEAK)
    if not has_avx512():
        return _compare("Speed on a processor without AVX-512", fast, {}, effort)
    section = _compare("Speed with AVX2 forced", fast, avx2_only(), effort)
    forced = (
        "forced by `NUMBA_CPU_NAME` and `NUMBA_CPU_FEATURES` (fused, peak), "
        "`XLA_FLAGS=--xla_cpu_max_isa=AVX2` (JAX) and `ATEN_CPU_CAPABILITY` with its companions "
        "(torch)"
    )
    return Section(section.title, section.tables, [forced, *section.notes])


def _compare(title: str, names: Sequence[str], extra: Mapping[str, str], effort: Effort) -> Section:
    with ExitStack() as stack:
        peers, notes = _start(stack, names, extra, effort.seconds)
        candidates = {
            (name, algorithm): lambda peer=peer, algorithm=algorithm: peer.microseconds(algorithm)
            for algorithm in ALGORITHMS
            for name, peer in peers.items()
            if algorithm in peer.entry.algorithms
        }
        times = alternate(candidates, effort.rounds)
        tables = [_times_table(peers, times), _peak_table(peers, times)]
    return Section(title, tables, [*_NOTES, *notes])


_NOTES = (
    "slower than fused: time of a peer relative to the engine `fused` of this project in the same "
    "round",
    "threads: processor seconds per second of wall time, over both algorithms",
    "plain PyTorch, learn2learn's algorithm and `higher` draw their batches task by task as in the "
    "source; JAX receives each chunk of 1,000 from NumPy, which is faster than `jax.random` within "
    "the scan; the engines of this project draw theirs by counter. All times include the drawing",
    "the multiply-add peak: the time that the 64 x 64 layer's products alone (FOMAML 4.42 MFLOP, "
    "Reptile 1.23 MFLOP) would take at the rate of a loop that only multiplies and adds in "
    "registers, measured in the same rounds",
)


def _start(
    stack: ExitStack, names: Sequence[str], extra: Mapping[str, str], seconds: float
) -> tuple[dict[str, PeerProcess], list[str]]:
    """Start and warm up the peers; return them, and notes about those that failed to start."""
    peers, notes = {}, []
    for name in names:
        try:
            peer = stack.enter_context(PeerProcess(name, extra))
            peer.warm_up(seconds)
            peers[name] = peer
        except PeerError as error:
            notes.append(f"not measured: {error}")
    return peers, notes


def _times_table(peers: Mapping[str, PeerProcess], times: Times) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, peer in peers.items():
        cells: list[Cell] = [peer.entry.title]
        for algorithm in ALGORITHMS:
            found, ours = times.get((name, algorithm)), times.get((OURS, algorithm))
            cells.append(Spread.of(found) if found else None)
            cells.append(ratios(found, ours) if found and ours and name != OURS else None)
        rows.append((*cells, peer.threads))
    columns = ("", "FOMAML, µs", "slower than fused", "Reptile, µs", "slower than fused", "threads")
    return Table("Time of a meta-iteration", columns, rows)


def _peak_table(peers: Mapping[str, PeerProcess], times: Times) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, peer in peers.items():
        measured = all((name, algorithm) in times for algorithm in ALGORITHMS)
        if measured and name != PEAK and PEAK in peers:
            shares = [ratios(times[PEAK, a], times[name, a]) for a in ALGORITHMS]
            rows.append((peer.entry.title, *shares))
    return Table("Share of the machine's multiply-add peak", ("", "FOMAML", "Reptile"), rows)
