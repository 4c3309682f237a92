"""A user's own families and algorithms: registered, checked, trained, saved and resumed."""

from __future__ import annotations

import dataclasses
import doctest
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import core
from core.algorithms.registry import ALGORITHMS
from core.analysis.lab_tasks import draw_preset
from core.config import RunConfig, ValidationSettings
from core.engines import make_engine
from core.errors import ConfigError, EngineError, QuestionError
from core.experiments.specification import specification_of
from core.storage.checkpoint import read_metadata
from core.storage.latest_checkpoint import latest_checkpoint
from core.storage.paths import checkpoint_path
from core.tasks.base import Floats
from core.tasks.family import NO_CURVE
from core.tasks.registry import FAMILIES
from core.training.run_plan import plan_resumed
from core.training.trainer import Trainer
from tests.support.runs import Log, run_whole
from tests.support.states import bits

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.usefixtures("registries")

SMALL = core.NetworkConfig(hidden=(6,))
Interval = tuple[float, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Planes(core.TaskFamily):
    name = "planes"
    plural = "planes"
    parameters = ("a", "b")
    inputs = 2
    fails: ClassVar[bool] = False

    a: Interval = (-1.0, 1.0)
    b: Interval = (-1.0, 1.0)
    x: Interval = (0.0, 5.0)

    def y(self, x: Floats, *parameters: Floats) -> Floats:
        a, b = parameters
        if self.fails:
            raise ZeroDivisionError("no plane")
        return a * x[..., :1] + b * x[..., 1:]


def test_the_examples_of_the_page_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = (ROOT / "docs" / "extending.md").read_text().replace("```python", "").replace("```", "")
    page = doctest.DocTestParser().get_doctest(
        text, {"__name__": "builtins"}, "extending.md", "docs/extending.md", 0
    )
    found = doctest.DocTestRunner().run(page)
    assert found.failed == 0
    assert found.attempted > 12


def test_a_registered_family_is_part_of_configurations_and_sweeps() -> None:
    core.register(Planes)
    config = RunConfig(algorithm=core.Fomaml(), tasks=Planes(a=(0.0, 2.0)))
    assert RunConfig.from_dict(config.to_dict()) == config
    table = {"algorithms": ["fomaml"], "tasks": "planes", "sweep": {"planes.b": [[0, 1], [0, 2]]}}
    runs = specification_of(table).expand()
    assert [run.config.tasks for run in runs] == [Planes(b=(0.0, 1.0)), Planes(b=(0.0, 2.0))]


def test_a_run_of_a_registered_family_resumes_to_the_bit(tmp_path: Path) -> None:
    core.register(Planes)
    config = RunConfig(algorithm=core.Fomaml(), tasks=Planes(), network=SMALL, iterations=30)
    run = core.train(config, tmp_path / "planes")
    engine = make_engine(config)
    longer = Trainer(plan_resumed(run.path, 50), log := Log())
    run_whole(longer, log)
    expected = engine.advance(engine.initial_state(), 50).state
    assert bits(latest_checkpoint(run.path).checkpoint.state) == bits(expected)


class Unshaped(Planes):
    def y(self, x: Floats, *parameters: Floats) -> Floats:
        return super().y(x, *parameters)[..., 0]


class Random(Planes):
    def y(self, x: Floats, *parameters: Floats) -> Floats:
        return super().y(x, *parameters) + np.random.normal()


class Infinite(Planes):
    def y(self, x: Floats, *parameters: Floats) -> Floats:
        return super().y(x, *parameters) * np.inf


class Failing(Planes):
    fails = True


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (Unshaped, "y: must return the shape (3, 5, 1), got (3, 5)"),
        (Random, "y: must be a pure function; drawn twice, tasks differ"),
        (Infinite, "y: must return finite numbers"),
        (Failing, "y: must not fail, got ZeroDivisionError('no plane')"),
    ],
)
def test_a_family_that_cannot_be_trained_is_refused_with_its_place(
    kind: type[Planes], problem: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        core.register(kind)
    message = str(caught.value)
    assert message.startswith(f"{__file__}:")
    assert problem in message
    assert len(message.splitlines()) == 1
    assert "planes" not in FAMILIES


def test_a_built_in_name_and_a_class_without_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="another name than a built-in one"):
        core.register(type("Waves", (Planes,), {"name": "sine"}))
    plain = {"name": "plain", "__annotations__": {"c": Interval}}
    with pytest.raises(ConfigError, match=r"Plain\.c: must be a field of a frozen dataclass"):
        core.register(type("Plain", (Planes,), plain))
    with pytest.raises(ConfigError, match="must be a task family, an algorithm or a torch"):
        core.register(type("Plain", (), {"name": "plain"}))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sign(core.Fomaml):
    name = "sign"
    title = "Sign"
    kernel = None
    broken: ClassVar[str] = ""

    def outer_gradient(self, model, theta, batch):  # type: ignore[no-untyped-def]
        loss, gradient = super().outer_gradient(model, theta, batch)
        return loss, gradient.log() if self.broken == "NaN" else gradient


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (type("Named", (Sign,), {"name": "maml"}), "another name than a built-in one"),
        (type("Table", (Sign,), {"name": "network"}), "another name than a built-in one"),
        (type("Setting", (Sign,), {"name": "seed"}), "another name than a built-in one"),
        (type("Half", (core.Algorithm,), {"name": "half"}), "default for each setting"),
    ],
)
def test_an_algorithm_that_cannot_be_configured_is_refused(
    kind: type[core.Algorithm], problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        core.register(kind)


def test_an_algorithm_whose_settings_cannot_be_compared_is_refused() -> None:
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Weighted(Sign):
        name = "weighted"
        weights: list[float] = dataclasses.field(default_factory=list)

    problem = rf"{__file__}:\d+: Weighted: must have settings that can be hashed, such as tuples"
    with pytest.raises(ConfigError, match=problem):
        core.register(Weighted)


def test_an_algorithm_without_an_update_is_refused() -> None:
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Partial(core.Algorithm):
        name = "partial"
        title = "Partial"
        training_loss = "none"
        outer_lr: float = 0.1
        inner_lr: float = 0.1
        tasks: int = 1

    with pytest.raises(ConfigError, match=rf"{__file__}:\d+: Partial.budget: must be given"):
        core.register(Partial)


def test_a_value_that_is_not_finite_names_the_algorithm_and_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    core.register(Sign)
    monkeypatch.setattr(Sign, "broken", "NaN")
    config = RunConfig(algorithm=Sign(), network=SMALL, iterations=10)
    with pytest.raises(core.LabError, match=rf"iteration 1 \(computed by {__file__}:\d+\)"):
        core.train(config, tmp_path / "sign")


def test_an_error_in_a_users_code_ends_its_run_with_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    core.register(Planes)
    config = RunConfig(algorithm=core.Fomaml(), tasks=Planes(), network=SMALL, iterations=10)
    monkeypatch.setattr(Planes, "fails", True)
    with pytest.raises(core.LabError, match=rf"{__file__}:\d+: ZeroDivisionError: no plane"):
        core.train(config, tmp_path / "planes")


def test_an_outer_gradient_of_another_shape_names_its_place() -> None:
    class Tall(core.Fomaml):
        name = "tall"
        kernel = None

        def outer_gradient(self, model, theta, batch):  # type: ignore[no-untyped-def]
            loss, gradient = super().outer_gradient(model, theta, batch)
            return loss, gradient[:3]

    config = RunConfig(algorithm=Tall(), network=SMALL, iterations=10)
    engine = make_engine(config)
    with pytest.raises(EngineError, match=rf"{__file__}:\d+: outer_gradient must return"):
        engine.advance(engine.initial_state(), 1)


def test_tasks_that_are_not_finite_are_named_where_a_run_diverges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    core.register(Planes)
    values = Planes.y
    monkeypatch.setattr(Planes, "y", lambda *given: values(*given) * np.inf)
    validation = ValidationSettings(interval=0)
    config = RunConfig(
        algorithm=core.Fomaml(), tasks=Planes(), network=SMALL, validation=validation
    )
    with pytest.raises(core.LabError, match=rf"its tasks are not finite: {__file__}:\d+"):
        core.train(config, tmp_path / "planes")


def test_a_folder_of_unregistered_code_says_what_to_do(tmp_path: Path) -> None:
    core.register(Planes)
    core.register(Sign)
    path = core.train(
        RunConfig(algorithm=Sign(), tasks=Planes(), network=SMALL, iterations=3), tmp_path / "run"
    ).path
    for name, registry in (("sign", ALGORITHMS), ("planes", FAMILIES)):
        kind = registry.pop(name)  # type: ignore[attr-defined]
        with pytest.raises(core.LabError) as caught:
            latest_checkpoint(path)
        message = str(caught.value)
        assert f"must be built in or registered, got '{name}'" in message
        assert message.endswith("; import the Python file that registers it")
        assert message.count("safetensors") == 1
        found = read_metadata(checkpoint_path(path, 3))
        assert found.iteration == 3
        registry[name] = kind  # type: ignore[index]


def test_screens_say_that_functions_of_several_numbers_cannot_be_drawn() -> None:
    from tests.support.dashboard.fake_session import FakeSession
    from tui_meta.views.dashboard_state import DashboardState
    from tui_meta.views.lab import state as lab
    from tui_meta.views.lab.charts import LabCharts
    from tui_meta.views.lab.text import task_line
    from tui_meta.views.text import plain
    from tui_meta.views.watch.state import WatchState

    core.register(Planes)
    session = FakeSession()
    for run in session.snapshots():
        config = RunConfig(algorithm=core.Fomaml(), tasks=Planes()).to_dict()
        session.change(run, config=config)
    watch = WatchState(DashboardState(session.snapshots()))
    watch.arrange(200, 60)
    assert NO_CURVE in {plot.empty for plot, _ in watch.plots().values()}
    state = lab.begin(Planes())
    assert LabCharts().waves(state, {}).empty == NO_CURVE
    assert [one.empty for one in LabCharts().each(state, {"FOMAML": None})] == [NO_CURVE]
    assert NO_CURVE in plain(task_line(state))
    with pytest.raises(QuestionError, match=NO_CURVE):
        draw_preset("standard", 0, 0, Planes())
