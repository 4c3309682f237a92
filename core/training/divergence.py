"""Locating the first value that is not finite; words of unplanned ends, and advice."""

import numpy as np

from core.config import RunConfig
from core.engines.base import Advance, Engine, TrainState, sampler_of
from core.errors import USER_FILES, in_words, is_own, place_of
from core.models.registry import MODELS
from core.tasks.functions import usual_height

LARGE_RANGE = 1_000.0
"""Above it a parameter of tasks is a more likely cause of overflow than a usual learning rate."""

SINE_HEIGHT = 5.0
"""The height of tasks that the default rates are made for."""


def last_finite(engine: Engine, before: TrainState, broken: Advance) -> tuple[Advance, bool]:
    """Repeat ``broken``, which started from ``before``, up to the last finite state.

    The second value is True if the loss of the next iteration is not finite, and False if it is
    a parameter or a moment.
    """
    bad = np.flatnonzero(~np.isfinite(broken.losses))
    good = _longest_finite(engine, before, int(bad[0]) if len(bad) else len(broken.losses) - 1)
    # A parameter that overflows also makes the next loss infinite: the reported cause must not
    # depend on whether that loss was in the chunk.
    return good, not np.isfinite(broken.losses[len(good.losses)])


def problem(config: RunConfig, good: Advance, by_loss: bool) -> str:
    """Return what diverged after the last finite state, in words."""
    value, iteration = "the loss" if by_loss else "a parameter", good.state.iteration
    return f"{value} is no longer finite in iteration {iteration + 1:,}{_origin(config, iteration)}"


def _origin(config: RunConfig, iteration: int) -> str:
    """Return which of the user's own code ``iteration`` comes from; empty where all is built in."""
    family = type(config.tasks)
    if is_own(family):
        drawn = config.algorithm.batches(sampler_of(config), iteration, 1).arrays
        if not all(np.isfinite(array).all() for array in drawn):
            return f"; its tasks are not finite: {place_of(family.y)}"
    return _own_code(config)


def _own_code(config: RunConfig) -> str:
    """Return the places of the user's own algorithm and model in a run; empty without any."""
    used = [type(config.algorithm), MODELS.get(config.model)]
    places = [place_of(one) for one in used if one is not None and is_own(one)]
    return f" (computed by {' and '.join(places)})" if places else ""


def failure(config: RunConfig, error: BaseException) -> str:
    """Return an error in one line, with the user's own code that a run used, if there is any."""
    words = in_words(error)
    return words if any(file in words for file in USER_FILES) else words + _own_code(config)


def advice(config: RunConfig) -> str:
    """Return the settings to lower in a run that diverged."""
    algorithm, tasks = config.algorithm, config.tasks
    settings = [
        f"{algorithm.name}.outer_lr (now {algorithm.outer_lr:g}{_suited(config)})",
        f"{algorithm.name}.inner_lr (now {algorithm.inner_lr:g})",
    ]
    if algorithm.outer_optimizer == "adam":
        # Its steps do not grow with the gradient, so that the inner steps are the likelier cause.
        settings.reverse()
    rates = " or ".join(settings)
    for name, interval in zip(tasks.parameters, tasks.ranges, strict=True):
        if (largest := max(map(abs, interval))) > LARGE_RANGE:
            return f"lower {tasks.table}.{name} (now up to {largest:g}), {rates}"
    return f"lower {rates}"


def _suited(config: RunConfig) -> str:
    """Return the outer rate that suits high tasks, in words; empty where the run's own is lower.

    Errors grow with the height of tasks, and so do the weights that reach it: an outer gradient
    that is a derivative grows with the square.
    """
    algorithm, height = config.algorithm, usual_height(config.tasks)
    is_step = algorithm.outer_optimizer != "adam" and algorithm.derivative in ("first", "second")
    if not is_step or not height > SINE_HEIGHT:
        return ""
    suited = float(f"{type(algorithm).outer_lr * (SINE_HEIGHT / height) ** 2:.1g}")
    return f"; {suited:g} suits {config.tasks.plural}" if suited < algorithm.outer_lr else ""


def _longest_finite(engine: Engine, before: TrainState, n: int) -> Advance:
    """Train as many of ``n`` iterations as leave the state finite.

    Bisection, because a value that is not finite stays so; an infinite moment of Adam may have no
    other effect for long.
    """
    longest = engine.advance(before, n)
    if longest.state.is_finite():
        return longest
    sound, broken = 0, n
    while broken - sound > 1:
        middle = (sound + broken) // 2
        if engine.advance(before, middle).state.is_finite():
            sound = middle
        else:
            broken = middle
    return engine.advance(before, sound)
