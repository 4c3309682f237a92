"""The battery's results as lines and plots, and its progress bar."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise

from msgspec.structs import replace
from rich.cells import cell_len

from core.analysis.answers import WORST_TASKS, BatteryResult, Number, Pair, SourceResult
from core.evaluation_protocol import EvaluationProtocol
from core.tasks.sine import SineTasks
from tui_meta.views.numbers import bar, loss, percent, whole
from tui_meta.views.plots.axis import Limits
from tui_meta.views.plots.heat import COLORS, Ramp, heat_cell
from tui_meta.views.plots.plot import Plot, curve
from tui_meta.views.run_status import sample
from tui_meta.views.short_names import brief_names, shorter_forms
from tui_meta.views.text import Line, Span, cells, first_that_fits, fit, line, plain, spread

_NUMBER_CELLS = 7
_DIVERGED_CELLS = 10
_TITLE_CELLS = 8
_USUAL_TITLE, _WIDEST_TITLE = 20, 40
MOST_LISTED = 4
"""Sources that the legend of the histogram names; of more, the table has samples."""

_SAMPLE_CELLS = 3
_WITH_INTERVAL = 3
"""The first wordings of a comparison, which have its interval."""

_COLUMNS = (
    ("mean", "low", "high", "median", "5%", "25%", "75%", "95%", "diverged"),
    ("mean", "low", "high", "median", "5%", "95%", "diverged"),
    ("mean", "low", "high", "median", "diverged"),
    ("mean", "median", "95%", "diverged"),
    ("mean", "median"),
)
_DIVERGED = "!"
_LABEL_CELLS = 12
_WIDEST_CELL = 5


def progress_line(done: int, total: int, width: int) -> Line:
    """Return the progress bar of a running battery, and how to cancel it."""
    said = f" {percent(done, total)}  esc: cancel"
    full, rest = bar(done, total, max(0, min(40, width - len(said))))
    return fit(line(Span(full, "bright_cyan"), Span(rest, "dim"), said), width)


def title_line(answer: BatteryResult, titles: Sequence[str], width: int) -> Line:
    """Return the line that names the tasks and, where it fits, the iterations of the networks."""
    protocol = answer.protocol
    tasks = Span(f"{whole(protocol.tasks)} random tasks", "bold")
    rest = f"{protocol.last_step} gradient steps, seed {protocol.seed}"
    candidates = [line(tasks, f", {support}, {rest}") for support in _support(protocol)]
    said = first_that_fits(candidates, width)
    at = [
        f"{title} at {whole(source.iteration)}"
        for title, source in zip(titles, answer.sources, strict=True)
        if source.iteration
    ]
    right = line(Span(", ".join(at), "dim"))
    return spread(said, first_that_fits([right, ()], width - cells(said) - 2), width)


def table(answer: BatteryResult, titles: Sequence[str], width: int) -> list[Line]:
    """Return a row for each source; narrow tables drop quantiles and the interval.

    Rows of many sources begin with a sample of their curve. The title of the last source, the
    untrained network, gives way to numbers.
    """
    rows = [_numbers(source) for source in answer.sources]
    has_samples = len(titles) > MOST_LISTED
    full_width, width = width, width - _SAMPLE_CELLS * has_samples
    needed = max(_TITLE_CELLS, min(_WIDEST_TITLE, 1 + max(map(cell_len, titles[:-1]), default=0)))
    columns = next(
        (
            names
            for least in (needed, _TITLE_CELLS)
            for names in _COLUMNS
            if least + sum(map(_cells, names)) <= width
        ),
        _COLUMNS[-1],
    )
    room = max(_TITLE_CELLS, min(max(needed, _USUAL_TITLE), width - sum(map(_cells, columns))))
    titles = brief_names(titles, room)
    low_high = f"{'low':>{_NUMBER_CELLS}}{'high':>{_NUMBER_CELLS}}"
    interval = f"{'95% interval':>{2 * _NUMBER_CELLS}}"
    heading = _row("loss", {name: name for name in columns}, room).replace(low_high, interval)
    lines = [fit(line(" " * _SAMPLE_CELLS * has_samples, Span(heading, "dim")), full_width)]
    for index, (title, numbers) in enumerate(zip(titles, rows, strict=True)):
        text = _row(title, {name: numbers[name] for name in columns}, room)
        look = (sample(index), " ") if has_samples else ()
        lines.append(fit(line(*look, text), full_width))
    return lines


def _numbers(source: SourceResult) -> dict[str, str]:
    """Return the values of a row, by the name of their column."""
    low, quarter, _, three_quarters, high = source.quantiles
    values = {
        "mean": source.mean,
        "median": source.median,
        "5%": low,
        "25%": quarter,
        "75%": three_quarters,
        "95%": high,
    }
    return {
        **{name: _text(value) for name, value in values.items()},
        "low": loss(source.low),
        "high": loss(source.high),
        "diverged": whole(source.diverged),
    }


def pair_lines(answer: BatteryResult, titles: Sequence[str], source: int, width: int) -> list[Line]:
    """Return the paired comparison of ``source`` with every other source."""
    pairs = [pair for pair in answer.pairs if source in (pair.first, pair.second)]
    forms = list(shorter_forms(titles))

    def is_short(names: Sequence[str]) -> bool:
        return all(cells(pair_words(pair, names)[:_WITH_INTERVAL][-1]) <= width for pair in pairs)

    names = next(filter(is_short, forms), forms[-1])
    return [fit(first_that_fits(pair_words(pair, names), width), width) for pair in pairs]


def pair_words(pair: Pair, titles: Sequence[str]) -> list[Line]:
    """Return the wordings of a comparison, the most complete first."""
    first, second = titles[pair.first], titles[pair.second]
    names = f"{first} \N{MINUS SIGN} {second}"
    share = f"lower on {100 * pair.first_better:.0f}%"
    if pair.mean is None or pair.low is None or pair.high is None:
        said = line(f"{names}: ", Span("no mean: a task diverged", "bold"))
        return [line(*said, f"; {first} {share} of the tasks"), said]
    numbers = f"{names} {loss(pair.mean)} ({loss(pair.low)} to {loss(pair.high)}): "
    if pair.low <= 0 <= pair.high:
        verdict, short = Span("no significant difference (95%)", "bold"), "not significant"
    else:
        better = first if pair.high < 0 else second
        verdict, short = Span(f"{better}'s loss is lower", "bold"), f"{better} lower"
    return [
        line(numbers, verdict, f"; {first} {share} of the tasks"),
        line(numbers, verdict, f"; {first} {share}"),
        line(numbers, verdict),
        line(f"{names} {loss(pair.mean)}: ", verdict),
        line(f"{names} {loss(pair.mean)}: ", Span(short, "bold")),
    ]


def histogram(answer: BatteryResult, titles: Sequence[str]) -> Plot:
    """Return the histogram of the final loss over all tasks."""
    edges = [math.log10(edge) for edge in answer.bins]
    centres = [(left + right) / 2 for left, right in pairwise(edges)]
    counts = [source.counts for source in answer.sources]
    filled = [place for place, bin in enumerate(zip(*counts, strict=True)) if any(bin)]
    # An empty bin on either side, to which the curves fall.
    first = max(0, filled[0] - 1) if filled else 0
    last = min(len(centres), filled[-1] + 2) if filled else len(centres)
    return Plot(
        "histogram of final loss",
        tuple(
            replace(curve(title, centres, source.counts, index), listed=len(titles) <= MOST_LISTED)
            for index, (title, source) in enumerate(zip(titles, answer.sources, strict=True))
        ),
        Limits(edges[first], edges[last], "log").axis("loss"),
        Limits.unknown().follow((0, max(map(max, counts)) or 1)).axis("tasks"),
    )


def heat_lines(
    answer: BatteryResult,
    source: int,
    width: int,
    ramp: Ramp = COLORS,
    beside: Sequence[int] = (),
    rows: int = 1,
) -> list[Line]:
    """Return the heat map of the mean loss, by the first two parameters of tasks, and its scale.

    The maps of the sources in ``beside`` share the scale. A cell is ``rows`` high.
    """
    shown = answer.sources[source]
    scale = _scale([shown, *(answer.sources[other] for other in beside)])
    labels = answer.names or [f"{low} to {high}" for low, high in pairwise(_edges(answer.rows))]
    room = max(_LABEL_CELLS, 1 + max(map(len, labels), default=0))
    cell = max(1, min(_WIDEST_CELL, (width - room) // max(1, len(answer.columns) - 1)))
    lines = []
    for name, means, tasks in zip(
        reversed(labels), reversed(shown.heat), reversed(answer.tasks), strict=True
    ):
        spans = [_heat_span(mean, n, ramp, scale) for mean, n in zip(means, tasks, strict=True)]
        for label in (name, *[""] * (rows - 1)):
            title = Span(f"{label:>{room - 1}} ", "dim")
            lines.append(fit(line(title, *_widened(spans, cell)), width))
    first, *_, last = ("low", "high") if answer.names else _edges(answer.columns)
    gap = cell * (len(answer.columns) - 1) - len(first) - len(last)
    up, across = answer.axes[0][: room - 1], answer.axes[1][: max(room - 1, gap - 2)]
    foot = f"{up:>{room - 1}} {first}{across:^{max(7, gap)}}{last}"
    smallest, largest = (_text(10**end) for end in scale)
    key = line(
        Span(f"{f'loss {smallest}':>{room - 1}} ", "dim"),
        *_widened(ramp, 2),
        Span(f" {largest}{f', {_DIVERGED} diverged' if shown.diverged else ''}", "dim"),
    )
    return [*lines, fit((Span(foot, "dim"),), width), fit(key, width)]


def _edges(values: Sequence[float]) -> list[str]:
    """Return the edges of cells with as many decimals as tell them apart."""
    width = min((high - low for low, high in pairwise(values)), default=1.0)
    decimals = 1 if not 0 < width < 0.1 else min(6, math.ceil(-math.log10(width)))
    return [f"{value:.{decimals}f}" for value in values]


def _widened(spans: Iterable[Span], cells: int) -> Line:
    """Return each of the one-cell ``spans`` as so many cells; equal neighbours are one span."""
    return tuple(
        Span(text * cells * len(list(same)), style)
        for (text, style), same in groupby(spans, key=lambda one: (one.text, one.style))
    )


def worst_lines(
    answer: BatteryResult,
    source: int,
    selected: int | None,
    width: int,
    rows: int = WORST_TASKS + 1,
) -> list[Line]:
    """Return the tasks with the largest losses; enter opens the one that is ``selected``."""
    worst = answer.sources[source].worst
    first = max(0, min((selected or 0) - rows + 2, len(worst) - rows + 1))
    what = "wave" if answer.axes == SineTasks().parameters else "function"
    lines = [fit((Span(f"   task      loss  {what}", "dim"),), width)]
    for place, poor in list(enumerate(worst))[first : first + max(0, rows - 1)]:
        mark = "▸" if place == selected else " "
        text = f"{mark}{whole(poor.index):>6}  {_text(poor.loss):>8}  {poor.label}"
        lines.append(fit((Span(text, "reverse" if place == selected else ""),), width))
    return lines


def _row(title: str, numbers: Mapping[str, str], room: int) -> str:
    """Return a row of ``numbers``, by the name of their column."""
    name = plain(fit(line(title), room))
    return name + "".join(f"{text:>{_cells(column)}}" for column, text in numbers.items())


def _support(protocol: EvaluationProtocol) -> tuple[str, str]:
    """Return number and interval of the support points, in full and in short."""
    interval = protocol.support_interval
    where = "[{:g}, {:g}]".format(*interval) if interval else "whole range"
    return protocol.support, f"{protocol.shots} points, {where}"


def _cells(column: str) -> int:
    return _DIVERGED_CELLS if column == "diverged" else _NUMBER_CELLS


def _text(value: Number) -> str:
    return "inf" if value is None else loss(value)


def _scale(sources: Iterable[SourceResult]) -> tuple[float, float]:
    """Return the decimal logarithms of the smallest and the largest mean of a cell."""
    means = [
        math.log10(mean)
        for source in sources
        for row in source.heat
        for mean in row
        if mean is not None and mean > 0
    ]
    return (min(means), max(means)) if means else (0.0, 0.0)


def _heat_span(mean: Number, tasks: int, ramp: Ramp, scale: tuple[float, float]) -> Span:
    if tasks == 0:
        return Span(" ")
    return Span(_DIVERGED, "bold") if mean is None else heat_cell(ramp, mean, scale)
