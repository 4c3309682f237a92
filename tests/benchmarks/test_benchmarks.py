"""Tests of the benchmarks: peers compute the same as the engine, and reports are correct.

No times are asserted.
"""

from __future__ import annotations

import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.peers import PEERS
from benchmarks.peers.learn2learn import Learn2Learn
from benchmarks.peers.peak import CHAINS, UNROLL, flop, multiply_add
from benchmarks.peers.plain import Plain, network
from benchmarks.protocol import ALGORITHMS, FOMAML, REPTILE
from benchmarks.report import Report, Section, Table, as_json, from_json, markdown, merge_sections
from benchmarks.rounds import Spread, alternate, calibrate_length, ratios
from benchmarks.sections import quality
from benchmarks.terminals.link import RemoteTerminal
from benchmarks.terminals.processors import non_training_seconds
from core.config import RunConfig
from core.engines.torch.engine import TorchEngine
from core.tasks.sampler import TaskSampler
from core.training.priority import TRAINING, set_thread_niceness

FLOAT64 = 1e-9
"""Relative; some thousand operations in float64 leave 1e-13."""

Batch = tuple[torch.Tensor, torch.Tensor]


class RunDraws:
    """The data of a run, for a peer that asks task by task."""

    def __init__(self, config: RunConfig) -> None:
        self._batches = config.algorithm.batches(
            TaskSampler(config.tasks, config.seed, config.precision), 0, 1
        )
        self._task = -1

    def few_shot(self) -> tuple[Batch, Batch]:
        self._task += 1
        data = self._batches
        support = (data.x[0, self._task, 0], data.y[0, self._task, 0])
        return _columns(*support), _columns(data.query_x, data.query_y[0, self._task])

    def minibatches(self) -> list[Batch]:
        pairs = zip(self._batches.x[0, 0], self._batches.y[0, 0], strict=True)
        return [_columns(x, y) for x, y in pairs]


def _columns(*arrays: NDArray[np.floating]) -> Batch:
    x, y = (torch.tensor(array).unsqueeze(1) for array in arrays)
    return x, y


@pytest.mark.parametrize(
    ("peer", "algorithm"),
    [(Plain, FOMAML), (Plain, REPTILE), (Learn2Learn, FOMAML)],
    ids=["plain-fomaml", "plain-reptile", "learn2learn-fomaml"],
)
def test_a_peer_computes_what_the_engine_computes(peer, algorithm):
    config = RunConfig(algorithm=algorithm, precision="float64", seed=7)
    engine = TorchEngine(config)
    start = engine.initial_state()
    expected = engine.advance(start, 1).state.theta
    model = network().double()
    nn.utils.vector_to_parameters(torch.tensor(start.theta), model.parameters())

    peer(RunDraws(config), model).run(algorithm.name, 1)

    found = nn.utils.parameters_to_vector(model.parameters()).detach().numpy()
    moved = np.abs(expected - start.theta).max()
    assert moved > 0
    assert np.abs(found - expected).max() <= FLOAT64 * moved


@pytest.mark.parametrize(
    "name", [name for name, entry in PEERS.items() if not entry.extra_packages]
)
def test_every_peer_without_extra_packages_runs(name):
    entry = PEERS[name]
    peer = entry.make()
    peer.chunk = min(peer.chunk, 10)
    for algorithm in entry.algorithms:
        peer.run(algorithm, peer.chunk)


def test_flop_of_an_iteration_match_the_report():
    assert {name: round(flop(name) / 1e6, 2) for name in ALGORITHMS} == {
        "fomaml": 4.42,
        "reptile": 1.23,
    }


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="reads its assembly")
def test_the_compiler_keeps_all_multiply_adds_of_the_peak():
    multiply_add(1)
    [code] = multiply_add.inspect_asm().values()
    assert code.count("vfmadd") == CHAINS * UNROLL


def test_candidates_alternate_and_ratios_are_per_round():
    turns = []
    drift = iter([1.0, 2.0, 10.0, 20.0, 100.0, 200.0])

    def measure(name: str) -> float:
        turns.append(name)
        return next(drift)

    times = alternate({name: lambda name=name: measure(name) for name in "ab"}, 3)

    assert turns == ["a", "b"] * 3
    assert ratios(times["b"], times["a"]) == Spread(2.0, 2.0, 2.0, 3)


@pytest.mark.parametrize("chunk", [1, 100])
def test_a_turn_takes_the_requested_time_in_whole_chunks(chunk):
    n = calibrate_length(lambda n: n * 1e-4, 0.25, chunk)
    assert n == 2_500


def test_markdown_and_json_reports_have_the_same_contents():
    spread = Spread.of([1.0, 2.0, 3.0, 4.0, 5.0])
    rows = [("fused", spread, 12_345), ("other", None, 0.25), ("text", "4.3 - 7.4", 27.123)]
    table = Table("Times", ("", "µs", "n"), rows)
    report = Report({"date": "today"}, [Section("Speed", [table], ["a note"])])

    text = markdown(report)
    plain = msgspec.json.decode(as_json(report))

    assert text.endswith("- a note\n")
    for line in (
        "- date: today",
        "## Speed",
        "### Times",
        "|  | µs | n |",
        "|---|---:|---:|",
        "| fused | 3.00 (2.00 - 4.00) | 12,345 |",
        "| other | - | 0.250 |",
        "| text | 4.3 - 7.4 | 27.1 |",
    ):
        assert line in text.splitlines()
    [section] = plain["sections"]
    assert section["tables"][0]["rows"][0] == [
        "fused",
        {"median": 3.0, "low": 2.0, "high": 4.0, "n": 5},
        12_345,
    ]
    assert section["tables"][0]["rows"][2][2] == 27.123


def test_the_quality_of_a_network_has_a_number_for_each_heading():
    config = RunConfig(algorithm=FOMAML)
    theta = TorchEngine(config).initial_state().theta
    losses = quality.evaluate(config, theta)
    assert len(losses) == len(quality.HEADINGS)
    assert losses[4] < losses[0]  # after 32 steps


def repaint(text: str) -> str:
    return f"\\033[?2026h{text}\\033[?2026l"


def test_repaints_in_flight_are_counted_when_another_one_leaves():
    written = "".join(map(repaint, "ABC"))
    terminal = RemoteTerminal(["sh", "-c", f"printf '{written}'; read end"], 80, 24)
    try:
        assert terminal.wait_until(lambda: "ABC" in terminal.text(), 90) is not None
        assert terminal.most_in_flight == 2
    finally:
        terminal.close()


@pytest.mark.parametrize("question", ["\\033[6n", "\\033[?2026$p"])
def test_a_question_is_answered_by_a_remote_terminal(question):
    asks = f"stty raw -echo; printf '{question}'; dd bs=1 count=1 2>/dev/null | od -c"
    terminal = RemoteTerminal(["sh", "-c", asks], 80, 24)
    try:
        assert terminal.wait_until(lambda: "033" in terminal.text(), 90) is not None
    finally:
        terminal.close()


def test_a_section_measured_separately_replaces_the_old_one_with_a_note():
    speed = Section("Speed", [Table("time", ("", "us"), [("ours", Spread.of([1.0, 2.0, 3.0]))])])
    report = Report({"date": "then"}, [speed, Section("Quality", [])])
    assert markdown(from_json(as_json(report))) == markdown(report)
    new = Section("Speed", [], apart="measured separately, now")
    merged = merge_sections(from_json(as_json(report)), [new, Section("Screens", [])])
    assert [section.title for section in merged.sections] == ["Speed", "Quality", "Screens"]
    assert "- measured separately, now" in markdown(merged)
    assert "ours" not in markdown(merged)


@pytest.mark.parametrize(("niceness", "counts"), [(0, True), (TRAINING, False)])
def test_processor_time_excludes_training_threads(niceness: int, counts: bool) -> None:
    def busy() -> float:
        set_thread_niceness(niceness)
        before = non_training_seconds([os.getpid()])
        end = time.thread_time() + 0.3
        while time.thread_time() < end:
            pass
        return non_training_seconds([os.getpid()]) - before

    with ThreadPoolExecutor(1) as executor:
        assert (executor.submit(busy).result() > 0.2) is counts
