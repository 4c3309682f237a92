"""Commands that keys send to the runs, and the message shown at once."""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from core.commands import AnyCommand, Extend, Pause, Resume, Save, SetPace, Step
from core.events import RunState, Snapshot
from tui_meta.views.keys.keymap import KeyOf, usual_key
from tui_meta.views.messages.log import MOST_NAMED, MessageKey
from tui_meta.views.numbers import iterations, whole
from tui_meta.views.numbers import pace as pace_text
from tui_meta.views.watch.pace import faster


class RunCommands(Struct, frozen=True):
    """Commands as (run, command) pairs. ``key`` identifies the messages that will replace
    ``message``; without one there is nothing to wait for.
    """

    message: str
    commands: tuple[tuple[str, AnyCommand], ...] = ()
    key: MessageKey | None = None
    wanted: RunState | None = None


def pause_or_resume(
    runs: Sequence[Snapshot],
    wanted: Mapping[str, RunState],
    names: Mapping[str, str],
    key: KeyOf = usual_key,
) -> RunCommands:
    """Pause the training runs; if none is training, resume the paused ones."""
    states = {one.run: wanted.get(one.run, one.state) for one in runs}
    training = [run for run, state in states.items() if state in ("training", "loading")]
    if training:
        return RunCommands(
            f"pausing {_listed(training, names)}…",
            tuple((run, Pause()) for run in training),
            MessageKey("pause"),
            "paused",
        )
    paused = [run for run, state in states.items() if state == "paused"]
    if paused:
        return RunCommands(
            f"resuming {_listed(paused, names)}…",
            tuple((run, Resume()) for run in paused),
            MessageKey("resume"),
            "training",
        )
    return RunCommands(f"nothing to pause: {_stated(runs, names)}{_hint(runs, key)}")


def step(
    runs: Sequence[Snapshot],
    wanted: Mapping[str, RunState],
    names: Mapping[str, str],
    count: int = 1,
    key: KeyOf = usual_key,
) -> RunCommands:
    """Step each paused run by ``count`` iterations."""
    paused = [one.run for one in runs if wanted.get(one.run, one.state) == "paused"]
    if not paused:
        hint = _hint(runs, key) or f"; pause first ({key('pause')})"
        return RunCommands(f"{key('step')} steps paused runs: {_stated(runs, names)}{hint}")
    commands = tuple((run, Step(count)) for run in paused)
    return RunCommands(
        f"{iterations(count)} of {_listed(paused, names)}…", commands, MessageKey("step")
    )


def save(runs: Sequence[Snapshot], names: Mapping[str, str]) -> RunCommands:
    """Save a checkpoint of each run that has not ended."""
    alive = [one.run for one in runs if one.state not in ("failed", "stopped")]
    if not alive:
        return RunCommands(f"nothing to save: {_stated(runs, names)}")
    commands = tuple((run, Save()) for run in alive)
    return RunCommands(f"saving {_listed(alive, names)}…", commands, MessageKey("save"))


def extend(
    runs: Sequence[Snapshot], names: Mapping[str, str], key: KeyOf = usual_key
) -> RunCommands:
    """Continue each finished run for as many iterations again."""
    finished = [one.run for one in runs if one.state == "finished"]
    if not finished:
        return RunCommands(f"{key('continue')} continues finished runs: {_stated(runs, names)}")
    commands = tuple((run, Extend()) for run in finished)
    return RunCommands(
        f"continuing {_listed(finished, names)}…", commands, MessageKey("extend"), "training"
    )


def change_pace(
    runs: Sequence[Snapshot],
    paces: Mapping[str, float | None],
    steps: int,
    names: Mapping[str, str],
) -> RunCommands:
    """Make the pace ``steps`` steps faster, or slower if negative, up to the ends.

    ``paces`` were requested before; snapshots may not show them yet.
    """
    first = runs[0]
    now = paces.get(first.run, first.pace)
    pace = faster(now, steps)
    if pace == faster(now, 0):
        end = "fastest" if steps > 0 else "slowest"
        return RunCommands(f"pace: {pace_text(now)} is the {end}")
    commands = tuple((one.run, SetPace(pace)) for one in runs)
    titles = _listed([one.run for one in runs], names)
    return RunCommands(f"pace of {titles}: {pace_text(pace)}", commands)


def _listed(runs: Sequence[str], names: Mapping[str, str]) -> str:
    if len(runs) > MOST_NAMED:
        return f"{len(runs)} runs"
    return " and ".join(names[run] for run in runs)


def _stated(runs: Sequence[Snapshot], names: Mapping[str, str]) -> str:
    if len(runs) > MOST_NAMED:
        count = Counter(one.state for one in runs)
        return ", ".join(
            f"{n} {'run is' if n == 1 else 'runs are'} {state}" for state, n in count.items()
        )
    ends = {one.run: f" at {whole(one.iteration)}" for one in runs if one.state == "finished"}
    return ", ".join(f"{names[one.run]} is {one.state}{ends.get(one.run, '')}" for one in runs)


def _hint(runs: Sequence[Snapshot], key: KeyOf) -> str:
    finished = any(one.state == "finished" for one in runs)
    return f"; {key('continue')}: continue" if finished else ""
