"""Settings of the Lab, one of them selected; changed step by step or by typing."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from core.analysis.answers import RunHistory
from core.analysis.questions import Adapt, AnySource, Live, PinnedTheta, Untrained
from core.errors import ConfigError, QuestionError
from tui_meta.views.checkpoint_travel import (
    TimeMachine,
    at_iteration,
    at_newest,
    chosen,
    moved,
    refreshed,
)
from tui_meta.views.lab import state as lab
from tui_meta.views.lab.state import INTERVALS, LabState
from tui_meta.views.numbers import whole

RANDOM = "random init"
"""Title of the untrained network; its space keeps it distinct from all runs."""

_RATES = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_USUAL_RATE = 0.02
"""Start of the first step from the runs' own rates to an explicit one."""

_NO_CHECKPOINT = "wait for one, or save one with s on the watch screen"


@dataclass(frozen=True)
class Setting:
    """A setting.

    ``turned`` decreases or increases it by some steps and ``typed`` parses a text; both raise
    ``ConfigError``. ``hint`` describes what can be typed.
    """

    name: str
    hint: str
    value: Callable[[LabState], str]
    turned: Callable[[LabState, int], LabState]
    typed: Callable[[LabState, str], LabState]


@dataclass(frozen=True)
class Origin:
    """The origin of a theta: live from ``run``, or one of its checkpoints.

    ``machine`` is the position of the checkpoint, None while none are known. A frozen live theta
    is that of iteration ``held``.
    """

    title: str
    run: str
    machine: TimeMachine | None = None
    live: bool = True
    held: int | None = None

    @property
    def has_checkpoints(self) -> bool:
        """True if any checkpoint of the run is known."""
        return bool(self.machine and self.machine.past.checkpoints)

    @property
    def source(self) -> AnySource:
        """The source to name in questions."""
        saved = chosen(self.machine) if self.machine and not self.live else None
        return saved or (Live(self.run) if self.held is None else PinnedTheta(self.run, self.held))


@dataclass(frozen=True)
class LabSettings:
    """A ``LabState``, the thetas that adapt to its task, and the number of the selected setting.

    Settings are those of the lab, followed by the origin of each theta. If ``frozen``, each live
    theta is frozen as soon as its iteration is known.
    """

    lab: LabState
    origins: tuple[Origin, ...]
    chosen: int = 0
    frozen: bool = False

    @property
    def origin(self) -> int | None:
        """Number of the selected origin; None if a setting of the lab is selected."""
        first = len(settings_of(self.lab))
        return self.chosen - first if self.chosen >= first else None

    @property
    def selected(self) -> Origin | None:
        """The selected origin, if any."""
        return None if self.origin is None else self.origins[self.origin]


def choose(settings: LabSettings, by: int) -> LabSettings:
    """Select a later or an earlier setting, around the ends."""
    n = len(settings_of(settings.lab)) + len(settings.origins)
    return replace(settings, chosen=(settings.chosen + by) % n)


def turn(settings: LabSettings, by: int) -> LabSettings:
    """Increase the selected setting by ``by`` steps; raises ``LabError``."""
    if settings.selected is None:
        return replace(
            settings, lab=settings_of(settings.lab)[settings.chosen].turned(settings.lab, by)
        )
    return _with_origin(settings, _turned(settings.selected, by))


def type_in(settings: LabSettings, text: str) -> LabSettings:
    """Set the selected setting to the value that ``text`` names; raises ``LabError``."""
    text = text.strip()
    if settings.selected is None:
        return replace(
            settings, lab=settings_of(settings.lab)[settings.chosen].typed(settings.lab, text)
        )
    return _with_origin(settings, _typed(settings.selected, text))


def prompt(settings: LabSettings) -> tuple[str, str, str]:
    """Return name, current value and hint of the selected setting."""
    origin = settings.selected
    if origin is None:
        setting = _chosen(settings)
        return setting.name, setting.value(settings.lab), setting.hint
    at = origin.machine.iteration if origin.machine and not origin.live else None
    value = "live" if at is None else str(at)
    return f"θ of {origin.title}", value, "live, or an iteration: the checkpoint at or before it"


def recalled(settings: LabSettings, run: str, past: RunHistory) -> LabSettings:
    """Return the settings with the checkpoints that ``run`` has now."""
    origins = []
    for one in settings.origins:
        if one.run == run:
            machine = refreshed(one.machine, past) if one.machine else at_newest(past)
            one = replace(one, machine=machine, live=one.live or not past.checkpoints)
        origins.append(one)
    return replace(settings, origins=tuple(origins))


def hold(settings: LabSettings, seen: Mapping[str, int]) -> LabSettings:
    """Freeze live thetas, each at the iteration in ``seen``, by its title."""
    origins = (
        replace(one, held=seen.get(one.title)) if one.live and one.held is None else one
        for one in settings.origins
    )
    return replace(settings, origins=tuple(origins), frozen=True)


def follow(settings: LabSettings) -> LabSettings:
    """Unfreeze live thetas."""
    origins = (replace(one, held=None) for one in settings.origins)
    return replace(settings, origins=tuple(origins), frozen=False)


def questions(settings: LabSettings) -> dict[str, Adapt]:
    """Return the question for each origin and a random initialisation, by title."""
    sources = {one.title: one.source for one in settings.origins}
    return lab.questions(
        settings.lab, {**sources, RANDOM: Untrained(Live(settings.origins[0].run))}
    )


def _chosen(settings: LabSettings) -> Setting:
    return settings_of(settings.lab)[settings.chosen]


def _with_origin(settings: LabSettings, origin: Origin) -> LabSettings:
    origins = list(settings.origins)
    origins[settings.chosen - len(settings_of(settings.lab))] = origin
    return replace(settings, origins=tuple(origins))


def _turned(origin: Origin, by: int) -> Origin:
    """Move to a later or an earlier checkpoint; after the newest comes the live theta."""
    machine = _known(origin)
    newest = len(machine.past.checkpoints) - 1
    place = (newest + 1 if origin.live else machine.place) + by
    return replace(origin, live=place > newest, machine=moved(machine, place - machine.place))


def _typed(origin: Origin, text: str) -> Origin:
    if text == "live":
        return replace(origin, live=True)
    machine = at_iteration(_known(origin), _whole("iteration", text, "live, or a whole number"))
    return replace(origin, live=False, machine=machine)


def _known(origin: Origin) -> TimeMachine:
    if origin.machine and origin.has_checkpoints:
        return origin.machine
    raise QuestionError(origin.title, "no checkpoint yet", _NO_CHECKPOINT)


def _number(field: str, text: str, requirement: str = "must be a number") -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ConfigError(field, text, requirement)
    return value


def _whole(field: str, text: str, requirement: str = "must be a whole number") -> int:
    if not (text.isdecimal() and len(text) < 20):
        raise ConfigError(field, text, requirement)
    return int(text)


def _interval(state: LabState, text: str) -> LabState:
    return lab.with_interval(state, _choice("interval", text, INTERVALS))


def _choice(field: str, text: str, names: Sequence[str]) -> int:
    """Return the number of the first of ``names`` that begins with ``text``."""
    matching = [which for which, name in enumerate(names) if name.startswith(text) and text]
    if not matching:
        raise ConfigError(field, text, "must be one of " + ", ".join(names))
    return matching[0]


def _next_rate(rate: float | None, by: int) -> float:
    rate = _USUAL_RATE if rate is None else rate
    others = [one for one in _RATES if (one > rate if by > 0 else one < rate)]
    return (others[0] if by > 0 else others[-1]) if others else rate


def _rate(state: LabState, text: str) -> LabState:
    if text == "own":
        return lab.with_rate(state, None)
    return lab.with_rate(state, _number("inner lr", text, "a number above 0, or own"))


def settings_of(lab: LabState) -> tuple[Setting, ...]:
    """Return the settings of the Lab: the parameters of the task, then those of every task."""
    family, _ = lab.family.member(*lab.task.parameters)
    group = (_group(lab.family.groups),) if lab.family.groups else ()
    parameters = map(_parameter, family.parameters, family.steps, count(len(group)))
    return (*group, *parameters, *_SETTINGS)


def _group(names: Sequence[str]) -> Setting:
    """Return the setting of the family of a task that is one of a mixture."""

    def typed(at: LabState, text: str) -> LabState:
        return lab.with_group(at, _choice("family", text, names))

    return Setting(
        "family",
        ", ".join(names),
        lambda at: at.family.member(*at.task.parameters)[0].name,
        lambda at, by: lab.with_group(at, int(at.task.parameters[0]) + by),
        typed,
    )


def _parameter(name: str, step: float, index: int) -> Setting:
    return Setting(
        name,
        "a number",
        lambda at: f"{at.task.parameters[index]:.2f}",
        lambda at, by: lab.with_parameter(
            at, index, round(at.task.parameters[index] + by * step, 6)
        ),
        lambda at, text: lab.with_parameter(at, index, _number(name, text)),
    )


_SETTINGS = (
    Setting(
        "points",
        "a whole number from 1 to 100",
        lambda at: whole(len(at.task.support_x)),
        lambda at, by: lab.with_points(at, len(at.task.support_x) + by),
        lambda at, text: lab.with_points(at, _whole("points", text)),
    ),
    Setting(
        "from",
        ", ".join(INTERVALS),
        lambda at: INTERVALS[at.interval],
        lambda at, by: lab.with_interval(at, at.interval + by),
        _interval,
    ),
    Setting(
        "noise",
        "a number from 0: the standard deviation",
        lambda at: f"{at.noise:g}",
        lambda at, by: lab.with_noise(at, max(0.0, round(at.noise + by / 10, 6))),
        lambda at, text: lab.with_noise(at, _number("noise", text)),
    ),
    Setting(
        "steps",
        "a whole number from 0 to 1,000",
        lambda at: whole(at.updates),
        lambda at, by: lab.with_updates(at, at.updates + by),
        lambda at, text: lab.with_updates(at, _whole("gradient steps", text)),
    ),
    Setting(
        "inner lr",
        "a number above 0, or own: each run's own",
        lambda at: "own" if at.lr is None else f"{at.lr:g}",
        lambda at, by: lab.with_rate(at, _next_rate(at.lr, by)),
        _rate,
    ),
)
