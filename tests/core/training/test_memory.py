"""Runs that cannot fit in the memory of this process are refused before anything is allocated."""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import core.training.memory
from core import api
from core.algorithms.anil import Anil
from core.algorithms.base import Algorithm
from core.algorithms.fomaml import Fomaml
from core.algorithms.maml import Maml
from core.algorithms.reptile import Reptile
from core.config import RunConfig
from core.errors import EngineError
from core.evaluation_protocol import EvaluationProtocol
from core.models.settings import NetworkConfig
from core.training.memory import Limit, memory_limits, require_memory, required_memory
from tests.support.terminals.forked import Piped
from tui_meta.cli.main import main

MIB = 2**20


@pytest.fixture
def small_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with 64 MiB."""
    limits = [Limit(2**40, "ulimit -v"), Limit(64 * MIB, "free memory of this machine")]
    monkeypatch.setattr(core.training.memory, "memory_limits", lambda: iter(limits))


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ("--fomaml.tasks 2000 --fomaml.shots 2000", "fomaml.tasks * fomaml.shots: at least 77 MiB"),
        ("--network.hidden 2000 2000", "network.hidden: at least 92 MiB"),
        (
            "--fomaml.query-points 90000 --network.hidden 300",
            "fomaml.query_points * network.hidden: at least 103 MiB",
        ),
        ("--engine torch --fomaml.tasks 2000", "network.hidden: at least "),
        (
            "--validation.tasks 1000 --validation.shots 3000",
            "validation.tasks * validation.shots: at least 69 MiB",
        ),
        (
            "--validation.tasks 1000 --validation.query-points 2500 --validation.query random "
            "--validation.noise 1",
            "validation.tasks * validation.query_points: at least ",
        ),
    ],
)
def test_settings_that_do_not_fit_on_this_machine_are_refused(
    tmp_path: Path,
    small_machine: None,
    capsys: pytest.CaptureFixture[str],
    flags: str,
    named: str,
) -> None:
    out = tmp_path / "runs"
    assert main([*flags.split(), "--algorithms", "fomaml", "--no-tui", "--out", str(out)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert named in line
    assert "64 MiB are available (free memory of this machine); choose lower values" in line
    assert not out.exists()


def test_runs_side_by_side_need_the_sum(small_machine: None) -> None:
    config = RunConfig(algorithm=Fomaml(tasks=1_000, shots=2_000))
    require_memory([config])
    require_memory([config, config], at_once=1)
    with pytest.raises(EngineError, match=r"^fomaml.tasks \* fomaml.shots: at least 77 MiB"):
        require_memory([config, config])


def test_an_evaluation_that_does_not_fit_is_refused(
    small_machine: None, capsys: pytest.CaptureFixture[str]
) -> None:
    run = "checkpoints/fomaml-source"
    wanted = ["--shots", "3000", "--steps", "1"]
    for command in (["eval", run], ["compare", run, "checkpoints/reptile-source"]):
        assert main([*command, *wanted]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: tasks * shots: at least 69 MiB of memory are needed")
    with pytest.raises(EngineError, match=r"^tasks \* shots: at least 69 MiB"):
        api.evaluate(api.open_run(run), EvaluationProtocol(shots=3000, steps=(1,)))


@pytest.mark.parametrize(
    ("algorithm", "is_kept"),
    [
        (Maml(inner_steps=100), True),
        (Maml(inner_steps=100, order="first"), False),
        (Anil(inner_steps=100), False),
        (Fomaml(inner_steps=100), False),
    ],
)
def test_the_parameters_of_inner_steps_are_counted_where_they_are_kept(
    algorithm: Fomaml, is_kept: bool
) -> None:
    network = NetworkConfig(hidden=(1_000, 1_000))
    config = RunConfig(algorithm=algorithm, network=network)  # type: ignore[arg-type]
    one = replace(config, algorithm=replace(algorithm, inner_steps=1))
    more = required_memory(config)[0] - required_memory(one)[0]
    assert more == (99 * 4 * config.parameters if is_kept else 0)


def test_the_python_interface_refuses_too(tmp_path: Path, small_machine: None) -> None:
    config = RunConfig(algorithm=Reptile(points=1_000, inner_epochs=5_000))
    for folder in (None, tmp_path / "run"):
        with pytest.raises(EngineError, match=r"^reptile.tasks \* reptile.points \* "):
            api.train(config, folder) if folder else api.train(config)
    assert list(tmp_path.iterdir()) == []


def test_the_usual_runs_need_almost_nothing() -> None:
    for algorithm in (Fomaml(), Reptile()):
        assert required_memory(RunConfig(algorithm=algorithm))[0] < MIB


PEAK = """
import json, sys
from core.config import RunConfig
from core.engines import make_engine
from core.training.memory import required_memory
def status(name):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))
config = RunConfig.from_dict(json.loads(sys.argv[1]))
engine = make_engine(config)
plain = {"algorithm": {"name": "fomaml"}, "engine": config.engine}
small = RunConfig.from_dict(plain)
other = make_engine(small)
other.advance(other.initial_state(), 1)
before = status("VmRSS")
engine.advance(engine.initial_state(), 1)
print(status("VmHWM") - before, required_memory(config)[0])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("engine", ["fused", "torch"])
@pytest.mark.parametrize(
    ("algorithm", "hidden"),
    [
        (Fomaml(tasks=500, shots=2_000, query_points=2), (8,)),
        (Fomaml(tasks=2, shots=10, query_points=8_000), (500, 500)),
        (Fomaml(tasks=2, shots=2, query_points=2, outer_optimizer="adam"), (2_000, 2_000)),
        (Reptile(points=2_000, batch_size=2_000, inner_epochs=500), (8,)),
        (Maml(tasks=2, inner_steps=30), (500, 500)),
    ],
    ids=["points of many tasks", "query points", "parameters", "minibatches", "inner steps"],
)
def test_no_run_needs_less_than_is_required(
    engine: str, algorithm: Algorithm, hidden: tuple[int, ...]
) -> None:
    """Otherwise a run would be refused that could be trained."""
    network = NetworkConfig(hidden=hidden)
    config = RunConfig(algorithm=algorithm, network=network, engine=engine)  # type: ignore[arg-type]
    process = Piped(["-c", PEAK, json.dumps(config.to_dict())], Path.cwd())
    out, err = process.communicate()
    assert process.returncode == 0, err.decode()
    used, required = map(int, out.split())
    assert required <= used


def found(tmp_path: Path) -> dict[int, str]:
    return dict(memory_limits(tmp_path / "p", tmp_path / "c"))


def test_the_free_memory_of_the_machine_includes_its_swap(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    meminfo = "MemTotal: 9 kB\nMemAvailable:   5 kB\nSwapFree: 2 kB\n"
    (tmp_path / "p/meminfo").write_text(meminfo)
    assert found(tmp_path)[7 * 1_024] == "free memory of this machine"


@pytest.mark.parametrize(
    ("cgroup", "file"),
    [
        ("0::/a/b\n", "a/memory.max"),
        ("0::/a/b\n", "memory.max"),
        ("4:cpu,memory:/a/b\n0::/\n", "memory/a/b/memory.limit_in_bytes"),
        ("4:cpu,memory:/of/the/host\n", "memory/memory.limit_in_bytes"),
    ],
)
def test_the_limit_of_a_control_group_and_those_above_it_count(
    tmp_path: Path, cgroup: str, file: str
) -> None:
    (tmp_path / "p/self").mkdir(parents=True)
    (tmp_path / "p/self/cgroup").write_text(cgroup)
    limit = tmp_path / "c" / file
    limit.parent.mkdir(parents=True)
    limit.write_text("1000\n")
    assert found(tmp_path)[1_000].startswith("limit of the control group")
    limit.write_text("max\n")
    assert not any("control group" in source for source in found(tmp_path).values())


def test_what_a_process_uses_already_is_taken_off_its_own_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "p/self").mkdir(parents=True)
    (tmp_path / "p/self/status").write_text("VmSize:\t 3 kB\nVmData:\t 1 kB\n")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (10_000, 10_000))
    assert found(tmp_path) == {10_000 - 3_072: "ulimit -v", 10_000 - 1_024: "ulimit -d"}


def test_where_nothing_is_known_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core.training.memory, "memory_limits", lambda: iter(()))
    require_memory([RunConfig(algorithm=Fomaml(tasks=5_000, shots=5_000))])
