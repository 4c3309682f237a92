"""The status of each run in up to three lines: state, iteration, times, progress, settings."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from msgspec import Struct

from core.events import Snapshot, Validated
from core.session.api import Connection
from tui_meta.views import numbers
from tui_meta.views.event_history import EventHistory, Trouble
from tui_meta.views.plots.plot import SAMPLES, Series, curve
from tui_meta.views.run_settings import family_of, settings_words
from tui_meta.views.text import Line, Span, cells, first_that_fits, fit, line, spread
from tui_meta.views.trend import trend

_STATE_STYLES = {
    "training": "green",
    "paused": "bold yellow",
    "finished": "bold",
    "diverged": "bold red",
    "failed": "bold red",
}
_WIDTH_OF_TARGET, _ROOMY_WIDTH = 76, 96
"""Columns from which a run's one line names its last iteration and its loss; the latter in full."""

_LEAST_CELLS_IN_TITLE = 12
"""Of a run in the title of a page: a name, percent and a state."""

LEAST_BAR, LARGEST_BAR = 4, 24
"""Cells of the bar of one run of many."""

_TRENDS = {"falling": Span("↓", "green"), "level": Span("→", "dim"), "rising": Span("↑", "yellow")}


class RunStatus(Struct, frozen=True):
    """A run as the header shows it.

    ``title`` is its name on the screen, ``index`` its place among the runs, or among the curves
    that are drawn, which decides on its colour and dash; ``word`` is its state
    in words, ``trouble`` why it diverged or failed, ``saved_at`` the newest iteration on disk, and
    ``validated`` the newest validation, if any.
    """

    title: str
    index: int
    snapshot: Snapshot
    word: str
    trouble: Trouble | None = None
    saved_at: int | None = None
    validated: Validated | None = None


def run_statuses(
    snapshots: Mapping[str, Snapshot], history: EventHistory, names: Mapping[str, str]
) -> list[RunStatus]:
    """Return all runs, with their ``names`` and what ``history`` has of each."""
    found = []
    for index, (run, snapshot) in enumerate(snapshots.items()):
        state = snapshot.state
        word: str = state
        if state == "training" and history.wanted.get(run) == "paused":
            word = "pausing…"
        elif state in ("paused", "finished") and history.wanted.get(run) == "training":
            word = "starting…"
        trouble, saved_at = history.troubles.get(run), history.saved_at.get(run)
        validations = history.validations[run]
        newest = validations[-1] if validations else None
        found.append(RunStatus(names[run], index, snapshot, word, trouble, saved_at, newest))
    return found


def sample(index: int) -> Span:
    """Return a sample of the curve of run number ``index``."""
    return sample_of(curve("", (), (), index))


def sample_of(curve: Series) -> Span:
    """Return a sample of a curve, as a legend shows it."""
    return Span(2 * SAMPLES[curve.marker], "" if curve.color == "default" else curve.color)


def remaining(snapshot: Snapshot) -> float | None:
    """Return the seconds left at the current rate; None if the rate is zero."""
    left = snapshot.target - snapshot.iteration
    return left / snapshot.rate if left and snapshot.rate > 0 else None


def run_lines(status: RunStatus, width: int, rows: int, name_cells: int) -> tuple[Line, ...]:
    """The run in ``rows`` lines of ``width`` cells; ``name_cells`` aligns the runs' titles.

    With one row, or where the width is short, the least important parts give way.
    """
    if width < 48:
        return (_short(status, width),)
    if status.trouble:
        return _troubled(status, status.trouble, width, rows, name_cells)
    if status.snapshot.state == "loading":
        said = Span(f"{status.snapshot.preparing or 'starting'}…", "dim")
        return (fit(line(*_head(status, name_cells), "  ", said), width),)
    if rows < 2:
        return (_progress(status, width, name_cells, _one_row_tail(status, width)),)
    tail = line(Span(_percent(status.snapshot), "bold"), f"  {_rate(status.snapshot):>13}")
    lines = (
        _progress(status, width, name_cells, tail),
        fit(_details(status, width, name_cells), width),
        fit(line(" " * (name_cells + 5), Span(settings_words(status.snapshot), "dim")), width),
    )
    return lines[:rows]


def run_row(
    status: RunStatus, width: int, name_cells: int, *, chosen: bool, marked: bool = True
) -> Line:
    """The run in one line, as one of many: state, iteration, newest validation and progress.

    The ``chosen`` run is highlighted; without a curve it is not ``marked``. Where the width is
    short, the least important parts give way.
    """
    snapshot = status.snapshot
    style = "bold reverse" if chosen else ""
    look = sample(status.index) if marked else Span("  ")
    name = line(look, " ", Span(f"{status.title:<{name_cells}}", style), "  ")
    state = Span(f"{status.word:<9}", _STATE_STYLES.get(snapshot.state, "dim"))
    if status.trouble:
        at = f"  at {numbers.whole(snapshot.iteration)}  "
        said = Span(status.trouble.advice or status.trouble.problem, "red")
        return fit(line(*name, state, at, said), width)
    if snapshot.state == "loading":
        said = Span(f"{snapshot.preparing or 'starting'}…", "dim")
        return fit(line(*name, state, "  ", said), width)
    target = numbers.whole(snapshot.target)
    count = f"  {numbers.whole(snapshot.iteration):>{max(7, len(target))}}"
    done = line(Span(_percent(snapshot), "bold"))
    validated = line("  ", Span(f"{validation_text(status.validated):<15}", "bold"))
    named = line(Span("  validation", "dim"), *validated)
    seconds = remaining(snapshot)
    left = f"  {'' if seconds is None else numbers.duration(seconds) + ' left':<9}"
    training = line(*_fact("training loss", f"{numbers.loss(snapshot.loss):<5} "), _trend(snapshot))
    heads = line(*name, state, count, f" / {target}"), line(*name, state, count)
    tails = (
        line(*done, *named, *training, left),
        line(*done, *named, left),
        line(*done, *named),
        line(*done, *validated),
    )
    for head, tail in product(heads, tails):
        room = width - cells(head) - cells(tail) - 4
        if room >= LEAST_BAR:
            bar = numbers.bar(snapshot.iteration, snapshot.target, min(room, LARGEST_BAR))
            pieces = zip(bar, (look.style, "dim"), strict=True)
            return fit(line(*head, "  ", *(Span(*piece) for piece in pieces), "  ", *tail), width)
    return fit(first_that_fits([line(*name, *done, *validated), line(*name, *done)], width), width)


def validation_text(validated: Validated | None) -> str:
    """Return the mean loss of a validation after the last step, with its margin."""
    if validated is None:
        return "-"
    result, diverged = validated.result, validated.diverged[-1]
    if result is None:
        return "not finite"
    few = f", {numbers.whole(diverged)} diverged" if diverged else ""
    return f"{numbers.interval(result.mean, result.margin)}{few}"


def title_line(
    all_runs: Iterable[RunStatus],
    connection: Connection,
    right: Line,
    width: int,
    *,
    frozen: bool = False,
) -> Line:
    """Return the first line of the watch screen: engine, device and pace; ``right`` at its end.

    Narrow lines keep the session and its viewers the longest. A ``frozen`` view is shown here; runs
    that are paused show it in their own lines.
    """
    if frozen:
        right = line(Span(" view frozen ", "bold reverse", "freeze"), *right)
    snapshots = [one.snapshot for one in all_runs]
    loaded = [one for one in snapshots if one.state != "loading"]
    where = _common(f"{one.engine} on {one.device}" for one in loaded)
    speed = _common(numbers.pace(one.pace) for one in snapshots)
    facts = [part for part in (where, f"pace {speed}" if speed else "") if part]
    name = Span("tui-meta", "bold")
    words = [Span(f"  ·  {fact}", "bold") for fact in connection_words(connection)]
    shorter = [
        line(name, *(Span(f"  ·  {fact}", "dim") for fact in facts[left_out:]), *words)
        for left_out in range(len(facts) + 1)
    ]
    tasks = _common(family_of(one).plural for one in snapshots) or "tasks"
    full = line(name, Span(f"  few-shot {tasks}", "dim"), *shorter[0][1:])
    room = width - cells(right)
    return spread(first_that_fits([full, *shorter], room - 1), right, width)


def page_title(name: str, all_runs: Sequence[RunStatus], width: int) -> Line:
    """Return the first line of a page: its name, and the status of the runs in short."""
    left = line(Span("tui-meta", "bold"), Span(f"  ·  {name}", "bold"))
    room = width - cells(left) - 1
    runs: list[Span | str] = []
    for one in all_runs if len(all_runs) * _LEAST_CELLS_IN_TITLE <= room else ():
        at = numbers.percent(one.snapshot.iteration, one.snapshot.target)
        style = _STATE_STYLES.get(one.snapshot.state, "dim")
        runs += [f"  {one.title} ", Span(at), Span(f" {one.word}", style)]
    return spread(left, first_that_fits([line(*runs), ()], room), width)


def connection_words(connection: Connection) -> list[str]:
    """Return the session's id, its viewers, and restrictions of this client."""
    words = []
    if connection.id:
        words.append(f"session {connection.id}")
    if connection.subscribers > 1:
        words.append(f"{connection.subscribers} viewers")
    if connection.read_only:
        words.append("read-only")
    if connection.lost:
        words.append("LOST")
    return words


def _common(values: Iterable[str]) -> str:
    return " / ".join(dict.fromkeys(values))


def _head(status: RunStatus, name_cells: int) -> Line:
    state = Span(f"{status.word:<9}", _STATE_STYLES.get(status.snapshot.state, "dim"))
    title = Span(f"{status.title:<{name_cells}}", "bold")
    return line(sample(status.index), " ", title, "  ", state)


def _progress(status: RunStatus, width: int, name_cells: int, tail: Line) -> Line:
    """Title, state, count and ``tail``, with a bar in what room they leave."""
    snapshot = status.snapshot
    target = numbers.whole(snapshot.target)
    count = f"{numbers.whole(snapshot.iteration):>{len(target)}}"
    if width >= _WIDTH_OF_TARGET:
        count += f" / {target}"
    head = line(*_head(status, name_cells), "  ", Span(count, "bold"), "  ")
    room = width - cells(head) - cells(tail) - 2
    if room < 4:
        return spread(head, tail, width)
    done, still_open = numbers.bar(snapshot.iteration, snapshot.target, room)
    style = sample(status.index).style
    return line(*head, Span(done, style), Span(still_open, "dim"), "  ", *tail)


def _one_row_tail(status: RunStatus, width: int) -> Line:
    """Return progress, loss with its trend, and the remaining time."""
    snapshot = status.snapshot
    parts: list[Span | str] = [Span(_percent(snapshot), "bold"), "  "]
    if width >= _WIDTH_OF_TARGET:
        parts.append(Span("training loss " if width >= _ROOMY_WIDTH else "train ", "dim"))
    parts += [Span(f"{numbers.loss(snapshot.loss):<5} ", "bold"), _trend(snapshot)]
    left = remaining(snapshot)
    if left is not None:
        parts.append(f"  {numbers.duration(left)} left")
    return line(*parts)


def _trend(snapshot: Snapshot) -> Span:
    """Return the trend of the training loss as an arrow."""
    known = trend(snapshot.curve)
    return _TRENDS[known] if known else Span(" ")


def _trend_words(snapshot: Snapshot) -> Span:
    """Return the trend in words, padded together with the loss in front of it."""
    known = trend(snapshot.curve)
    words = f", {known}" if known else ""
    room = 5 + len(", falling") - len(numbers.loss(snapshot.loss))
    return Span(f"{words:<{room}}", _TRENDS[known].style if known else "")


def _details(status: RunStatus, width: int, name_cells: int) -> Line:
    snapshot = status.snapshot
    left, loss = remaining(snapshot), numbers.loss(snapshot.loss)
    # Padded: a number that changes its length must not move what follows it.
    times = (
        *line(" " * (name_cells + 5)),
        *_fact("elapsed", f"{numbers.duration(snapshot.elapsed):<5}", gap=""),
        *(line(" " * 13) if left is None else _fact("left", f"{numbers.duration(left):<5}")),
    )
    in_words = (*times, *_fact("training loss", loss), _trend_words(snapshot))
    brief = (*times, *_fact("training loss", f"{loss:<5} "), _trend(snapshot))
    best = _fact("best validation", numbers.loss(snapshot.best.mean if snapshot.best else None))
    if snapshot.best:
        best += _fact("at", numbers.whole(snapshot.best.iteration), gap=" ")
    saved = _saved(status)
    candidates = [(*in_words, *best, *saved), (*brief, *best, *saved), (*brief, *best)]
    return first_that_fits(candidates, width)


def _saved(status: RunStatus) -> Line:
    """Return the newest iteration on disk, or that there is none."""
    if status.saved_at is not None:
        return _fact("saved at", numbers.whole(status.saved_at))
    return line(Span("   not saved yet", "dim")) if status.snapshot.unsaved else ()


def _fact(name: str, value: str, gap: str = "   ") -> Line:
    return Span(f"{gap}{name} ", "dim"), Span(value)


def _troubled(
    status: RunStatus, trouble: Trouble, width: int, rows: int, name_cells: int
) -> tuple[Line, ...]:
    """Return why the run ended and what to try, in place of its progress."""
    at = Span(f"at {numbers.whole(status.snapshot.iteration)}", "bold")
    head = line(*_head(status, name_cells), "  ", at, "  ")
    if rows < 2:
        return (fit(line(*head, Span(trouble.advice or trouble.problem, "red")), width),)
    below = line(" " * (name_cells + 5), Span(trouble.advice, "red"))
    return fit(line(*head, Span(trouble.problem, "red")), width), fit(below, width)


def _short(status: RunStatus, width: int) -> Line:
    """Return name, progress or state, and loss, for a very narrow terminal."""
    snapshot = status.snapshot
    said = status.word if snapshot.state != "training" else _percent(snapshot)
    return fit(line(Span(status.title, "bold"), f" {said} {numbers.loss(snapshot.loss)}"), width)


def _percent(snapshot: Snapshot) -> str:
    return f"{numbers.percent(snapshot.iteration, snapshot.target):>4}"


def _rate(snapshot: Snapshot) -> str:
    return numbers.rate(snapshot.rate) if snapshot.state == "training" else ""
