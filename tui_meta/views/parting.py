"""What is asked before runs end, and what is said after."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from core.events import Snapshot
from tui_meta.views.messages import shown_path
from tui_meta.views.numbers import whole
from tui_meta.views.record import Record
from tui_meta.views.standing import titles

Parting = Literal["save", "discard", "stay"]


def needs_question(snapshots: Mapping[str, Snapshot]) -> bool:
    """Whether leaving now would stop something, or lose it."""
    return any(one.unsaved or one.state == "training" for one in snapshots.values())


def farewell(snapshots: Mapping[str, Snapshot], record: Record) -> list[str]:
    """A line for each run, and how to go on with them."""
    names = titles(snapshots)
    lines = []
    folders = []
    for run, one in snapshots.items():
        text = f"{names[run]} {one.state} at {whole(one.iteration)} / {whole(one.target)}"
        path = record.saved.get(run)
        if run in record.troubles:
            text += f": {record.troubles[run].problem}"
        if path:
            text += f", saved {shown_path(path)}"
            folders.append(shlex.quote(shown_path(str(Path(path).parent))))
        elif one.iteration:
            text += ", not saved"
        lines.append(text)
    if folders:
        lines.append(f"go on with: tui-meta resume {' '.join(folders)}")
    return lines
