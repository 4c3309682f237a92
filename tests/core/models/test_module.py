"""Modules of the user's own: the derivatives of autograd, refusals, and whole runs."""

from __future__ import annotations

import dataclasses
import itertools
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import core
from core.algorithms.registry import ALGORITHMS
from core.config import RunConfig, ValidationSettings
from core.engines import make_engine
from core.engines.base import MetaParameters, network_of
from core.engines.torch.engine import TorchMLP, torch_model
from core.errors import ConfigError, EngineError
from core.models.mlp import MLP
from core.models.registry import MODELS
from core.storage.checkpoint import load_checkpoint, read_metadata
from core.storage.latest_checkpoint import latest_checkpoint
from core.training.run_plan import plan_resumed
from core.training.trainer import Trainer
from tests.support.runs import Log, run_whole
from tests.support.states import bits

MLP_SIZES = (1, 8, 5, 1)


pytestmark = pytest.mark.usefixtures("models")


@pytest.fixture
def models(registries: None) -> None:
    """Register what is defined in this file."""
    for one in (layers, Convolution, Planes):
        core.register(one)


def layers(inputs: int, outputs: int) -> nn.Module:
    """The layers of an ``MLP``."""
    return nn.Sequential(
        *(nn.Linear(inputs, 8), nn.Tanh(), nn.Linear(8, 5), nn.Tanh(), nn.Linear(5, outputs))
    )


class Convolution(nn.Module):
    """A residual network over the inputs of a point as a sequence."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(1, 4, 3, padding=1)
        self.residual = nn.Linear(4 * inputs, 4 * inputs)
        self.head = nn.Linear(4 * inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        h = self.convolution(x[:, None]).flatten(1).tanh()
        return self.head(h + self.residual(h).tanh())  # type: ignore[no-any-return]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Planes(core.TaskFamily):
    name = "planes"
    plural = "planes"
    parameters = ("a",)
    inputs = 2
    a: tuple[float, float] = (-1.0, 1.0)
    x: tuple[float, float] = (-1.0, 1.0)

    def y(self, x: np.ndarray, *parameters: np.ndarray) -> np.ndarray:
        return parameters[0] * x.sum(-1, keepdims=True)


def config_of(model: str, algorithm: str = "fomaml", **settings: object) -> RunConfig:
    return RunConfig(
        algorithm=ALGORITHMS[algorithm](),  # type: ignore[call-arg]
        model=model,
        validation=ValidationSettings(tasks=2, steps=(1, 2)),
        **{"iterations": 6, "eval_interval": 4, **settings},  # type: ignore[arg-type]
    )


def test_a_module_has_the_derivatives_of_the_same_layers() -> None:
    network = network_of(config_of("layers"))
    assert network.shapes == MLP(MLP_SIZES).shapes
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    params, vector = normal(3, network.n_parameters), normal(3, network.n_parameters)
    own, built_in = torch_model(network), TorchMLP(MLP(MLP_SIZES))
    for x in (normal(3, 6, 1), normal(6, 1)):
        y = normal(3, 6, 1)
        with torch.inference_mode():  # as an engine calls it
            found = [*own.loss_and_gradient(params, x, y), own.predict(params, x)]
        expected = [*built_in.loss_and_gradient(params, x, y), built_in.predict(params, x)]
        if x.ndim == 3:
            with torch.inference_mode():
                found.append(own.hessian_vector(params, x, y, vector))
            expected.append(built_in.hessian_vector(params, x, y, vector))
        for one, other in zip(found, expected, strict=True):
            assert torch.allclose(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["cavia", "oracle"])
def test_an_algorithm_that_adds_to_the_first_layer_refuses_a_module(name: str) -> None:
    with pytest.raises(EngineError, match="bias, which a module need not have"):
        make_engine(config_of("layers", name)).initial_state()


def test_the_gradient_of_a_module_is_proved() -> None:
    found = core.check_gradient(config_of("layers", "maml"))
    assert found.agrees
    assert found.proved == ("second",)


@pytest.mark.parametrize("name", [one for one in ALGORITHMS if one not in ("cavia", "oracle")])
def test_every_algorithm_trains_a_module_as_the_same_layers(name: str) -> None:
    sizes = core.NetworkConfig(hidden=MLP_SIZES[1:-1])
    own = config_of("layers", name, precision="float64")
    other = RunConfig(algorithm=own.algorithm, network=sizes, engine="torch", precision="float64")
    engine, reference = make_engine(own), make_engine(other)
    assert engine.note.endswith("the network is one of your own")
    start = engine.initial_state()
    found, expected = (one.advance(start, 2) for one in (engine, reference))
    assert found.losses == pytest.approx(expected.losses, rel=1e-9)
    assert found.state.theta == pytest.approx(expected.state.theta, rel=1e-9, abs=1e-12)


def test_initial_values_are_a_function_of_the_seed_alone() -> None:
    network = network_of(config_of("layers"))
    before = torch.random.get_rng_state()
    first = network.initial(3)
    torch.rand(5)
    again = network.initial(3)
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != network.initial(4).tobytes()
    torch.random.set_rng_state(before)
    torch.manual_seed(3)
    expected = torch.cat([one.flatten() for one in layers(1, 1).parameters()])
    assert first.tolist() == expected.tolist()
    torch.random.set_rng_state(before)


@pytest.mark.parametrize("algorithm", ["maml", "anil", "metasgd"])
def test_a_run_of_a_convolution_resumes_to_the_bit(tmp_path: Path, algorithm: str) -> None:
    config = config_of("Convolution", algorithm, tasks=Planes())
    run = core.train(config, tmp_path / "run")
    assert run.config.model == "Convolution"
    longer = Trainer(plan_resumed(run.path, 9), log := Log())
    run_whole(longer, log)
    engine = make_engine(config)
    expected = engine.advance(engine.initial_state(), 9).state
    found = latest_checkpoint(run.path)
    assert bits(found.checkpoint.state) == bits(expected)
    names = network_of(config).shapes
    assert list(names)[:2] == ["convolution.weight", "convolution.bias"]
    assert network_of(config).head_size == 4 * 2 + 1
    protocol = core.EvaluationProtocol(tasks=5, steps=(1,))
    assert np.isfinite(core.evaluate(run, protocol).losses).all()


def test_a_checkpoint_has_the_tensors_of_the_module_and_imports_no_code(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    run = core.train(config_of("layers"), tmp_path / "run")
    found = latest_checkpoint(run.path)
    layers(1, 1).load_state_dict(load_file(found.path))
    assert found.checkpoint.config.to_dict()["model"] == "layers"
    assert found.checkpoint.config == run.config == config_of("layers")
    del MODELS["layers"]
    assert read_metadata(found.path).iteration == 6
    with pytest.raises(core.LabError, match="model: must be built in or registered, got 'layers'"):
        load_checkpoint(found.path)
    with pytest.raises(core.LabError, match="safetensors: model: must be "):
        latest_checkpoint(tmp_path / "run")


counter = itertools.count()


def impure(inputs: int, outputs: int) -> nn.Module:
    module = nn.Linear(inputs, outputs)
    nn.init.constant_(module.bias, float(next(counter)))
    return module


class Counting(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + next(counter)


class Wrong(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[:, 0]


class Failing(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        raise ZeroDivisionError("no\nvalue")


class Infinite(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) / 0


def frozen(inputs: int, outputs: int) -> nn.Module:
    return nn.Linear(inputs, outputs).requires_grad_(requires_grad=False)


REFUSED: dict[str, tuple[Callable[[int, int], object], str]] = {
    "fails": (lambda inputs, outputs: 1 / 0, "ZeroDivisionError: division by zero"),
    "not a module": (lambda inputs, outputs: 3, "must return a torch.nn.Module, got int"),
    "buffers": (
        lambda inputs, outputs: nn.Sequential(nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs)),
        "buffer '1.running_mean': must have no buffers, which tasks would share",
    ),
    "no parameters": (lambda inputs, outputs: nn.Tanh(), "must have parameters"),
    "lazy": (lambda inputs, outputs: nn.LazyLinear(outputs), "'weight': must not be lazy"),
    "type": (lambda *sizes: nn.Linear(*sizes).double(), "must be float32, got float64"),
    "frozen": (frozen, "must require a gradient"),
    "device": (lambda *sizes: nn.Linear(*sizes, device="meta"), "must be made on cpu, got meta"),
    "impure": (impure, "must depend on PyTorch's generator alone; made twice, they differ"),
    "counting": (Counting, "must be a pure function; called twice, its values differ"),
    "shape": (Wrong, "for x of shape (5, 1) it must return (5, 1), got (5,)"),
    "inputs": (
        lambda inputs, outputs: nn.Linear(3, outputs),
        "cannot be multiplied (5x1 and 3x1) (for x of shape (5, 1))",
    ),
    "exit": (lambda *_: sys.exit(4), "SystemExit: 4"),
    "forward": (Failing, "ZeroDivisionError: no value (for x of shape (5, 1))"),
    "dropout": (
        lambda *sizes: nn.Sequential(nn.Linear(*sizes), nn.Dropout()),
        "cannot be trained for many tasks at once: ",
    ),
    "infinite": (Infinite, "must return finite numbers"),
}


@pytest.mark.parametrize("case", list(REFUSED))
@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_a_module_that_cannot_be_trained_is_refused_with_its_place(
    tmp_path: Path, case: str
) -> None:
    make, problem = REFUSED[case]
    if not isinstance(make, type):
        make.__name__ = "refused"
    core.register(make)
    with pytest.raises(EngineError) as caught:
        core.train(config_of(make.__name__), tmp_path / "run")
    message = str(caught.value)
    assert message.startswith(f"{__file__}:")
    assert problem in message
    assert len(message.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_a_name_of_a_parameter_that_an_algorithm_learns_is_refused() -> None:
    class Alpha(nn.Module):
        def __init__(self, inputs: int, outputs: int) -> None:
            super().__init__()
            self.alpha = nn.Parameter(torch.ones(inputs, outputs))

        def forward(self, x: Tensor) -> Tensor:
            return x @ self.alpha

    core.register(Alpha)
    with pytest.raises(EngineError, match="Alpha: 'alpha': Meta-SGD learns something of that name"):
        MetaParameters.of(config_of("Alpha", "metasgd"))


def test_a_model_is_no_network_of_built_in_layers() -> None:
    small = core.NetworkConfig(hidden=(4,))
    with pytest.raises(ConfigError, match="network: must be left out beside a model"):
        config_of("layers", network=small)
    with pytest.raises(ConfigError, match="model: must be the name of a registered model"):
        config_of("a.py:b")
    with pytest.raises(EngineError, match="the network is one of your own"):
        make_engine(config_of("layers", engine="fused"))
