"""A sweep on the workers of a Dask cluster: batches of runs as tasks, results sent back."""

from __future__ import annotations

import asyncio
import hashlib
import math
import pickle
import queue
import re
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from core.errors import ClusterError, reason
from core.experiments.dask_worker import Batch
from core.experiments.results import RunResult
from core.experiments.specification import PlannedRun
from core.experiments.stored_run import RunTrainer
from core.experiments.sweep_folder import SweepFolder
from core.experiments.train_run import Trained, not_trained
from core.storage.io import NOT_JSON, open_regular
from core.version import VERSION

if TYPE_CHECKING:
    from distributed import Client, Future

TASK_SECONDS = 30.0
"""Duration of a task to aim at: a task costs 4 ms, and a lost worker loses one for each thread."""

LARGEST_BATCH = 60
"""Runs in a task at most, as their results and networks come together."""

TASKS_PER_THREAD = 2
"""Tasks that are submitted at a time: one is trained, and one waits for its end."""

POLL_SECONDS = 0.1
"""Between two checks whether all is to end."""

CONNECT_SECONDS = 10.0
FETCH_SECONDS = 30.0
"""For the results of a task; after that they are asked for again."""

LARGEST_FILE = 2**24
"""Bytes of a scheduler file, which also lists the workers."""


@contextmanager
def connected(
    scheduler: str, stopped: Callable[[], bool] = lambda: False
) -> Iterator[DaskExecutor]:
    """Yield an executor on the cluster of ``scheduler``: an address, or a scheduler file.

    It ends early once ``stopped`` returns True. Raises ``ClusterError``.
    """
    address = _address(scheduler)
    try:
        from distributed import Client
    except ImportError as error:
        problem = f"distributed is not installed ({error})"
        raise ClusterError(scheduler, problem, "pip install 'tui-meta[dask]'") from error
    try:
        # A client would wait for ever where something else listens, and for long where nothing.
        asyncio.run(asyncio.wait_for(_require_scheduler(address), CONNECT_SECONDS))
        with warnings.catch_warnings():
            # Dask compares versions of more packages than matter here; a task checks those.
            warnings.simplefilter("ignore")
            client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except Exception as error:
        problem = f"no Dask scheduler answers ({_line(error)})"
        raise ClusterError(address, problem, "start one, or correct the address") from error
    try:
        yield DaskExecutor(client, address, stopped)
    finally:
        with suppress(OSError):
            client.close()


class DaskExecutor:
    """Trains runs on the workers of a cluster, whose threads train a batch each."""

    def __init__(self, client: Client, address: str, stopped: Callable[[], bool]) -> None:
        self._client = client
        self._address = address
        self._stopped = stopped

    @property
    def workers(self) -> int:
        """The threads of all workers at this moment."""
        try:
            threads: int = self._client.scheduler_info(n_workers=0)["total_threads"]
        except OSError as error:
            raise self._lost() from error
        return threads

    def require(self, runs: list[PlannedRun]) -> None:
        """Do nothing: a worker knows whether it has the memory for its runs."""

    def __call__(self, runs: list[PlannedRun], train: RunTrainer) -> Generator[RunResult]:
        """Train ``runs``; yield their results, networks saved here. Raises ``LabError``."""
        batches = Batches(runs)
        submit = self._submitter(train)
        ended: queue.Queue[Future[Any]] = queue.Queue()
        pending: dict[Future[Any], list[PlannedRun]] = {}
        try:
            while (batches or pending) and not self._stopped():
                threads = max(1, self.workers)
                while batches and len(pending) < TASKS_PER_THREAD * threads:
                    batch = batches.take(threads)
                    future = submit(batch)
                    pending[future] = batch
                    future.add_done_callback(ended.put)
                with suppress(queue.Empty):
                    future = ended.get(timeout=POLL_SECONDS)
                    trained = self._trained(future, pending[future])
                    if trained is None:
                        ended.put(future)
                    else:
                        future.release()
                        yield from _results(pending.pop(future), trained, train, batches)
        finally:
            with suppress(OSError):
                self._client.cancel(list(pending))

    def _submitter(self, train: RunTrainer) -> Callable[[list[PlannedRun]], Future[Any]]:
        path, settings = train.path, SweepFolder(train.path).settings()

        def submit(runs: list[PlannedRun]) -> Future[Any]:
            # Bytes, for the scheduler reads all arguments and need not know this package.
            pickled = pickle.dumps(Batch(path, settings, train.store, runs))
            parts = [VERSION, str(path), train.store, *(run.digest for run in runs)]
            key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
            try:
                return self._client.submit(_task(), VERSION, pickled, key=f"tui-meta-{key[:32]}")
            except OSError as error:
                raise self._lost() from error

        return submit

    def _trained(self, future: Future[Any], runs: list[PlannedRun]) -> list[Trained] | None:
        """Return what came of the ``runs`` of a task, None if that cannot be said yet.

        Of a batch whose workers all died, a single run may be the cause, so it has no results.
        """
        from distributed import KilledWorker

        try:
            answer: list[Trained] | str = future.result(FETCH_SECONDS)
        except TimeoutError:
            return None
        except KilledWorker as error:
            problem = f"{error.allowed_failures + 1} workers died while they trained it"
            return [] if len(runs) > 1 else [not_trained(runs[0], problem)]
        except Exception as error:
            if future.cancelled():
                raise self._lost() from error
            advice = "use the same versions of Python, Dask and tui-meta everywhere"
            problem = f"a task failed ({_line(error)})"
            raise ClusterError(self._address, problem, advice) from error
        if isinstance(answer, str):
            raise ClusterError(self._address, answer)
        return answer

    def _lost(self) -> ClusterError:
        problem = "the scheduler was lost or restarted; results so far are kept"
        return ClusterError(self._address, problem, "start again to continue")


class Batches:
    """The ``runs`` that are still to be submitted, divided into batches as they are taken.

    A batch begins with one run and grows until it takes about ``TASK_SECONDS``; towards the end it
    shrinks again, so that all threads end at about the same time.
    """

    def __init__(self, runs: Sequence[PlannedRun]) -> None:
        self._waiting = deque(runs)
        self._alone: deque[PlannedRun] = deque()
        self._size = 1

    def __bool__(self) -> bool:
        return bool(self._waiting or self._alone)

    def take(self, threads: int) -> list[PlannedRun]:
        """Return the next batch for a cluster of so many threads."""
        if self._alone:
            return [self._alone.popleft()]
        share = math.ceil(len(self._waiting) / (TASKS_PER_THREAD * threads))
        return [self._waiting.popleft() for _ in range(min(self._size, share))]

    def learn(self, results: Sequence[RunResult]) -> None:
        """Adapt the size of a batch to the seconds that one took."""
        if not results:
            return
        each = sum(result.spent.seconds for result in results) / len(results)
        wanted = TASK_SECONDS / max(each, 1e-3)
        self._size = max(1, int(min(wanted, 2 * self._size, LARGEST_BATCH)))

    def repeat_alone(self, runs: Sequence[PlannedRun]) -> None:
        """Take ``runs`` next, each in a batch of its own."""
        self._alone.extend(runs)


def _results(
    runs: list[PlannedRun], trained: list[Trained], train: RunTrainer, batches: Batches
) -> Iterator[RunResult]:
    """Yield the results of a task, networks saved; those of its ``runs`` without are repeated."""
    by_digest = {one.result.digest: one for one in trained}
    batches.repeat_alone([run for run in runs if run.digest not in by_digest])
    batches.learn([one.result for one in trained])
    for run in runs:
        if run.digest in by_digest:
            yield train.keep(run, by_digest[run.digest])


def _task() -> Callable[[str, bytes], Any]:
    """Return the function of a task, which is sent as code: its worker may lack this package."""

    def task(needed: str, pickled: bytes) -> Any:
        import sys

        from distributed import get_worker

        try:
            from core import version
            from core.experiments.dask_worker import train_batch
        except ImportError as error:
            other = sys.modules.get("core")
            answer: Any = f"tui-meta is not installed ({error})"
            if other and not hasattr(other, "RunConfig"):
                place = getattr(other, "__file__", None) or next(iter(other.__path__))
                answer = f"another package called core is in the way ({place}); rename it, or "
                answer += "start the worker in another folder"
        else:
            if needed == version.VERSION:
                answer = train_batch(pickled)
            else:
                answer = f"tui-meta {version.VERSION} is installed, and {needed} is needed"
        return f"worker {get_worker().address}: {answer}" if isinstance(answer, str) else answer

    return task


async def _require_scheduler(address: str) -> None:
    """Require that a scheduler listens at ``address``."""
    from distributed import Security, rpc

    options = Security().get_connection_args("client")
    async with rpc(address, timeout=CONNECT_SECONDS / 2, connection_args=options) as remote:
        kind = (await remote.identity())["type"]
    if kind != "Scheduler":
        raise ValueError(f"it is a {kind}")


class _SchedulerFile(msgspec.Struct):
    """The part of a file of ``dask scheduler --scheduler-file`` that is used."""

    address: str


def _address(scheduler: str) -> str:
    """Return the address that ``scheduler`` is, or that the file of this name has."""
    if re.match(r"(tcp|tls|ws|wss)://", scheduler):
        return scheduler
    advice = "give an address such as tcp://host:8786, or the file of a scheduler"
    try:
        with open_regular(Path(scheduler)) as content:
            return msgspec.json.decode(content.read(LARGEST_FILE), type=_SchedulerFile).address
    except OSError as error:
        raise ClusterError(scheduler, f"cannot be read ({reason(error)})", advice) from error
    except NOT_JSON as error:
        raise ClusterError(scheduler, "not the file of a Dask scheduler", advice) from error


def _line(error: BaseException) -> str:
    """Return an error of Dask, which often has several lines, on one."""
    return " ".join((str(error) or type(error).__name__).split())[:300]
