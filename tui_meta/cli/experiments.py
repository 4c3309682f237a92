"""The runs of an experiment as text, before they start."""

from collections.abc import Sequence

from core.experiments.specification import PlannedRun
from tui_meta.cli.tables import print_table
from tui_meta.console import Output
from tui_meta.views.numbers import whole

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
