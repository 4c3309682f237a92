"""The protocols by name, in the order of their table.

A protocol is never changed: a correction raises its version. No NumPy is imported, as ``--help``
reads the names.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence

from core.errors import ConfigError
from core.reproduction.protocol import Protocol, Settings, algorithms
from core.reproduction.published import plain, printed, reached, unpublished

ADAM: Settings = {"outer_optimizer": "adam", "outer_lr": 0.001}
HALF_TURN: Settings = {"phase": [0.0, math.pi]}
ONE_STEP: Settings = {"shots": 5, "steps": [1]}
"""A validation on 5 points and after the one step that networks are trained for."""
RELU_40: Settings = {"hidden": [40, 40], "activation": "relu"}


def _finn(inner_lr: float) -> Settings:
    """Return the training of Finn et al. (2017), section 5.1, with what their code adds."""
    query = {
        **ADAM,
        "inner_lr": inner_lr,
        "tasks": 25,
        "shots": 10,
        "query_points": 10,
        "reduction": "mean",
    }
    return {
        "iterations": 70_000,
        "network": RELU_40,
        "waves": HALF_TURN,
        "validation": ONE_STEP,
        **dict.fromkeys(("maml", "fomaml", "anil"), query),
        "metasgd": {**query, "inner_lr": 0.05},
        "joint": {**ADAM, "inner_lr": 0.01, "tasks": 25, "points": 10},
    }


def _four_tasks(iterations: int) -> Settings:
    """Return a training on 5 points of 4 tasks, with which others followed Finn et al."""
    query = {**ADAM, "inner_lr": 0.01, "tasks": 4, "shots": 5, "query_points": 10}
    return {
        "iterations": iterations,
        "network": RELU_40,
        "waves": HALF_TURN,
        "validation": ONE_STEP,
        **dict.fromkeys(("maml", "fomaml", "anil"), query),
        "metasgd": {**query, "inner_lr": 0.05},
    }


_FINN_TABLE = (
    *plain("maml", 5, {1: 0.67, 5: 0.38, 10: 0.35}),
    *plain("joint", 5, {1: 2.41, 5: 2.23, 10: 2.19}),
)

_ALL = (
    Protocol(
        name="source",
        publication="the source's protocol; ranges of independent implementations",
        settings={},
        methods=algorithms("fomaml", "reptile"),
        evaluation="source",
        published=(
            *reached(
                "fomaml",
                10,
                {1: (0.39, 0.77), 5: (0.05, 0.09), 10: (0.043, 0.07), 32: (0.04, 0.063)},
            ),
            *reached(
                "reptile",
                10,
                {1: (0.5, 0.55), 5: (0.07, 0.09), 10: (0.06, 0.075), 32: (0.059, 0.067)},
            ),
        ),
    ),
    Protocol(
        name="finn2017",
        publication="Finn, Abbeel and Levine 2017, table 2",
        settings=_finn(0.01),
        methods=algorithms("maml", "joint"),
        evaluation="finn2017",
        published=_FINN_TABLE,
    ),
    Protocol(
        name="finn2017-code",
        publication="the same table, with the inner rate 0.001 of the authors' code",
        settings=_finn(0.001),
        methods=algorithms("maml", "joint"),
        evaluation="finn2017-code",
        published=_FINN_TABLE,
    ),
    Protocol(
        name="meta-curvature2019",
        publication="Park and Oliva 2019, Meta-Curvature, poster",
        settings=_finn(0.01),
        methods=algorithms("maml", "metasgd"),
        evaluation="meta-curvature2019",
        published=(
            printed("maml", 5, 1, 0.69, 0.07),
            printed("maml", 10, 1, 0.44, 0.04),
            printed("metasgd", 5, 1, 0.48, 0.06),
            printed("metasgd", 10, 1, 0.26, 0.03),
            *unpublished("metasgd", 5, 5, 10),
        ),
    ),
    Protocol(
        name="optml2023",
        publication="a course project in JAX (Zigolox 2023)",
        settings=_four_tasks(60_000),
        methods=algorithms("maml", "fomaml", "metasgd"),
        evaluation="optml2023",
        published=(
            printed("maml", 5, 1, 0.718, 0.126),
            printed("fomaml", 5, 1, 0.763, 0.139),
            printed("metasgd", 5, 1, 0.463, 0.078),
            *unpublished("metasgd", 5, 5, 10),
        ),
    ),
    Protocol(
        name="reptile2018",
        publication="Nichol, Achiam and Schulman 2018, section 3 (figures only)",
        settings={"iterations": 30_000, "reptile": {"schedule": "linear"}},
        methods=algorithms("reptile"),
        evaluation="reptile2018",
        published=unpublished("reptile", 10, 0, 1, 8, 32),
    ),
    Protocol(
        name="recipe",
        publication="a recipe of our own, beside what the source's protocol reaches",
        settings={
            "maml": {**ADAM, "schedule": "cosine", "inner_steps": 5},
        },
        methods=algorithms("maml"),
        evaluation="source",
        published=(
            *unpublished("maml", 10, 0, 1),
            *reached("maml", 10, {5: (0.05, 0.09), 10: (0.043, 0.07), 32: (0.04, 0.063)}),
        ),
    ),
)

PROTOCOLS: dict[str, Protocol] = {one.name: one for one in _ALL}
"""Protocols by name."""


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """Return ``names`` in the order of the table, all if there are none; raises ``ConfigError``."""
    asked = [named(name).name for name in names]
    return tuple(name for name in PROTOCOLS if name in asked or not asked)


def named(name: object) -> Protocol:
    """Return the protocol ``name``; raises ``ConfigError``, with the nearest name."""
    if isinstance(name, str) and name in PROTOCOLS:
        return PROTOCOLS[name]
    requirement = "must be one of " + ", ".join(PROTOCOLS)
    if near := difflib.get_close_matches(str(name), PROTOCOLS, n=1, cutoff=0.5):
        requirement += f" (did you mean {near[0]}?)"
    raise ConfigError("protocol", name, requirement)
