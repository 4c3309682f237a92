"""The only module that knows plotext: lines of points as rows of text.

Seen in plotext 6.1.0:

- Its kernel aborts the process over numbers that are not finite, and over such far outside of its
  limits. `LIMITS` are safe. No upstream issue known.
- Its figure is one for all threads, and never larger than the terminal unless the limits are
  changed before the size: https://github.com/piccolomo/plotext/issues/88. So each thread has a
  figure that belongs to a terminal of its own without limits, through the private ``_master``.
- Importing it lays out the pages of its manual, which takes longer than all the rest. No upstream
  issue known.
- Its methods copy the marker for each point of a line, and read them all again for the colour of
  the next line, which takes four fifths of the time. So lines are built through private ones. No
  upstream issue known.
"""

import math
import sys
import threading
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any, cast

LIMITS = (-1.0, 2.0)
"""Where a coordinate may lie, the axis' limits being 0 and 1."""

MANUAL = "plotext._doc.doc"
NO_MANUAL = ModuleType(MANUAL)
NO_MANUAL.docs = None  # type: ignore[attr-defined]
"""The module of plotext that lays out its manual, and one that does not."""

_local = threading.local()


def draw_lines(
    lines: Sequence[Sequence[tuple[float, float, bool]]],
    markers: Iterable[str],
    columns: int,
    rows: int,
) -> list[str]:
    """Draw each of ``lines`` with its marker; return the rows with ANSI colours.

    A point is (x, y, joined to the one before), the axes' limits being 0 and 1. The colour of a
    cell is the palette number of its line: 0 for the first.
    """
    figure, new_signal, new_marker = own_figure()
    figure.clear.data()
    figure.plot_size(columns, rows)
    for number, (line, name) in enumerate(zip(lines, markers, strict=True)):
        marker = new_marker(name, number)
        signal = new_signal(len(line))._set_marker(marker)
        for index, (x, y, joined) in enumerate(line):
            signal._append_point(x, y, marker)
            signal._set_connected(index, joined)
        figure._signals._add(signal)
    text: str = figure.build().string()
    return text.split("\n")[:rows]


def import_plotext() -> tuple[Any, Any]:
    """Return plotext and its class of lines; their import takes a tenth of a second."""
    sys.modules.setdefault(MANUAL, NO_MANUAL)
    import plotext  # type: ignore[import-untyped]  # it ships no types
    from plotext._signal.signal import signal_class  # type: ignore[import-untyped]

    return plotext, signal_class


def own_figure() -> tuple[Any, Any, Any]:
    """Return the figure of this thread, and plotext's classes of lines and markers."""
    if not hasattr(_local, "tools"):
        plotext, signal_class = import_plotext()  # late: only a drawn chart should cost this
        terminal = type(plotext.terminal)()
        terminal.limit(False, False)
        figure = terminal._master
        figure.theme("colorless").axes(False).legend(False)
        for axis, side in ((0, 0), (0, 1), (1, 0), (1, 1)):
            figure.ruler(axis, side).frequency(0).lim(0, 1)
        _local.tools = figure, signal_class, plotext.marker
    return cast(tuple[Any, Any, Any], _local.tools)


def cell(share: float, cells: int) -> int:
    """Return the cell of ``cells`` in which plotext draws what lies at ``share`` of an axis.

    This repeats plotext's rounding, so that a tick and the curve that passes it share a row.
    """
    return math.floor(0.5016585662 + (cells - 0.5016585662 - 0.501516152) * share)
