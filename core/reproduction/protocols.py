"""The protocols by name, in the order of their table.

A protocol is never changed: a correction raises its version. No NumPy is imported, as ``--help``
reads the names.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence

from core.errors import ConfigError
from core.reproduction.protocol import Method, Protocol, Settings, algorithms
from core.reproduction.published import plain, printed, reached, unpublished

ADAM: Settings = {"outer_optimizer": "adam", "outer_lr": 0.001}
HALF_TURN: Settings = {"phase": [0.0, math.pi]}
FREQUENCIES: Settings = {**HALF_TURN, "frequency": [0.8, 1.2]}
ONE_STEP: Settings = {"shots": 5, "steps": [1]}
"""A validation on 5 points and after the one step that networks are trained for."""
RELU_40: Settings = {"hidden": [40, 40], "activation": "relu"}
FINN_NETWORK: Settings = {**RELU_40, "init": "normal", "init_deviation": 0.01}
PYTORCH: Settings = {"network": {"init": "torch"}}
CODE_RATE: Settings = {"inner_lr": 0.001}
"""The default inner rate of the code of Finn et al., and of code that began as a copy of it."""
FIVE_STEPS: Settings = {"inner_steps": 5, "schedule": "cosine"}
RECIPE = Method(
    name="recipe",
    algorithm="maml",
    settings={
        **PYTORCH,
        "maml": {**FIVE_STEPS, "inner_lr": 0.005},
        "validation": {"steps": [5]},
    },
)
"""Ours for ReLU units: second order, through five inner steps, and Adam with a rate that decays to
0. With the usual inner rate of 0.01, an adaptation overflowed in 4 of 32 runs on four tasks of five
points, and the median loss was as high or higher."""


def _query(tasks: int, shots: int, inner_lr: float, **more: object) -> Settings:
    """Return a training on 10 random query points of each task, with Adam."""
    points = {"tasks": tasks, "shots": shots, "query_points": 10, "query": "random"}
    return {**ADAM, **points, "inner_lr": inner_lr, "reduction": "mean", **more}


def _finn(inner_lr: float) -> Settings:
    """Return the training of Finn et al. (2017), section 5.1, with what their code adds."""
    query = _query(25, 10, inner_lr)
    return {
        "iterations": 70_000,
        "network": FINN_NETWORK,
        "waves": HALF_TURN,
        "validation": ONE_STEP,
        **dict.fromkeys(("maml", "fomaml", "anil"), query),
        "metasgd": {**query, "inner_lr": 0.05},
        "joint": {**ADAM, "inner_lr": 0.01, "tasks": 25, "points": 10},
    }


def _four_tasks(waves: Settings) -> Settings:
    """Return a training on 5 points of 4 tasks, with which others followed Finn et al."""
    query = _query(4, 5, 0.01)
    return {
        "iterations": 60_000,
        "network": RELU_40,
        "waves": waves,
        "validation": ONE_STEP,
        **dict.fromkeys(("maml", "fomaml", "anil"), query),
        "metasgd": {**query, "inner_lr": 0.05},
    }


DIGEST = "read in a digest; initialisation and query points are not known"

_FINN_MAML = plain("maml", 5, {1: 0.67, 5: 0.38, 10: 0.35})

_ALL = (
    Protocol(
        name="source",
        publication="the source's protocol; ranges of independent implementations",
        settings={},
        methods=(
            *algorithms("fomaml", "reptile"),
            Method(name="random", algorithm="random", settings={"iterations": 1}),
        ),
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
            *plain("random", 10, {1: 4.3, 10: 4.3, 32: 2.8}),
        ),
    ),
    Protocol(
        name="finn2017",
        publication="Finn, Abbeel and Levine 2017, table 2",
        url="https://arxiv.org/abs/1703.03400",
        settings=_finn(0.01),
        methods=(*algorithms("maml", "joint"), RECIPE),
        evaluation="finn2017",
        published=(
            *_FINN_MAML,
            *plain("joint", 5, {1: 2.41, 5: 2.23, 10: 2.19}),
            *unpublished("recipe", 5, 1, 5, 10),
        ),
    ),
    Protocol(
        name="finn2017-code",
        publication="the same table, with the inner rate 0.001 of the authors' code",
        url="https://github.com/cbfinn/maml",
        settings=_finn(0.001),
        methods=algorithms("maml"),
        evaluation="finn2017-code",
        published=_FINN_MAML,
    ),
    Protocol(
        name="meta-curvature2019",
        publication="Park and Oliva 2019, Meta-Curvature, poster",
        url="https://github.com/silverbottlep/meta_curvature",
        settings=_finn(0.01),
        methods=(
            *algorithms("maml", "metasgd"),
            Method(name="maml-pytorch-init", algorithm="maml", settings=PYTORCH),
            Method(name="metasgd-pytorch-init", algorithm="metasgd", settings=PYTORCH),
            Method(name="maml-code-rate", algorithm="maml", settings={"maml": CODE_RATE}),
            Method(name="metasgd-code-rate", algorithm="metasgd", settings={"metasgd": CODE_RATE}),
            RECIPE,
        ),
        evaluation="meta-curvature2019",
        published=(
            printed("maml", 5, 1, 0.69, 0.07),
            printed("maml", 10, 1, 0.44, 0.04),
            printed("metasgd", 5, 1, 0.48, 0.06),
            printed("metasgd", 10, 1, 0.26, 0.03),
            *unpublished("metasgd", 5, 5, 10),
            *unpublished("maml-pytorch-init", 5, 1),
            *unpublished("maml-pytorch-init", 10, 1),
            *unpublished("metasgd-pytorch-init", 5, 1),
            *unpublished("metasgd-pytorch-init", 10, 1),
            printed("maml-code-rate", 5, 1, 0.69, 0.07),
            printed("maml-code-rate", 10, 1, 0.44, 0.04),
            printed("metasgd-code-rate", 5, 1, 0.48, 0.06),
            printed("metasgd-code-rate", 10, 1, 0.26, 0.03),
            *unpublished("recipe", 5, 1, 5, 10),
            *unpublished("recipe", 10, 1, 5, 10),
        ),
    ),
    Protocol(
        name="metasgd2017",
        publication="Li, Zhou, Chen and Li 2017, Meta-SGD, table 1",
        url="https://arxiv.org/abs/1707.09835",
        settings=_four_tasks(FREQUENCIES),
        methods=(*algorithms("maml", "metasgd"), RECIPE),
        evaluation="metasgd2017",
        published=(
            printed("maml", 5, 1, 1.13, 0.18, DIGEST),
            printed("maml", 10, 1, 0.85, 0.14, DIGEST),
            printed("maml", 20, 1, 0.71, 0.12, DIGEST),
            printed("metasgd", 5, 1, 0.90, 0.16, DIGEST),
            printed("metasgd", 10, 1, 0.63, 0.12, DIGEST),
            printed("metasgd", 20, 1, 0.50, 0.10, DIGEST),
            *unpublished("metasgd", 5, 5, 10),
            *unpublished("recipe", 5, 1, 5, 10),
            *unpublished("recipe", 10, 1, 5, 10),
            *unpublished("recipe", 20, 1, 5, 10),
        ),
    ),
    Protocol(
        name="optml2023",
        publication="a course project in JAX (Zigolox 2023)",
        url="https://github.com/Zigolox/Meta-Learning-OptML-Project",
        settings=_four_tasks(HALF_TURN),
        methods=(*algorithms("maml", "fomaml", "metasgd"), RECIPE),
        evaluation="optml2023",
        published=(
            printed("maml", 5, 1, 0.718, 0.126),
            printed("fomaml", 5, 1, 0.763, 0.139),
            printed("metasgd", 5, 1, 0.463, 0.078),
            *unpublished("metasgd", 5, 5, 10),
            *unpublished("recipe", 5, 1, 5, 10),
        ),
    ),
    Protocol(
        name="parl2021",
        publication="PaddlePaddle PARL 2021, benchmark maml++",
        url="https://github.com/PaddlePaddle/PARL",
        settings={
            "iterations": 40_000,
            "fixed_tasks": 1_600,
            "network": {"hidden": [40, 40, 40], "activation": "relu"},
            "waves": FREQUENCIES,
            "validation": {"shots": 5, "steps": [3]},
            "maml": _query(16, 5, 0.001, inner_steps=3),
        },
        methods=algorithms("maml"),
        evaluation="parl2021",
        published=(
            printed(
                *("maml", 5, 3, 0.93, 0.02),
                doubt="its training tasks have 15 points each that never change, ours new ones; "
                "the code has the settings of MAML++ alone",
            ),
        ),
    ),
    Protocol(
        name="arml2020-2d",
        publication="Yao et al. 2020, ARML, the 2-D regression",
        url="https://arxiv.org/abs/2001.00745",
        settings={
            "iterations": 70_000,
            "tasks": "sine+line+quadratic+cubic+surface+ripple",
            "noise": 0.3,
            "network": FINN_NETWORK,
            "waves": {"frequency": [0.8, 1.2], "x": [0.0, 5.0]},
            **{table: {"x": [0.0, 5.0]} for table in ("line", "quadratic", "cubic")},
            "validation": {"shots": 10, "steps": [5], "noise": 0.3},
            "maml": _query(25, 10, 0.001, inner_steps=5),
        },
        methods=algorithms("maml"),
        evaluation="arml2020-2d",
        published=(
            printed(
                *("maml", 10, 5, 2.292, 0.163),
                doubt="paper and code differ in the interval of x; the inner rate is the code's",
            ),
        ),
    ),
    Protocol(
        name="reptile2018",
        publication="Nichol, Achiam and Schulman 2018, section 3 (figures only)",
        url="https://arxiv.org/abs/1803.02999",
        settings={"iterations": 30_000, "reptile": {"schedule": "linear"}},
        methods=algorithms("reptile"),
        evaluation="reptile2018",
        published=unpublished("reptile", 10, 0, 1, 8, 32),
    ),
    Protocol(
        name="recipe",
        publication="a recipe of our own, beside what the source's protocol reaches",
        settings={"maml": {**ADAM, **FIVE_STEPS}},
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
