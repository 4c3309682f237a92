"""Settings of a run: each with its default and its check; no other code repeats a default.

Command line, TOML, help and ``run.json`` all derive from the dataclasses here and from
those in ``core.algorithms``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal, get_args

from core import validation
from core.algorithms.base import Algorithm
from core.algorithms.registry import ALGORITHMS, decode_algorithm
from core.errors import ConfigError
from core.evaluation_protocol import LARGEST_NOISE, EvaluationProtocol
from core.models.settings import LARGEST_NETWORK, NetworkConfig
from core.registry import Registry
from core.settings import drop_added, setting
from core.tasks.family import TaskFamily
from core.tasks.registry import FAMILY_TABLES, decode_family, family_table
from core.tasks.sine import SineTasks
from core.validation import decode

EngineName = Literal["auto", "fused", "torch"]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["float32", "float64"]

MOST_FIXED_TASKS = 2**20

LARGEST_WORKSPACE = 2**28
"""Bound on the numbers that one gradient step keeps: 1 GiB in float32."""


@dataclass(frozen=True, kw_only=True)
class CheckpointSettings:
    """Autosaves and what is kept of them; results do not depend on them."""

    autosave_seconds: float = setting(5.0, help="Autosave interval in seconds (0: off)")
    autosave_iterations: int = setting(0, help="Autosave interval in iterations (0: off)")
    keep: int = setting(
        3, help="Number of recent autosaves to keep, besides best, final and manual saves"
    )

    def __post_init__(self) -> None:
        validation.within("autosave_seconds", self.autosave_seconds, 0, 1e9)
        validation.count("autosave_iterations", self.autosave_iterations, low=0)
        validation.count("keep", self.keep, high=10_000)


@dataclass(frozen=True, kw_only=True)
class ValidationSettings(EvaluationProtocol):
    """The validation of a run: the same tasks each time, so that the losses form a curve."""

    prefix: ClassVar[str] = "validation."

    tasks: int = 64
    seed: int = 1  # The tasks of `eval` have seed 0: a network is not tested on these.
    interval: int = setting(
        5_000, help="Iterations between validations; the first ones are closer (0: off)"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.count("validation.interval", self.interval, low=0)
        if self.family is not None:
            raise ConfigError(
                "validation.family", self.family, "must be that of the run; leave it out"
            )


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """All settings that decide what a run learns: equal settings and engine give equal bits."""

    algorithm: Algorithm
    network: NetworkConfig = field(default_factory=NetworkConfig)
    tasks: TaskFamily = field(default_factory=SineTasks)
    validation: ValidationSettings = field(default_factory=ValidationSettings)
    model: str = setting(
        "",
        help="Network of your own: FILE.py:NAME (default: the layers of [network])",
        added=True,
    )
    seed: int = setting(0, help="Random seed for initial parameters and tasks")
    iterations: int = setting(
        50_000, help="Meta-iterations; also the length of the learning-rate schedule"
    )
    eval_interval: int = setting(1_000, help="Iterations between two evaluations on a random task")
    engine: EngineName = setting("auto", help="Compute engine; auto picks the fastest available")
    device: DeviceName = setting("auto", help="Compute device")
    precision: Precision = setting("float32", help="Floating-point type of parameters and data")
    noise: float = setting(
        0.0, help="Standard deviation of the noise of each y in training", added=True
    )
    fixed_tasks: int = setting(
        0, help="Number of different training tasks (0: each is a new one)", added=True
    )

    def __post_init__(self) -> None:
        validation.seed("seed", self.seed)
        validation.count("iterations", self.iterations)
        validation.count("eval_interval", self.eval_interval)
        validation.one_of("engine", self.engine, get_args(EngineName))
        validation.one_of("device", self.device, get_args(DeviceName))
        validation.one_of("precision", self.precision, get_args(Precision))
        validation.within("noise", self.noise, 0, LARGEST_NOISE)
        validation.count("fixed_tasks", self.fixed_tasks, low=0, high=MOST_FIXED_TASKS)
        if self.model:
            self._check_model()
        else:
            self._check_workspace()

    @property
    def adapts_all_tasks_at_once(self) -> bool:
        """True where PyTorch trains, which keeps the tasks of a meta-batch side by side."""
        one_output = self.tasks.outputs == 1
        has_kernel = self.algorithm.kernel is not None and one_output and not self.model
        return self.engine == "torch" or self.device not in ("auto", "cpu") or not has_kernel

    @property
    def parameters(self) -> int:
        """The number of parameters of the network; raises as the making of a model does."""
        if self.model:
            from core.models.module import module_network  # late: it imports PyTorch

            return module_network(self.model, self.tasks.inputs, self.tasks.outputs).n_parameters
        return self.network.parameters(self.tasks.inputs, self.tasks.outputs)

    def _check_model(self) -> None:
        """Require a name, and no settings of another network; the model itself is made later."""
        if not self.model.isidentifier():
            raise ConfigError("model", self.model, "must be the name of a registered model")
        if self.network != NetworkConfig():
            raise ConfigError("network", self.network, "must be left out beside a model")

    def _check_workspace(self) -> None:
        """Require that the intermediate values of a gradient step fit in memory."""
        algorithm, tasks = self.algorithm, {}
        parameters = {"network.hidden (parameters)": self.parameters}
        if self.adapts_all_tasks_at_once:
            tasks = {f"{algorithm.name}.tasks": algorithm.tasks}
            validation.product({**tasks, **parameters}, LARGEST_NETWORK)
        if algorithm.path:
            path = {f"{algorithm.name}.inner_steps": algorithm.path}
            validation.product({**tasks, **path, **parameters}, LARGEST_WORKSPACE)
        units = {"network.hidden (units)": sum(self.network.hidden)}
        for name in algorithm.point_settings:
            points = {f"{algorithm.name}.{name}": getattr(algorithm, name)}
            validation.product({**tasks, **points, **units}, LARGEST_WORKSPACE)

    def to_dict(self, *, complete: bool = False) -> dict[str, Any]:
        """Convert to plain values, ready for JSON or TOML; ``from_dict`` reads them back.

        Only if ``complete``, they have settings that files leave out while they have their default.
        """
        import msgspec  # late: help needs no codec

        # Through JSON, as lists and tuples would differ.
        plain = msgspec.json.decode(msgspec.json.encode(self))
        if not complete:
            drop_added(self, plain)
        del plain["validation"]["family"]
        if self.model:
            del plain["network"]
        plain["algorithm"] = {"name": self.algorithm.name, **plain["algorithm"]}
        if isinstance(self.tasks, SineTasks):
            # As in version 0.1, which had no other family.
            return {"waves" if key == "tasks" else key: value for key, value in plain.items()}
        plain["tasks"] = family_table(self.tasks, plain["tasks"])
        return dict(plain)

    @classmethod
    def from_dict(cls, plain: object) -> RunConfig:
        """Validate plain values, as of a ``run.json``.

        Raises ``ConfigError`` and ``UnknownSettingError``.
        """
        table = validation.require_table(plain, "")
        if "algorithm" in table:
            algorithm = decode_algorithm(table["algorithm"], "algorithm")
            table = {**table, "algorithm": algorithm}
        if "tasks" in table:
            table = {**table, "tasks": decode_family(table["tasks"], "tasks")}
        elif "waves" in table:
            others = {key: value for key, value in table.items() if key != "waves"}
            table = {**others, "tasks": decode(SineTasks, table["waves"], "waves")}
        return decode(cls, table, "")


TABLES = Registry[Any](
    {
        **ALGORITHMS.places,
        "network": NetworkConfig,
        **FAMILY_TABLES.places,
        "validation": ValidationSettings,
    }
)
"""Tables of a configuration file, and the dataclasses that they configure."""

RUN_SETTINGS = [one.name for one in fields(RunConfig) if one.name not in ("algorithm", *TABLES)]
"""Settings of a run that are in no table."""
