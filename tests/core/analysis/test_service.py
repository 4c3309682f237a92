"""The analysis service, as a session uses it: live runs, checkpoints, initialisations, errors."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.algorithms.fomaml import Fomaml
from core.analysis.answers import Adapted, BatteryResult, Cancelled, RunHistory, Traced
from core.analysis.questions import (
    Adapt,
    AnyQuestion,
    AnySource,
    Battery,
    Live,
    ReadHistory,
    SampledTask,
    Saved,
    Trace,
    Untrained,
)
from core.analysis.theta_cache import ThetaCache
from core.analysis.theta_sources import ENGINES_KEPT, ThetaSources
from core.config import RunConfig
from core.engines import make_engine
from core.engines.base import TrainState
from core.errors import CheckpointError, EngineError, LabError, QuestionError, RunFolderError
from core.evaluation.adaptation import few_shot
from core.evaluation.few_shot_tasks import PROBES, draw_task
from core.evaluation_protocol import EvaluationProtocol
from core.storage.checkpoint import Checkpoint, save_checkpoint
from tests.support.live_runs import live, service_of, trained
from tests.support.run_folders import make_run
from tests.support.runs import ended, paused_at, small_config

TASK = SampledTask("standard")
FEW_TASKS = EvaluationProtocol(tasks=100, steps=(1,))


def saved(folder: Path, config: RunConfig, state: TrainState) -> Path:
    folder.mkdir(exist_ok=True)
    return save_checkpoint(folder, Checkpoint(config, state, 1_000, 1.0, ()))


def adapted(run: tuple[RunConfig, TrainState], source: AnySource) -> Adapted:
    answer = service_of(run=live(*run)).answer(Adapt(source=source, task=TASK))
    assert isinstance(answer, Adapted)
    return answer


def expected(config: RunConfig, theta: np.ndarray) -> tuple[float, ...]:
    task = draw_task(config.tasks, 0, PROBES["standard"], 0)
    result = few_shot(make_engine(config), theta, config.tasks, task, 32, 0.02)
    return tuple(result.losses[0].tolist())


def test_a_live_run_is_adapted_from_its_current_theta(engine_name: str) -> None:
    config, state = trained(engine_name)
    answer = adapted((config, state), Live("run"))
    assert answer.losses == expected(config, state.theta)
    assert answer.iteration == 20


def test_a_checkpoint_is_adapted_without_a_run(tmp_path: Path) -> None:
    config, state = trained("fused", 7)
    path = saved(tmp_path / "run", config, state)
    answer = service_of().answer(Adapt(source=Saved(str(path)), task=TASK))
    assert isinstance(answer, Adapted)
    assert answer.losses == expected(config, state.theta)
    assert answer.iteration == 7


def test_a_listed_checkpoint_that_was_replaced_is_reported_as_such(tmp_path: Path) -> None:
    path = saved(make_run(tmp_path / "run"), *trained("fused", 7))
    path.unlink()
    for source in (Saved(str(path)), Untrained(Saved(str(path)))):
        with pytest.raises(CheckpointError, match="deleted by now: newer checkpoints replace"):
            service_of().answer(Adapt(source=source, task=TASK))


def test_an_untrained_source_is_the_initialisation_of_its_seed(tmp_path: Path) -> None:
    config, state = trained("fused", seed=3)
    start = make_engine(config).initial_state().theta
    path = saved(tmp_path / "run", config, state)
    for source in (Untrained(Live("run")), Untrained(Saved(str(path)))):
        answer = adapted((config, state), source)
        assert answer.losses == expected(config, start)
        assert answer.iteration == 0


def test_a_checkpoint_of_another_device_is_adapted_on_this_one(tmp_path: Path) -> None:
    config, state = trained()
    path = saved(tmp_path / "run", dataclasses.replace(config, device="cuda"), state)
    answer = service_of().answer(Adapt(source=Saved(str(path)), task=TASK, updates=1))
    assert isinstance(answer, Adapted)


def test_all_kinds_of_questions_are_answered(tmp_path: Path) -> None:
    config, state = trained()
    folder = make_run(tmp_path / "run")
    path = saved(folder, config, state)
    service = service_of(run=live(config, state, folder))
    sources = (Live("run"), Saved(str(path)))
    survey = service.answer(Battery(sources=sources, protocol=FEW_TASKS))
    assert isinstance(survey, BatteryResult)
    assert isinstance(service.answer(Trace(source=Live("run"))), Traced)
    for of in (Live("run"), Saved(str(path)), Saved(str(folder))):
        recalled = service.answer(ReadHistory(of=of))
        assert isinstance(recalled, RunHistory)
        assert [one.iteration for one in recalled.checkpoints] == [20]


def test_progress_of_a_battery_is_reported() -> None:
    heard: list[tuple[int, int]] = []
    service_of(run=live(*trained())).answer(
        Battery(sources=(Live("run"),), protocol=dataclasses.replace(FEW_TASKS, tasks=200)),
        progress=lambda done, total: heard.append((done, total)),
    )
    assert heard[-1] == (200, 200)


def test_only_the_latest_engines_are_kept() -> None:
    sources = ThetaSources({}.get, ThetaCache())
    configs = [small_config(seed=seed) for seed in range(ENGINES_KEPT + 1)]
    first, second, *_ = [sources.engine(config) for config in configs]
    assert sources.engine(configs[1]) is second
    assert sources.engine(configs[0]) is not first


@pytest.mark.parametrize(
    "question",
    [
        Adapt(source=Live("run"), task=TASK),
        Battery(sources=(Live("run"),)),
        Trace(source=Live("run")),
        ReadHistory(of=Live("run")),
    ],
    ids=lambda question: type(question).__name__,
)
def test_a_cancelled_question_is_not_started(question: AnyQuestion) -> None:
    assert service_of().answer(question, cancelled=lambda: True) == Cancelled()


def test_moments_of_a_checkpoint_make_its_outer_step_exact(tmp_path: Path) -> None:
    config, state = trained(algorithm=Fomaml(outer_optimizer="adam"))
    path = saved(tmp_path / "run", config, state)
    service = service_of(run=live(config, state))
    exact = {}
    for name, source in {"live": Live("run"), "saved": Saved(str(path))}.items():
        answer = service.answer(Trace(source=source))
        assert isinstance(answer, Traced)
        exact[name] = answer.exact
    assert exact == {"live": False, "saved": True}


def test_a_live_run_of_plain_sgd_is_traced_exactly() -> None:
    answer = service_of(run=live(*trained())).answer(Trace(source=Live("run")))
    assert isinstance(answer, Traced)
    assert answer.exact


def broken(config: RunConfig, state: TrainState) -> TrainState:
    return TrainState(state.iteration, np.full_like(state.theta, np.nan), {})


def errors(tmp_path: Path) -> list[tuple[AnyQuestion, type[LabError], str]]:
    damaged = tmp_path / "000000001.safetensors"
    damaged.write_bytes(b"no")
    return [
        (Adapt(source=Live("other"), task=TASK), QuestionError, "no such run"),
        (ReadHistory(of=Live("other")), QuestionError, "no such run"),
        (Trace(source=Untrained(Live("other"))), QuestionError, "no such run"),
        (Adapt(source=Live("loading"), task=TASK), QuestionError, "not started yet"),
        (Adapt(source=Live("diverged"), task=TASK), QuestionError, "not finite"),
        (Adapt(source=Live("elsewhere"), task=TASK), EngineError, "not found by PyTorch"),
        (Adapt(source=Saved(str(damaged)), task=TASK), CheckpointError, "damaged"),
        (Adapt(source=Saved(str(tmp_path)), task=TASK), CheckpointError, "cannot be read"),
        (Adapt(source=Saved("/nowhere"), task=TASK), CheckpointError, "no such run folder"),
        (Adapt(source=Saved("a" * 4_000), task=TASK), CheckpointError, "cannot be read"),
        (ReadHistory(of=Saved("/nowhere/" + "a" * 4_000)), RunFolderError, "cannot be read"),
        (ReadHistory(of=Saved(str(tmp_path / "gone"))), RunFolderError, "cannot be read"),
        (Battery(sources=(Live("run"), Live("other"))), QuestionError, "no such run"),
    ]


def test_an_unanswerable_question_is_a_one_line_error(tmp_path: Path) -> None:
    config, state = trained()
    run = live(config, state)
    service = service_of(
        run=run,
        loading=dataclasses.replace(run, theta=None),
        diverged=live(config, broken(config, state)),
        elsewhere=live(dataclasses.replace(config, device="mps"), state),
    )
    for question, kind, words in errors(tmp_path):
        with pytest.raises(kind, match=words) as caught:
            service.answer(question)
        assert "\n" not in str(caught.value)


def test_answering_about_a_training_run_changes_nothing(
    tmp_path: Path,
) -> None:
    trainer, _ = paused_at(5, tmp_path, small_config())
    snapshot = trainer.snapshot
    assert snapshot.theta is not None
    before = snapshot.theta.tobytes()
    config = trainer.plan.config
    state = TrainState(snapshot.iteration, snapshot.theta, {})
    service = service_of(run=live(config, state))
    for question in (
        Adapt(source=Live("run"), task=TASK),
        Battery(sources=(Live("run"),), protocol=FEW_TASKS),
        Trace(source=Live("run")),
    ):
        service.answer(question)
    assert trainer.snapshot.theta.tobytes() == before
    ended(trainer)


def test_questions_and_answers_load_no_pytorch_and_no_compiler() -> None:
    code = (
        "import sys, core.analysis.questions, core.analysis.answers, core.analysis.lab_tasks;"
        "print([name for name in ('torch', 'numba') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
