"""Commands to a run: instructions that are executed between two chunks of training."""

from __future__ import annotations

from typing import Annotated

import msgspec

from core.evaluation.few_shot_tasks import ProbeName
from core.validation import LARGEST_COUNT


class Command(msgspec.Struct, frozen=True, tag_field="command", tag=str.lower):
    """An instruction that is executed between two chunks of training."""


class Pause(Command, frozen=True):
    """Pause training."""


class Resume(Command, frozen=True):
    """Continue training after a pause."""


class Step(Command, frozen=True):
    """Train ``count`` iterations while paused; another command ends a long step."""

    count: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_COUNT)] = 1


class Evaluate(Command, frozen=True):
    """Evaluate ``probe`` on its task number ``index``."""

    probe: ProbeName
    index: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_COUNT)]


class Save(Command, frozen=True):
    """Save a checkpoint."""


class SetPace(Command, frozen=True):
    """Train at ``pace`` iterations per second, None for full speed."""

    pace: float | None


class Extend(Command, frozen=True):
    """Continue a finished run for as many iterations again."""


class Stop(Command, frozen=True):
    """Stop the run, after saving a checkpoint if ``save``."""

    save: bool = True


AnyCommand = Pause | Resume | Step | Evaluate | Save | SetPace | Extend | Stop
