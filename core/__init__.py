"""A laboratory for meta-learning without a terminal: tasks, networks, algorithms, engines, runs.

The names below are the public Python interface; ``docs/python.md`` shows them at work. Each is
imported when it is first used, so ``import core`` loads neither NumPy nor PyTorch.

>>> from core import Fomaml, RunConfig
>>> RunConfig(algorithm=Fomaml(inner_lr=0.01), seed=3).iterations
50000
"""

from importlib import import_module

TYPE_CHECKING = False  # Type checkers take it for true; importing typing would double the time.
if TYPE_CHECKING:
    from core.algorithms.anil import Anil
    from core.algorithms.base import Algorithm
    from core.algorithms.cavia import Cavia
    from core.algorithms.fomaml import Fomaml
    from core.algorithms.joint import JointTraining
    from core.algorithms.maml import Maml
    from core.algorithms.metasgd import MetaSgd
    from core.algorithms.oracle import Oracle
    from core.algorithms.random import RandomInitialisation
    from core.algorithms.reptile import Reptile
    from core.analysis.gradient_check import GradientCheck, check_gradient
    from core.api import (
        Evaluation,
        LossHistory,
        Run,
        TrainedRun,
        evaluate,
        load_checkpoint,
        open_run,
        train,
        train_many,
    )
    from core.config import RunConfig
    from core.errors import LabError
    from core.evaluation_protocol import EvaluationProtocol
    from core.extensions.registration import register
    from core.models.settings import NetworkConfig
    from core.sweeps import GroupCurve, Sweep, open_sweep, sweep
    from core.tasks.family import TaskFamily
    from core.tasks.harmonic import HarmonicTasks
    from core.tasks.mixture import MixtureTasks
    from core.tasks.polynomials import CubicTasks, LineTasks, PolynomialTasks, QuadraticTasks
    from core.tasks.sine import SineTasks
    from core.tasks.surfaces import RippleTasks, SurfaceTasks

__all__ = [
    "Algorithm",
    "Anil",
    "Cavia",
    "CubicTasks",
    "Evaluation",
    "EvaluationProtocol",
    "Fomaml",
    "GradientCheck",
    "GroupCurve",
    "HarmonicTasks",
    "JointTraining",
    "LabError",
    "LineTasks",
    "LossHistory",
    "Maml",
    "MetaSgd",
    "MixtureTasks",
    "NetworkConfig",
    "Oracle",
    "PolynomialTasks",
    "QuadraticTasks",
    "RandomInitialisation",
    "Reptile",
    "RippleTasks",
    "Run",
    "RunConfig",
    "SineTasks",
    "SurfaceTasks",
    "Sweep",
    "TaskFamily",
    "TrainedRun",
    "check_gradient",
    "evaluate",
    "load_checkpoint",
    "open_run",
    "open_sweep",
    "register",
    "sweep",
    "train",
    "train_many",
]

_MODULES = {
    "Algorithm": "core.algorithms.base",
    "TaskFamily": "core.tasks.family",
    "register": "core.extensions.registration",
    "Anil": "core.algorithms.anil",
    "Cavia": "core.algorithms.cavia",
    "CubicTasks": "core.tasks.polynomials",
    "EvaluationProtocol": "core.evaluation_protocol",
    "Fomaml": "core.algorithms.fomaml",
    "GradientCheck": "core.analysis.gradient_check",
    "GroupCurve": "core.sweeps",
    "HarmonicTasks": "core.tasks.harmonic",
    "JointTraining": "core.algorithms.joint",
    "LabError": "core.errors",
    "LineTasks": "core.tasks.polynomials",
    "Maml": "core.algorithms.maml",
    "MetaSgd": "core.algorithms.metasgd",
    "MixtureTasks": "core.tasks.mixture",
    "NetworkConfig": "core.models.settings",
    "Oracle": "core.algorithms.oracle",
    "PolynomialTasks": "core.tasks.polynomials",
    "QuadraticTasks": "core.tasks.polynomials",
    "RandomInitialisation": "core.algorithms.random",
    "Reptile": "core.algorithms.reptile",
    "RippleTasks": "core.tasks.surfaces",
    "RunConfig": "core.config",
    "SineTasks": "core.tasks.sine",
    "SurfaceTasks": "core.tasks.surfaces",
    "Sweep": "core.sweeps",
    "check_gradient": "core.analysis.gradient_check",
    "open_sweep": "core.sweeps",
    "sweep": "core.sweeps",
}
"""Where the names are defined that ``core.api``, which loads NumPy, does not define."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(_MODULES.get(name, "core.api")), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
