"""What a run has left in its folder, for moving through it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

from core.bench.answers import Cancelled, PastEvaluation, Recalled, SavedTheta, number
from core.catalogue import checkpoint_files, history
from core.checkpoint_header import CheckpointHeader
from core.errors import RunFolderError, reason
from core.events import Evaluated, SaveKind
from core.run_folder import read_record

MOST_CHECKPOINTS = 1_000
MOST_EVALUATIONS = 2_000


def recall(folder: Path, cancelled: Callable[[], bool]) -> Recalled | Cancelled:
    """The checkpoints and periodic evaluations of ``folder``; raises ``RunFolderError``."""
    files = checkpoint_files(folder)
    sound = [_saved(file.path, file.header) for file in files if file.header]
    evaluations = _evaluations(folder, cancelled)
    if evaluations is None:
        return Cancelled()
    return Recalled(
        folder=str(folder),
        checkpoints=tuple(sound[-MOST_CHECKPOINTS:]),
        damaged=len(files) - len(sound),
        evaluations=tuple(evaluations),
        seed=_seed(folder),
    )


def _seed(folder: Path) -> int | None:
    """What the tasks of the run are drawn with; None where its record does not tell."""
    try:
        seed = read_record(folder).config.get("seed")
    except RunFolderError:
        return None
    return seed if isinstance(seed, int) and 0 <= seed < 2**63 else None


def _evaluations(folder: Path, cancelled: Callable[[], bool]) -> list[PastEvaluation] | None:
    """As many as there is room for, evenly spaced; None once ``cancelled``."""
    kept: list[PastEvaluation] = []
    stride, seen = 1, 0
    try:
        for event in history(folder):
            if cancelled():
                return None
            if not isinstance(event, Evaluated) or event.probe != "validation":
                continue
            if seen % stride == 0:
                kept.append(_past(event))
            seen += 1
            if len(kept) > MOST_EVALUATIONS:
                kept = kept[::2]
                stride *= 2
    except OSError as error:
        problem = f"it cannot be read ({reason(error)})"
        raise RunFolderError(folder / "events.jsonl", problem, "give yourself access") from error
    return kept


def _saved(path: Path, header: CheckpointHeader) -> SavedTheta:
    # A stranger's header may hold any text there.
    kind = next((kind for kind in get_args(SaveKind) if kind == header.kind), None)
    return SavedTheta(name=path.name, iteration=header.iteration, kind=kind)


def _past(event: Evaluated) -> PastEvaluation:
    return PastEvaluation(
        iteration=event.iteration,
        index=event.index,
        amplitude=event.amplitude,
        phase=event.phase,
        before=number(event.losses[0]),
        after=number(event.losses[-1]),
    )
