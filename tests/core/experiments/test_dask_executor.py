"""Sweeps on a Dask cluster: the results of threads to the bit, whatever happens to its workers."""

import itertools
import logging
import os
import pickle
import random
import signal
import socket
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ClusterError
from core.experiments import dask_executor
from core.experiments.dask_executor import LARGEST_BATCH, Batches, DaskExecutor, connected
from core.experiments.dask_worker import Batch, train_batch
from core.experiments.results import RunResult, failed
from core.experiments.specification import PlannedRun, specification_of
from core.experiments.stored_run import RunTrainer
from core.experiments.sweep import Executor, ThreadExecutor, opened
from core.experiments.sweep_folder import Shard, Store, SweepFolder
from core.experiments.train_run import Trained
from core.storage.checkpoint import load_checkpoint
from tests.support.runs import until
from tests.support.soak import soak

dask = pytest.importorskip("dask", reason="the extra dask is not installed")
distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
pytestmark = pytest.mark.slow

RUNS, KILLS = soak((8, 1), (40, 10))

SMALL: dict[str, Any] = {
    "algorithms": ["reptile"],
    "network": {"hidden": [4]},
    "iterations": 60,
    "validation": {"tasks": 3, "steps": [2]},
    "engine": "torch",
    "seeds": RUNS,
}


def swept(
    path: Path,
    executor: Executor,
    store: Store = "none",
    table: dict[str, Any] = SMALL,
    each: Callable[[], object] = lambda: None,
) -> dict[str, dict[str, Any]]:
    """Train a sweep, and return all that must not differ, by digest; no run has two results."""
    folder = SweepFolder(path)
    folder.specify(table)
    with opened(folder, Shard(), store) as sweep:
        for _ in sweep.train(executor):
            each()
    lines = [file.read_text() for file in folder.results_path.glob("*.jsonl")]
    results = folder.results()
    assert "".join(lines).count("\n") == len(results)
    return contents(results)


def contents(results: dict[str, RunResult]) -> dict[str, dict[str, Any]]:
    return {digest: one.content for digest, one in results.items()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return swept(tmp_path_factory.mktemp("threads") / "sweep", ThreadExecutor(2))


# With a real scheduler and two worker processes.


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The scheduler of two workers, which are restarted when they die."""
    # Workers are forked from a process that has imported all, as are those that replace them.
    forked = {
        "distributed.worker.multiprocessing-method": "forkserver",
    }
    with (
        dask.config.set(forked),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=":0",
            local_directory=str(tmp_path_factory.mktemp("workers")),
            silence_logs=logging.CRITICAL,
        ) as cluster,
    ):
        yield cluster.scheduler_address


@pytest.fixture
def client(address: str) -> Iterator[Any]:
    with distributed.Client(address, set_as_default=False) as client:
        client.wait_for_workers(2)
        yield client


@pytest.mark.parametrize("store", ["none", "all"])
def test_results_are_those_of_threads_to_the_bit(
    store: Store, address: str, tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    with connected(address) as executor:
        assert executor.workers == 2
        results = swept(tmp_path / "sweep", executor, store)
    networks = {one.pop("network") for one in results.values()}
    assert len(networks) == (1 if store == "none" else RUNS)
    assert {digest: {**one, "network": ""} for digest, one in results.items()} == undisturbed


def test_a_worker_is_killed_and_networks_arrive_without_a_shared_folder(
    client: Any, address: str, tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    chance = random.Random(KILLS)
    moments = {1, *chance.sample(range(2, RUNS // 2), KILLS - 1)}
    ended, killed = itertools.count(1), list[int]()

    def busy() -> list[int]:
        """Return the processes of workers that train, except for those that were killed."""
        found = client.run(busy_process, on_error="ignore").values()
        return sorted({process for process in found if process} - {*killed})

    def disturb() -> None:
        if next(ended) in moments:
            until(lambda: bool(busy()))
            killed.append(chance.choice(busy()))
            os.kill(killed[-1], signal.SIGKILL)

    def busy_process(dask_worker: Any) -> int | None:
        return os.getpid() if dask_worker.active_threads else None

    def record_opened_files(folder: str) -> None:
        sys.opened = []  # type: ignore[attr-defined]

        def hook(event: str, arguments: Any) -> None:
            if event == "open" and str(arguments[0]).startswith(folder):
                sys.opened.append(arguments[0])  # type: ignore[attr-defined]

        sys.addaudithook(hook)

    client.run(record_opened_files, str(tmp_path))
    with connected(address) as executor:
        results = swept(tmp_path / "sweep", executor, "final", each=disturb)
    assert not any(client.run(lambda: getattr(sys, "opened", []), on_error="ignore").values())
    assert len(killed) == KILLS
    for result in SweepFolder(tmp_path / "sweep").results().values():
        checkpoint = load_checkpoint(tmp_path / "sweep" / result.network)
        assert checkpoint.config.seed == result.seed
        assert checkpoint.state.iteration == 60
    assert {digest: {**one, "network": ""} for digest, one in results.items()} == undisturbed


def test_an_end_cancels_what_the_workers_train(client: Any, address: str, tmp_path: Path) -> None:
    def trains(dask_worker: Any) -> int:
        return len(dask_worker.active_threads)

    with connected(address, lambda: sum(client.run(trains).values()) == 2) as executor:
        assert not swept(tmp_path / "sweep", executor, table={**SMALL, "iterations": 10**8})
    until(lambda: not any(client.run(trains).values()))


def test_workers_with_another_version_or_without_the_package_are_named(
    client: Any, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hide() -> None:
        sys.modules["core.experiments.dask_worker"] = None  # type: ignore[assignment]

    def show() -> None:
        del sys.modules["core.experiments.dask_worker"]

    with connected(address) as executor:
        with monkeypatch.context() as patch:
            patch.setattr(dask_executor, "VERSION", "9.9")
            with pytest.raises(ClusterError, match=r"worker tcp.*installed, and 9\.9 is needed$"):
                swept(tmp_path / "a", executor)
        client.run(hide)
        with pytest.raises(ClusterError, match=r"worker tcp.*tui-meta is not installed"):
            swept(tmp_path / "b", executor)
        client.run(show)


# Without a cluster.


class FakeClient:
    """Ends tasks at once, without training; those whose runs ``fate`` gives an error, with that."""

    def __init__(self, fate: Callable[[list[PlannedRun]], BaseException | None]) -> None:
        self._fate = fate
        self.batches: list[list[str]] = []
        self.keys: list[str] = []

    def scheduler_info(self, n_workers: int) -> dict[str, int]:
        return {"total_threads": 2}

    def cancel(self, futures: list[Any]) -> None:
        pass

    def submit(self, _: Any, version: str, pickled: bytes, key: str) -> Any:
        batch: Batch = pickle.loads(pickled)
        self.batches.append([run.name for run in batch.runs])
        self.keys.append(key)
        error = self._fate(batch.runs)
        results = [msgspec.structs.replace(failed(run, ""), state="finished") for run in batch.runs]
        return FakeFuture([Trained(result) for result in results], error)


class FakeFuture:
    """A future that has ended."""

    def __init__(self, answer: Any, error: BaseException | None) -> None:
        self._answer = answer
        self._error = error

    def add_done_callback(self, call: Callable[[Any], None]) -> None:
        call(self)

    def result(self, _: float) -> Any:
        if self._error:
            raise self._error
        return self._answer

    def release(self) -> None:
        pass

    def cancelled(self) -> bool:
        return isinstance(self._error, distributed.client.FutureCancelledError)


def fake_executor(fate: Callable[[list[PlannedRun]], BaseException | None]) -> DaskExecutor:
    client: Any = FakeClient(fate)
    return DaskExecutor(client, "tcp://there:1", lambda: False)


def test_a_run_that_kills_its_workers_fails_alone(tmp_path: Path) -> None:
    def kill(runs: list[PlannedRun]) -> BaseException | None:
        worker = SimpleNamespace(address="tcp://gone:1")
        deadly = any(run.name == "reptile-s7" for run in runs)
        return distributed.KilledWorker("a task", worker, 3) if deadly else None

    results = swept(tmp_path / "sweep", fake_executor(kill), table={**SMALL, "seeds": 30})
    assert len(results) == 30
    (failure,) = [one for one in results.values() if one["state"] == "failed"]
    assert failure["run"] == "reptile-s7"
    assert failure["problem"] == "4 workers died while they trained it"


def test_a_lost_scheduler_is_one_line(tmp_path: Path) -> None:
    error = distributed.client.FutureCancelledError(
        "k", "scheduler-connection-lost", "Client\nlost"
    )
    with pytest.raises(ClusterError, match="scheduler was lost or restarted") as caught:
        swept(tmp_path / "sweep", fake_executor(lambda _: error))
    assert "\n" not in str(caught.value)


def test_other_errors_of_a_task_are_one_line(tmp_path: Path) -> None:
    error = RuntimeError("Error during\n deserialization")
    with pytest.raises(ClusterError, match=r"a task failed \(Error during deserialization\); use"):
        swept(tmp_path / "sweep", fake_executor(lambda _: error))


def test_equal_tasks_have_equal_keys_and_others_not(tmp_path: Path) -> None:
    keys = []
    for name in ("a", "a", "b"):
        client: Any = FakeClient(lambda _: None)
        executor = DaskExecutor(client, "tcp://there:1", lambda: False)
        runs = specification_of({**SMALL, "seeds": 3}).expand()
        with closing(executor(runs, RunTrainer(tmp_path / name, "none"))) as results:
            assert len(list(results)) == 3
        keys.append(client.keys)
    assert keys[0] == keys[1]
    assert len({*keys[0], *keys[2]}) == len(keys[0]) + len(keys[2])


def test_another_package_called_core_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    task = dask_executor._task()
    monkeypatch.setattr(distributed, "get_worker", lambda: SimpleNamespace(address="tcp://here:1"))
    for name in [one for one in sys.modules if one.partition(".")[0] == "core"]:
        monkeypatch.delitem(sys.modules, name)
    other = types.ModuleType("core")
    other.__file__, other.__path__ = "/theirs/core/__init__.py", []
    monkeypatch.setitem(sys.modules, "core", other)
    monkeypatch.setitem(sys.modules, "core.version", None)  # a checkout's finder would find it
    assert task("1", b"").startswith(
        "worker tcp://here:1: another package called core is in the way (/theirs/core/__init__.py)"
    )


def test_a_worker_that_does_not_see_the_folder_says_so(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    runs = folder.specify(SMALL).expand()
    for path, settings in ((tmp_path / "none", SMALL), (folder.path, {**SMALL, "seeds": 9})):
        answer = train_batch(pickle.dumps(Batch(path, settings, "all", runs)))
        assert isinstance(answer, str)
        assert "not a folder that this worker can write" in answer


@given(
    n=st.integers(0, 300),
    steps=st.lists(st.tuples(st.integers(1, 20), st.floats(0, 100), st.booleans()), max_size=40),
)
def test_batches_divide_the_runs_among_them(n: int, steps: list[tuple[int, float, bool]]) -> None:
    runs: Any = range(n)
    batches, done = Batches(runs), []
    for threads, seconds, lost in itertools.chain(steps, itertools.repeat((1, 1.0, False))):
        if not batches:
            break
        taken = batches.take(threads)
        assert 1 <= len(taken) <= LARGEST_BATCH
        if lost:
            batches.repeat_alone(taken)
        else:
            done += taken
            result: Any = SimpleNamespace(spent=SimpleNamespace(seconds=seconds))
            batches.learn([result] * len(taken))
    assert sorted(done) == list(runs)


def test_batches_of_short_runs_take_half_a_minute_and_shrink_towards_the_end() -> None:
    runs: Any = range(1_000)
    batches, sizes = Batches(runs), []
    while batches:
        sizes.append(len(batches.take(2)))
        result: Any = SimpleNamespace(spent=SimpleNamespace(seconds=1.5))
        batches.learn([result])
    assert sizes[:6] == [1, 2, 4, 8, 16, 20]
    assert max(sizes) == 20
    assert sizes[-1] == 1


# Schedulers that are none.


def test_what_is_no_scheduler_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_executor, "CONNECT_SECONDS", 0.2)
    (tmp_path / "text").write_text("scheduler")
    (tmp_path / "other").write_text('{"id": 1}')
    with socket.create_server(("127.0.0.1", 0)) as server:
        silent = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        for scheduler, problem in (
            (silent, "no Dask scheduler answers"),
            ("tcp://127.0.0.1:1", "no Dask scheduler answers"),
            ("tcp://", "no Dask scheduler answers"),
            ("there:8786", "cannot be read"),
            (str(tmp_path / "text"), "not the file of a Dask scheduler"),
            (str(tmp_path / "other"), "not the file of a Dask scheduler"),
        ):
            with pytest.raises(ClusterError, match=problem) as caught, connected(scheduler):
                pass
            assert "\n" not in str(caught.value)


def test_a_scheduler_file_names_the_scheduler(address: str, tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text(f'{{"type": "Scheduler", "address": "{address}", "workers": {{}}}}')
    with connected(str(file)) as executor:
        assert executor.workers == 2
