"""The runs of an experiment as text: before they start, as they end, and in groups."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import get_args

from core.experiments.results import Ended, RunResult
from core.experiments.specification import PlannedRun
from core.experiments.summary import GroupSummary
from tui_meta.cli.tables import print_table
from tui_meta.output import Output
from tui_meta.views.numbers import duration, interval, seeds_mean, whole
from tui_meta.views.sweep.words import difference_words, diverged_tasks, footnotes, troubles

SHOWN_SEEDS = 8


def print_runs(runs: Sequence[PlannedRun]) -> None:
    """Print a row for each group, with its seeds, and how many runs there are."""
    groups: dict[str, list[PlannedRun]] = {}
    for run in runs:
        groups.setdefault(run.group, []).append(run)
    rows = [
        (group, whole(len(members)), seeds_in_words([run.config.seed for run in members]))
        for group, members in groups.items()
    ]
    output = Output()
    print_table(output, ("group", "runs", "seeds"), rows, numbers=(1,))
    output.print_line(f"{counted(len(runs), 'run')} in {counted(len(groups), 'group')}")


def counted(n: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{whole(n)} {noun}{'' if n == 1 else 's'}"


def seeds_in_words(seeds: Sequence[int]) -> str:
    """Return a few seeds one by one, and many as a range or with their end left out."""
    if len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]} to {seeds[-1]}"
    shown = ", ".join(map(str, seeds[:SHOWN_SEEDS]))
    return shown if len(seeds) <= SHOWN_SEEDS else f"{shown}, ..."


def result_line(result: RunResult) -> str:
    """Return a result in one line."""
    words = f"{result.run}: {result.state}"
    if result.state != "finished":
        return f"{words}, {result.problem}"
    if one := result.validation:
        words += f", validation loss {interval(one.mean, one.margin)}"
        if few := diverged_tasks([result.last]):
            words += f" ({few})"
    return f"{words}, {duration(result.spent.seconds)}"


def outcome(results: Iterable[RunResult]) -> str:
    """Return how many runs ended in each way: ``18 finished, 2 diverged``."""
    counts = Counter(result.state for result in results)
    states: tuple[Ended, ...] = get_args(Ended)
    return ", ".join(f"{whole(counts[state])} {state}" for state in states if counts[state])


def print_groups(output: Output, groups: Sequence[GroupSummary]) -> None:
    """Print a row for each group: its runs, its mean over seeds, and its distance to the best."""
    rows = [
        (
            one.group,
            f"{one.count('finished')}/{one.planned}",
            troubles(one),
            seeds_mean(one.validation),
            difference_words(one),
        )
        for one in groups
    ]
    columns = ["group", "finished", "problems", "validation", "more than the best"]
    print_table(output, columns, rows, numbers=(1, 3, 4), names=(0,), optional=(2, 4))
    for line in footnotes(groups):
        output.print_line(line)
