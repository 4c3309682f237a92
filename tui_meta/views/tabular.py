"""Charts and tables as plain values, for the clipboard and for files."""

import base64
import io
import math
import time
from collections.abc import Iterable, Mapping, Sequence

from core.analysis.answers import QUANTILES, BatteryResult, Traced
from core.events import Snapshot
from tui_meta.views.event_history import EventHistory
from tui_meta.views.messages.log import Message
from tui_meta.views.plots.plot import Plot
from tui_meta.views.run_status import RunStatus

LARGEST_COPY = 74_994
"""Bytes of base64 that every terminal with clipboard support accepts."""

Rows = Iterable[Sequence[object]]
"""Lines of cells: text, numbers, or None for an empty one."""


def plot_rows(plot: Plot) -> Rows:
    """Yield a header and each drawn point: series, x and y in the units of the data."""
    yield "series", plot.x.label or "x", plot.y.label or "y"
    for series in plot.series:
        for x, y in zip(series.x, series.y, strict=True):
            if math.isfinite(x) and math.isfinite(y):
                yield series.label, f"{plot.x.value(x):.10g}", f"{plot.y.value(y):.10g}"


def table_rows(history: EventHistory, statuses: Sequence[RunStatus]) -> Rows:
    """Yield a header and every periodic evaluation of each run."""
    yield "run", "iteration", "training loss", "loss before", "loss after"
    for one in statuses:
        for evaluated in history.evaluations[one.snapshot.run]:
            losses = (evaluated.training_loss, evaluated.losses[0], evaluated.losses[-1])
            yield one.title, evaluated.iteration, *losses


def run_rows(snapshots: Mapping[str, Snapshot]) -> Rows:
    """Yield a header and the status of each run."""
    yield "run", "algorithm", "state", "iteration", "target", "loss", "best", "best iteration"
    for run, one in snapshots.items():
        best = (one.best.mean, one.best.iteration) if one.best else (None, None)
        losses = (one.loss, *best)
        yield run, one.algorithm, one.state, one.iteration, one.target, *losses


def battery_rows(result: BatteryResult, titles: Sequence[str]) -> Rows:
    """Yield a header and the losses of each source on all tasks."""
    quantiles = [f"{100 * at:g} % quantile" for at in QUANTILES]
    yield "source", "iteration", "tasks", "mean", "95 % low", "95 % high", *quantiles, "diverged"
    for title, one in zip(titles, result.sources, strict=True):
        statistics = (one.mean, one.low, one.high, *one.quantiles)
        yield title, one.iteration, result.protocol.tasks, *statistics, one.diverged


def traced_rows(traces: Mapping[str, Traced]) -> Rows:
    """Yield a header and the lengths and cosines of each run's newest trace, one length a task."""
    yield (
        *("run", "iteration", "lengths", "distances", "outer step"),
        *("cosine of FOMAML and Reptile", "cosine of successive steps"),
    )
    for title, one in traces.items():
        lists = (" ".join(f"{each:.10g}" for each in of) for of in (one.lengths, one.distances))
        yield title, one.iteration, *lists, one.update_norm, one.fomaml_reptile, one.successive


def message_rows(messages: Sequence[Message]) -> Rows:
    """Yield a header and each message with its date and time."""
    yield "time", "message"
    for one in messages:
        yield time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.time)), one.text


def separated(rows: Rows, delimiter: str) -> str:
    """Return rows as lines; a value that contains the delimiter is quoted."""
    import csv  # late: the first frame copies nothing

    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(
        map(_cell, row) for row in rows
    )
    return text.getvalue()


def clipboard_sequences(text: str, *, tmux: bool) -> str:
    """Return the escape sequence that copies ``text`` (OSC 52); empty if ``text`` is too long.

    tmux takes the sequence itself if its ``set-clipboard`` is on, and hands a wrapped one through
    to the terminal around it if ``allow-passthrough`` is: so it gets both.
    """
    coded = base64.b64encode(text.encode(errors="backslashreplace")).decode()
    if len(coded) > LARGEST_COPY:
        return ""
    sequence = f"\x1b]52;c;{coded}\x07"
    return f"{sequence}\x1bPtmux;\x1b{sequence}\x1b\\" if tmux else sequence


def without_clipboard(environment: Mapping[str, str]) -> str:
    """Return the name of a terminal that takes no copies; empty for all others.

    GNU screen would print most of a copy over its first line.
    """
    terminal = environment.get("TERM", "")
    if "TMUX" not in environment and ("STY" in environment or terminal.startswith("screen")):
        return "GNU screen"
    return "the Linux console" if terminal.startswith("linux") else ""


def _cell(value: object) -> str:
    """Return the value as text, with control characters replaced by spaces."""
    if value is None:
        return ""
    text = f"{value:.10g}" if isinstance(value, float) else str(value)
    return "".join(char if char.isprintable() else " " for char in text)
