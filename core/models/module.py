"""Any ``torch.nn.Module`` as a network: its parameters, and its derivatives for many tasks.

Imported late, because it imports PyTorch.
"""

from __future__ import annotations

import copy
import functools
import math
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call, vmap
from torch.nn import Module

from core.errors import EngineError, UnregisteredError, in_words, place_of
from core.models.base import Network
from core.models.registry import MODELS, MakeModule
from core.tasks.base import Floats

Parameters = dict[str, Tensor]

_TASKS, _POINTS = 2, 5
"""Of the data on which a new module is tried."""

_generator = threading.Lock()
"""Held while initial values are drawn: PyTorch's generator belongs to the whole process."""


class _Origin(NamedTuple):
    """What makes a module: a registered function, for so many inputs and outputs."""

    name: str
    make: MakeModule
    inputs: int
    outputs: int

    def module(self, seed: int) -> Module:
        """Make the module with the initial values of ``seed``; raises ``EngineError``."""
        with _generator, torch.random.fork_rng(devices=[]), torch.inference_mode(mode=False):
            torch.manual_seed(seed)
            try:
                module = self.make(self.inputs, self.outputs)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # code of the user's own may also end the program
                raise self.refusal(in_words(error)) from error
        if not isinstance(module, Module):
            raise self.refusal(f"must return a torch.nn.Module, got {type(module).__name__}")
        return module

    def refusal(self, problem: str) -> EngineError:
        return EngineError(f"{place_of(self.make)}: {self.name}", problem)


class ModuleNetwork(Network):
    """The network that a registered function makes, checked and never called itself."""

    def __init__(self, origin: _Origin) -> None:
        """Make the module and try it on random data; raises ``EngineError`` with its place."""
        self._origin = origin
        self.module = origin.module(0)
        self._require_parameters()
        self._shapes = {name: tuple(one.shape) for name, one in self.module.named_parameters()}
        theta = self.initial(0)
        if theta.tobytes() != self.initial(0).tobytes():
            raise origin.refusal(
                "initial values must depend on PyTorch's generator alone; made twice, they differ"
            )
        self._try(torch.from_numpy(theta))

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return self._shapes

    @property
    def head_size(self) -> int:
        """The number of parameters of the module whose parameters are the last ones."""
        names = list(self.shapes)
        owner = names[-1].rpartition(".")[0]
        size = 0
        for name in reversed(names):
            if name.rpartition(".")[0] != owner:
                break
            size += math.prod(self.shapes[name])
        return size

    def initial(self, seed: int, dtype: str = "float32") -> Floats:
        values = [one.detach().numpy() for one in self._origin.module(seed).parameters()]
        return np.concatenate([one.reshape(-1) for one in values]).astype(dtype)

    def _require_parameters(self) -> None:
        """Refuse what cannot be trained for many tasks at once."""
        refusal = self._origin.refusal
        for name, _ in self.module.named_buffers():
            raise refusal(
                f"buffer {name!r}: must have no buffers, which tasks would share and no step learns"
            )
        parameters = dict(self.module.named_parameters())
        if not parameters:
            raise refusal("must have parameters")
        for name, one in parameters.items():
            if isinstance(one, torch.nn.parameter.UninitializedParameter):
                raise refusal(f"parameter {name!r}: must not be lazy")
            found = str(one.dtype).removeprefix("torch.")
            if one.dtype != torch.float32:
                raise refusal(
                    f"parameter {name!r}: must be float32, got {found}; "
                    "the setting precision decides in which type a run is trained"
                )
            if one.device.type != "cpu":
                raise refusal(f"parameter {name!r}: must be made on cpu, got {one.device.type}")
            if not one.requires_grad:
                raise refusal(f"parameter {name!r}: must require a gradient, as all are learned")

    def _try(self, theta: Tensor) -> None:
        """Call the module, and its gradient, as training does."""
        refusal, origin, model = self._origin.refusal, self._origin, ModuleModel(self)
        params = theta.expand(_TASKS, -1)
        x = torch.linspace(-1, 1, _POINTS * origin.inputs).reshape(_POINTS, origin.inputs)
        y = torch.zeros(_TASKS, _POINTS, origin.outputs)
        try:
            alone = model.module(x)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise refusal(f"{in_words(error)} (for x of shape {tuple(x.shape)})") from error
        if not isinstance(alone, Tensor) or alone.shape != y.shape[1:]:
            found = tuple(alone.shape) if isinstance(alone, Tensor) else type(alone).__name__
            wanted = f"for x of shape {tuple(x.shape)} it must return {tuple(y.shape[1:])}"
            raise refusal(f"{wanted}, got {found}")
        try:
            predicted = model.predict(params, x)
            losses, gradient = model.loss_and_gradient(params, x, y)
        except Exception as error:
            raise refusal(f"cannot be trained for many tasks at once: {in_words(error)}") from error
        if not (losses.isfinite().all() and gradient.isfinite().all()):
            raise refusal("must return finite numbers with finite gradients")
        if not torch.equal(predicted, model.predict(params, x)):
            raise refusal("must be a pure function; called twice, its values differ")


class ModuleModel:
    """Values and derivatives of a module, for many parameter vectors at once.

    Implements ``core.algorithms.base.Model``. It belongs to one thread: a module holds the
    parameters of a call while it is called.
    """

    def __init__(self, network: ModuleNetwork) -> None:
        self.n_parameters = network.n_parameters
        self.head = slice(network.n_parameters - network.head_size, None)
        self.first_bias = network.first_bias
        self._shapes = network.shapes
        self._sizes = [math.prod(shape) for shape in network.shapes.values()]
        with torch.inference_mode(mode=False):
            self.module = copy.deepcopy(network.module)

    def predict(self, params: Tensor, x: Tensor) -> Tensor:
        return vmap(self._call, (0, _axis(x)))(self._split(params), x)

    def loss_and_gradient(self, params: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        with _differentiable():
            at = self._leaves(params)
            losses = self._losses(at, x, y)
            return losses.detach(), self._gradient(losses.sum(), at)

    def hessian_vector(self, params: Tensor, x: Tensor, y: Tensor, vector: Tensor) -> Tensor:
        """Return the gradient of the gradient's product with ``vector``: reverse over reverse.

        More operations of PyTorch have that than forward over reverse.
        """
        with _differentiable():
            at = self._leaves(params)
            gradient = self._gradient(self._losses(at, x, y).sum(), at, create_graph=True)
            return self._gradient((gradient * vector.clone()).sum(), at)

    def _call(self, params: Parameters, x: Tensor) -> Tensor:
        values: Tensor = functional_call(self.module, params, (x,))
        return values

    def _losses(self, params: Parameters, x: Tensor, y: Tensor) -> Tensor:
        """Return the loss of each task; its parameters have an influence on no other."""
        predicted = vmap(self._call, (0, _axis(x)))(params, x.clone())
        return (predicted - y.clone()).square().mean((1, 2))

    def _leaves(self, params: Tensor) -> Parameters:
        """Return copies of named tensors, by which losses can be differentiated."""
        return {name: one.clone().requires_grad_() for name, one in self._split(params).items()}

    def _gradient(self, total: Tensor, by: Parameters, *, create_graph: bool = False) -> Tensor:
        """Return the derivatives of the sum over tasks: for each task those of its own term."""
        found = torch.autograd.grad(
            total, list(by.values()), create_graph=create_graph, materialize_grads=True
        )
        return torch.cat([one.flatten(1) for one in found], 1)

    def _split(self, params: Tensor) -> Parameters:
        """Return named tensors of all tasks, from the vectors ``(n_tasks, n_parameters)``."""
        pieces = torch.split(params, self._sizes, 1)
        return {
            name: piece.reshape(-1, *shape)
            for (name, shape), piece in zip(self._shapes.items(), pieces, strict=True)
        }


@contextmanager
def _differentiable() -> Iterator[None]:
    """Record operations; tensors of an engine, which infers, have to be cloned within."""
    with torch.inference_mode(mode=False), torch.enable_grad():
        yield


def _axis(x: Tensor) -> int | None:
    """Return the axis of tasks of ``x``; None if all tasks share it."""
    return 0 if x.ndim == 3 else None


def module_network(name: str, inputs: int, outputs: int) -> ModuleNetwork:
    """Return the network that is registered as ``name``.

    Raises ``UnregisteredError``, and ``EngineError`` for one that cannot be trained.
    """
    if name not in MODELS:
        raise UnregisteredError("model", name)
    return _made(_Origin(name, MODELS[name], inputs, outputs))


@functools.lru_cache(maxsize=32)
def _made(origin: _Origin) -> ModuleNetwork:
    return ModuleNetwork(origin)
