"""The public Python interface: cheap to import, and its examples are true."""

from __future__ import annotations

import doctest
import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import core
import core.api
import core.sweeps
from core.errors import ConfigError, LabError, RunFolderError, SessionError
from core.evaluation.adaptation import many_tasks
from core.evaluation_protocol import ProtocolName, named_protocol
from core.storage.run_folder import RunFolder

ROOT = Path(__file__).parents[2]
SMALL = core.NetworkConfig(hidden=(8,))


def config(**settings: object) -> core.RunConfig:
    defaults = {"algorithm": core.Fomaml(), "network": SMALL, "iterations": 200}
    return core.RunConfig(**{**defaults, **settings})  # type: ignore[arg-type]


def test_importing_core_loads_nothing_heavy() -> None:
    code = (
        "import sys; before = set(sys.modules); import core; dir(core)\n"
        "print(sorted({name.split('.')[0] for name in set(sys.modules) - before}))\n"
        "core.RunConfig; print('numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    # The standard library's own modules take a millisecond; packages would take a hundred.
    loaded, numpy = done.stdout.splitlines()
    assert not {"numpy", "torch", "msgspec", "numba"} & set(eval(loaded))
    assert numpy == "False"


def test_every_public_name_is_there_and_documented() -> None:
    for name in core.__all__:
        assert getattr(core, name).__doc__
    with pytest.raises(AttributeError, match="nothing"):
        core.nothing  # noqa: B018


@pytest.mark.parametrize("module", [core, core.api, core.sweeps])
def test_the_examples_of_docstrings_hold(module: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert doctest.testmod(module, raise_on_error=False).failed == 0  # type: ignore[arg-type]


def test_the_examples_of_the_page_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    # A fence after the expected output would be taken for a part of it.
    text = (ROOT / "docs" / "python.md").read_text().replace("```python", "").replace("```", "")
    page = doctest.DocTestParser().get_doctest(text, {}, "python.md", "docs/python.md", 0)
    found = doctest.DocTestRunner().run(page)
    assert found.failed == 0
    assert found.attempted > 30


def test_the_example_of_the_readme_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    example = (ROOT / "README.md").read_text().split("```python\n")[1].split("```")[0]
    exec(example, {})
    assert "training loss" in capsys.readouterr().out


def test_a_run_with_a_folder_learns_what_it_learns_in_memory(tmp_path: Path) -> None:
    settings = config(eval_interval=100)
    run = core.train(settings, tmp_path / "kept")
    assert run.config == settings
    in_memory = core.train(settings)
    assert run.latest().state.theta.tobytes() == in_memory.theta.tobytes()
    losses = run.losses()
    assert losses.iterations.tolist() == [100, 200]
    assert losses.training == pytest.approx(in_memory.losses.reshape(2, 100).mean(1))
    assert losses.evaluated_at.tolist() == [100, 200]
    assert (losses.before.shape, losses.after.shape) == ((2,), (2,))
    assert losses.validated_at.tolist() == [0, 100, 200]
    found = core.evaluate(run, settings.validation)
    assert losses.validation[-1] == found.mean[-1]
    assert (losses.low[-1], losses.high[-1]) == (found.low[-1], found.high[-1])


def test_a_folder_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    core.train(config(iterations=1), str(tmp_path / "kept"))
    with pytest.raises(RunFolderError, match="exists"):
        core.train(config(iterations=1), str(tmp_path / "kept"))


def test_a_run_that_diverges_raises_and_keeps_its_folder(tmp_path: Path) -> None:
    diverging = config(algorithm=core.Fomaml(outer_lr=1e30))
    with pytest.raises(SessionError, match="finite"):
        core.train(diverging, tmp_path / "kept")
    assert core.open_run(tmp_path / "kept").config == diverging


def test_a_run_that_its_folder_could_not_keep_raises_with_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    save = RunFolder.save

    def fail(folder: RunFolder, *more: Any, **named: Any) -> Path:
        if "rescue" in folder.path.parts:
            return save(folder, *more, **named)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(RunFolder, "save", fail)
    with pytest.raises(SessionError) as raised:
        core.train(config(), tmp_path / "mine")
    assert str(raised.value).startswith(f"{tmp_path / 'mine'}: No space left on device; the run is")
    rescued = core.open_run(tmp_path / "state" / "tui-meta" / "rescue" / "mine")
    assert rescued.latest().state.iteration == 200


def test_a_run_a_checkpoint_and_a_result_evaluate_alike(tmp_path: Path) -> None:
    run = core.train(config(), tmp_path / "kept")
    checkpoint = core.load_checkpoint(str(run.checkpoints[-1]))
    protocol = core.EvaluationProtocol(tasks=5)
    results = [core.evaluate(one, protocol) for one in (run, checkpoint, core.train(config()))]
    for result in results[1:]:
        assert result.losses.tolist() == results[0].losses.tolist()
    assert results[0].losses.shape == (5, 5)
    assert results[0].steps.tolist() == [0, 1, 5, 10, 32]


def test_statistics_are_those_of_the_losses() -> None:
    protocol = core.EvaluationProtocol(shots=3, steps=(1, 2), inner_lr=0.01, tasks=40, seed=9)
    result = core.evaluate(core.train(config()), protocol)
    losses = result.losses
    assert losses.shape == (40, 3)
    margin = 1.96 * losses.std(0, ddof=1) / 40**0.5
    assert result.mean == pytest.approx(losses.mean(0))
    assert result.low == pytest.approx(losses.mean(0) - margin)
    assert result.high == pytest.approx(losses.mean(0) + margin)
    assert result.median == pytest.approx(np.median(losses, 0))
    assert result.diverged.tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", ["source", "source-half-range", "finn-5-shot", "finn-10-shot"])
def test_the_tasks_of_a_named_protocol_are_those_of_the_command_line(name: ProtocolName) -> None:
    run = core.train(config(tasks=core.SineTasks(x=(-4.0, 6.0))))
    engine = core.api.make_engine(run.config)
    protocol = named_protocol(name, run.config.tasks)
    expected = many_tasks(engine, run.theta, run.config, protocol)
    assert core.evaluate(run, name).losses.tolist() == expected.tolist()


def test_the_usual_protocol_is_that_of_the_source() -> None:
    run = core.train(config())
    assert core.evaluate(run).losses.tolist() == core.evaluate(run, "source").losses.tolist()


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(ConfigError, match="protocol: must be one of source, "):
        core.evaluate(core.train(config(iterations=1)), "standard")  # type: ignore[arg-type]


def test_tasks_that_diverge_are_counted() -> None:
    protocol = core.EvaluationProtocol(steps=(1, 60), inner_lr=2.0, tasks=40)
    relu = core.NetworkConfig(hidden=(24, 24), activation="relu")
    result = core.evaluate(core.train(config(network=relu, iterations=1)), protocol)
    assert result.diverged[0] == 0
    assert result.diverged[-1] > 0


@pytest.mark.parametrize(
    ("field", "value"),
    [("shots", 0), ("steps", (-1,)), ("tasks", 0), ("seed", -1), ("inner_lr", 0.0)],
)
def test_a_number_that_makes_no_evaluation_is_refused(field: str, value: object) -> None:
    with pytest.raises(ConfigError, match=field):
        core.EvaluationProtocol(**{field: value})  # type: ignore[arg-type]


def test_settings_are_checked_with_errors_that_share_a_base() -> None:
    with pytest.raises(LabError):
        core.open_run("no/such/folder")
