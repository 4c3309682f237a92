"""``tui-meta diff``: differences between two runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.config import RunConfig
from core.engines.base import TrainState
from core.events import Started, Validated
from core.storage.event_log_reader import history
from core.storage.latest_checkpoint import latest_or_untrained
from core.storage.run_folder import RunRecord
from core.storage.run_index import RunSummary, describe_run
from tui_meta.cli.tables import print_table
from tui_meta.console import Exit, print_note
from tui_meta.output import Output
from tui_meta.views.numbers import whole
from tui_meta.views.runs.report import dotted, recorded_config, saving_of

DIFFERENT = 1
"""The exit code where settings or results differ, as that of ``diff``."""

Pairs = dict[str, tuple[str, str]]
"""Values of both runs by their names."""


@dataclass(frozen=True)
class Run:
    """The parts of a run that are compared; ``state`` is that of its latest checkpoint.

    ``changes`` lists what differed from ``run.json`` when the run was resumed.
    """

    entry: RunSummary
    record: RunRecord
    config: RunConfig
    state: TrainState
    changes: str
    validation: Validated | None


def diff(first: Path, second: Path) -> int:
    """Print the differences between the runs in two folders; 0 if settings and results agree."""
    a, b = _opened(first), _opened(second)
    # Settings of two different algorithms are compared under one name.
    shared = None if a.config.algorithm.name == b.config.algorithm.name else "algorithm"
    settings = _differing(dotted(a.config, shared), dotted(b.config, shared))
    results = _differing(_results(a), _results(b))
    if apart := parameters_apart(a.state, b.state):
        results["parameters"] = ("", apart)
    output = Output()
    output.print_line(f"a: {a.entry.path}")
    output.print_line(f"b: {b.entry.path}")
    output.print_line("")
    _show(output, "Settings", settings, "identical")
    _show(output, "Environment", _differing(_environment(a), _environment(b)), "identical")
    _show(output, "Results", results, "identical (parameters bit-for-bit)")
    return DIFFERENT if settings or results else Exit.DONE


def parameters_apart(a: TrainState, b: TrainState) -> str:
    """Return the difference between the parameters of two states; empty if bit-identical."""
    x, y = a.theta, b.theta
    if x.dtype == y.dtype and x.tobytes() == y.tobytes():
        return ""
    if x.shape != y.shape:
        return f"{whole(y.size)} instead of {whole(x.size)}"
    with np.errstate(all="ignore"):
        largest = np.abs(x.astype(np.float64) - y.astype(np.float64)).max()
    return f"largest difference {largest:.3g}"


def _opened(path: Path) -> Run:
    """Open the run in the folder ``path``, and print which checkpoints were skipped."""
    entry, record = describe_run(path)
    events = list(history(path))
    latest = latest_or_untrained(path, record.config)
    for warning in latest.warnings:
        print_note(warning)
    validated = (event for event in reversed(events) if isinstance(event, Validated))
    validation = next(validated, None)
    config = recorded_config(path, record)
    starts = [event for event in events if isinstance(event, Started)]
    changes = ", ".join(dict.fromkeys(change for start in starts for change in start.differs))
    return Run(entry, record, config, latest.checkpoint.state, changes, validation)


def _environment(run: Run) -> dict[str, str]:
    record = run.record
    return {
        **record.versions,
        "python": record.python,
        "engine": record.engine,
        "device": record.device,
        "processor": record.processor,
        "git commit": record.commit or "-",
        "changed later": run.changes or "-",
        **saving_of(record.saving),
    }


def _results(run: Run) -> dict[str, str]:
    """Return losses with all their digits: they differ where a bit does."""
    last = run.validation.mean[-1] if run.validation else "-"
    return {
        "iteration": str(run.state.iteration),
        "best validation loss": str(run.entry.best.mean) if run.entry.best else "-",
        "last validation loss": str(last),
    }


def _differing(a: Mapping[str, str], b: Mapping[str, str]) -> Pairs:
    """Return the values that differ, by name; "-" for one that only the other run has."""
    names = dict.fromkeys((*a, *b))
    pairs = {name: (a.get(name, "-"), b.get(name, "-")) for name in names}
    return {name: (x, y) for name, (x, y) in pairs.items() if x != y}


def _show(output: Output, title: str, pairs: Pairs, none: str) -> None:
    if not pairs:
        output.print_line(f"{title}: {none}")
        output.print_line("")
        return
    output.print_line(title, "bold")
    print_table(output, ("", "a", "b"), ((name, *values) for name, values in pairs.items()))
