"""One iteration as a picture: theta, the inner steps of each task, and the outer step."""

from collections import deque
from collections.abc import Collection, Sequence

from msgspec.structs import replace
from rich.cells import cell_len

from core.analysis.answers import Number, Traced
from tui_meta.views.numbers import whole
from tui_meta.views.plots.axis import Limits
from tui_meta.views.plots.plot import Plot, Series, curve
from tui_meta.views.short_names import names_in_row
from tui_meta.views.text import Line, Span, fit, line

_NUMBERED = 9
"""Tasks whose numbers are at the ends of their paths; more would cover the paths."""

_REMEMBERED = 8
"""Iterations that the axes have room for: one may be ten times as large as the next."""

_PICTURE_CELLS = 60
_NUMBER_ROWS = 6
_CHART_ROWS = 6


class GeometryChart:
    """Makes the picture; it remembers limits, so that successive iterations can be compared."""

    def __init__(self, index: int = 0) -> None:
        self._index = index
        self._x = Limits.unknown()
        self._y = Limits.unknown()
        self._newest: deque[Traced] = deque(maxlen=_REMEMBERED)
        self._plot: Plot | None = None
        self._title = ""

    def plot(self, answer: Traced, title: str = "") -> Plot:
        """Theta is the origin; the paths of all tasks have the colour of run number ``index``.

        The ``title`` is that of the run, by default its algorithm.
        """
        is_new = not self._newest or answer is not self._newest[-1]
        if is_new:
            self._newest.append(answer)
        if self._plot is None or is_new or title != self._title:
            self._title = title
            self._plot = self._make(answer)
        return self._plot

    def _make(self, answer: Traced) -> Plot:
        places = [place for one in self._newest for place in _places(one)]
        self._x = self._x.follow((x for x, _ in places), steady=True)
        self._y = self._y.follow((y for _, y in places), steady=True)
        several = len(answer.paths) > 1
        name = f"tasks 1 to {len(answer.paths)}" if several else "task"
        paths = []
        for number, path in enumerate(answer.paths, 1):
            x, y = zip((0.0, 0.0), *path, strict=True)
            one = curve(name if number == 1 else "", x, y, self._index)
            tag = str(number) if several and number <= _NUMBERED else ""
            paths.append(replace(one, marker="solid", arrows=True, tag=tag))
        to_x, to_y = answer.update
        outer = Series("outer step", (0.0, to_x), (0.0, to_y), "line", "bright_green", "dash-dot")
        theta = Series("θ", (0.0,), (0.0,), "points", "bright_magenta", "◆")
        first, second = answer.explained
        return Plot(
            f"{self._title or answer.algorithm} after {whole(answer.iteration)}"
            f" · PCA plane, {_percent(first)} + {_percent(second)}",
            (*paths, replace(outer, arrows=True), theta),
            self._x.axis(f"axis 1: {_percent(first)}"),
            self._y.axis(f"axis 2: {_percent(second)}"),
            same_scale=True,
        )


def _places(answer: Traced) -> list[tuple[float, float]]:
    return [(0.0, 0.0), answer.update, *(point for path in answer.paths for point in path)]


def side_by_side(width: int, runs: int, chosen: int) -> range:
    """Return the runs that fit side by side, number ``chosen`` among them."""
    room = max(1, min(runs, width // _PICTURE_CELLS))
    first = max(0, min(chosen, runs - room))
    return range(first, first + room)


def number_rows(height: int, lines: int) -> int:
    """Return the rows for ``lines`` of numbers below a picture, in ``height`` rows for both."""
    return min(lines, _NUMBER_ROWS, max(0, height - _CHART_ROWS))


def chooser_line(
    titles: Sequence[str], shown: Collection[int], chosen: int, width: int, *, following: bool
) -> Line:
    """The runs, those ``shown`` in bold, the ``chosen`` one marked; and whether they are followed.

    Where all of them are shown there is nothing to choose. Where they do not fit ``width`` cells,
    there are those around the chosen one.
    """
    said = "following, once per second" if following else "one iteration, from θ to the outer step"
    names, seen = names_in_row(titles, chosen, width - cell_len(said))
    spans: list[Span | str] = ["…"] if seen.start else []
    for index in seen:
        mark = "▸" if index == chosen and len(shown) < len(titles) else " "
        spans.append(Span(f"{mark}{names[index]}  ", "bold" if index in shown else "dim"))
    spans.append("… " if seen.stop < len(titles) else "")
    return line(*spans, Span(said, "bright_green" if following else "dim"))


def number_lines(answer: Traced, width: int = _PICTURE_CELLS) -> list[Line]:
    """Lengths in the space of all parameters, and cosines of directions.

    In ``width`` cells, the last of which stays free: another picture may follow.
    """
    n = len(answer.paths)
    tasks = "of 1 task" if n == 1 else f"mean of {n} tasks"
    steps = len(answer.paths[0])
    length, distance = sum(answer.lengths) / n, sum(answer.distances) / n
    straight = f"straightness {distance / length:.2f}" if length else ""
    lines = [
        _said(
            "inner path",
            f"{length:.3g}",
            f"{'1 step' if steps == 1 else f'{steps} steps'}, {tasks}",
        ),
        _said("displacement", f"{distance:.3g}", straight),
        _said("outer step", f"{answer.update_norm:.3g}", ""),
        _said("cosine", _cosine(answer.fomaml_reptile), "FOMAML and Reptile step at this θ"),
        _said("cosine", _cosine(answer.successive), "outer step t and step t+1"),
    ]
    if not answer.exact:
        said = "optimizer state unknown: outer steps as with plain SGD"
        lines.append((Span(said, "dim"),))
    return [fit(one, max(0, width - 1)) for one in lines]


def _said(what: str, value: str, remark: str) -> Line:
    return line(f"{what:<13}", Span(f"{value:>8}", "bold"), Span(f"  {remark}".rstrip(), "dim"))


def _cosine(value: Number) -> str:
    return "-" if value is None else f"{value:+.3f}"


def _percent(share: float) -> str:
    return f"{100 * share:.{0 if share >= 0.01 or share == 0 else 1}f}%"
