"""Hypothesis profiles, marks and workers of the suite: the same examples on every machine.

``pytest --hypothesis-profile=search`` looks for new counterexamples instead.
"""

import functools
import gc
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Before NumPy is imported, here and in all programs that are started: its threads wait busily.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import pytest
from execnet import XSpec
from hypothesis import settings
from hypothesis.internal.conjecture import providers

from tests.support.rewriting import rewrite_tests
from tests.support.sessions import folder_for_processes
from tests.support.terminals.forked import FORKED_PYTHON, start_server

settings.register_profile(
    "suite", deadline=None, derandomize=True, database=None, max_examples=20, print_blob=True
)
settings.register_profile("search", deadline=None, max_examples=1_000)
settings.load_profile("suite")


ROOT = Path(__file__).resolve().parents[1]
MARKS = {
    ROOT / "tests" / "end_to_end": pytest.mark.e2e,
    ROOT / "tests" / "fuzz": pytest.mark.slow,
    ROOT / "tests" / "tui_meta" / "screens": pytest.mark.slow,
    ROOT / "tests" / "tui_meta" / "delta_driver": pytest.mark.slow,
    ROOT / "tests" / "benchmarks": pytest.mark.slow,
}
"""The marks of all tests in a folder."""

# The programs that tests start would compile all sources each time, and so would each worker.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# `nohup` and `&` let a program ignore these signals; those that tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def pytest_configure(config: pytest.Config) -> None:
    """Let examples depend on no constants in the sources: they were others after each change.

    Hypothesis finds those of modules that are imported, in each worker in seconds.
    """
    if settings.get_current_profile_name() == "suite":
        providers._get_local_constants = lambda: providers._local_constants


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many workers again as cores: a third of the time, a test waits."""
    cores = len(os.sched_getaffinity(0))
    return min(cores + (cores + 1) // 2, 16)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: list[XSpec]) -> None:
    """Let the fork server, which has compiled the kernels and imported all, start the workers."""
    with ThreadPoolExecutor() as beside:
        beside.submit(rewrite_tests, config)
        start_server()
    specs[:] = [XSpec(f"{spec}//python={sys.executable} {FORKED_PYTHON}") for spec in specs]


def pytest_collection(session: pytest.Session) -> None:
    """Collect without garbage collection: it would go through all tests again and again."""
    gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Exempt what was collected, which lives to the end, from garbage collection.

    It looks at the rest less often than is usual: that took an eighth of the time of dashboards.
    """
    gc.freeze()
    gc.set_threshold(10_000, 5, 5)
    gc.enable()


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Collect garbage after the last test of a file that expects warnings about it.

    Later, they would fail a test of another file.
    """
    filters = [one for mark in item.iter_markers("filterwarnings") for one in mark.args]
    is_last = nextitem is None or nextitem.path != item.path
    if is_last and any("PytestUnraisableExceptionWarning" in one for one in filters):
        gc.collect()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Collect garbage once; pytest does so five times, each time through all tests."""
    gc.collect()
    gc.freeze()


@functools.cache
def marks_of(folder: Path) -> Sequence[pytest.MarkDecorator]:
    """Return the marks of the tests in ``folder``."""
    return [mark for marked, mark in MARKS.items() if folder.is_relative_to(marked)]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Add the marks that follow from a test's folder and fixtures."""
    for item in items:
        for mark in marks_of(item.path.parent):
            item.add_marker(mark)
        if "text_snapshot" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.picture)


@pytest.fixture(autouse=True, scope="session")
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state and settings of the tests, apart from the user's own."""
    home = tmp_path_factory.mktemp("state")
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_STATE_HOME", str(home))
    patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    # Where the locale of the machine is not installed, screens would be ASCII.
    patch.setenv("LC_ALL", "C.UTF-8")
    yield home
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def sessions_place() -> Iterator[Path]:
    """A registry of the sessions that tests start; what is left there ends with the tests."""
    with folder_for_processes() as folder:
        yield folder


@pytest.fixture(scope="session")
def quick_dashboards() -> Iterator[None]:
    """Dashboards in the process of the tests share what they can; it stays to the end."""
    from tests.support.dashboard import quick

    with quick.quick_dashboards():
        yield


@pytest.fixture
def registries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Remove what a test has registered of its own, and imported from files."""
    from tests.support.own_code import restored_registries

    monkeypatch.setenv("TUI_META_CODE", "")
    with restored_registries():
        yield
