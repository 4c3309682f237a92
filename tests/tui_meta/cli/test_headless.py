"""Headless training tells what happens, as it is in events.jsonl, and ends with the right code."""

import io
import sys
from collections import defaultdict
from pathlib import Path

import msgspec
import pytest

from core.algorithms.fomaml import Fomaml
from core.algorithms.reptile import Reptile
from core.config import RunConfig
from core.events import (
    AnyEvent,
    Curve,
    Diverged,
    Evaluated,
    Failed,
    Finished,
    Saved,
    SaveFailed,
    Snapshot,
    Started,
    Stopped,
    Validation,
)
from core.models.settings import NetworkConfig
from core.session.api import Connection
from core.session.local import LocalSession
from core.training.run_plan import plan_new, plan_resumed
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.grouped import grouped_session
from tests.support.run_folders import validated
from tui_meta.cli import headless
from tui_meta.cli.headless import Report, event_line, problem_line, run_headless, status


def snapshot(run: str, state: str = "training", **changed) -> Snapshot:
    values = {
        "run": run,
        "algorithm": run,
        "title": run.capitalize(),
        "state": state,
        "iteration": 12_300,
        "target": 50_000,
        "rate": 1_000.0,
        "elapsed": 12.0,
        "engine": "torch",
        "device": "cpu",
        "pace": None,
        "unsaved": False,
        "loss": 0.5,
        "best": Validation(1_000, 0.25, 0.2, 0.3),
        "curve": Curve(),
        "theta": None,
    }
    return Snapshot(**{**values, **changed})


def stamp(run: str) -> dict:
    return {"run": run, "iteration": 12_300, "time": 1.0}


class Scripted:
    """A session that has ended, with given snapshots and events."""

    connection = Connection()

    def __init__(self, *snapshots: Snapshot, events: tuple[AnyEvent, ...] = ()):
        self._snapshots = {one.run: one for one in snapshots}
        self._events = list(events)
        self.stopped_with_save = False

    def start(self):
        pass

    def snapshots(self):
        return self._snapshots

    def events(self, since, reader="client"):
        return self._events[since:]

    def stop(self, *, save):
        self.stopped_with_save = save


def failed(run: str, details: str = "") -> Failed:
    return Failed(problem="no such device", details=details, **stamp(run))


def diverged(run: str) -> Diverged:
    return Diverged(problem="the loss is no longer finite", advice="lower it", **stamp(run))


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(headless, "POLL_SECONDS", 0.01)


@pytest.mark.parametrize(
    ("session", "code"),
    [
        (Scripted(snapshot("a", "finished"), snapshot("b", "finished")), 0),
        (Scripted(snapshot("a", "finished"), snapshot("b", "stopped")), 1),
        (Scripted(snapshot("a", "finished", unsaved=True)), 1),
        (Scripted(snapshot("a", "failed"), events=(failed("a"),)), 2),
        (Scripted(snapshot("a", "failed"), events=(failed("a", "Traceback"),)), 1),
        (
            Scripted(
                snapshot("a", "failed"),
                snapshot("b", "failed"),
                events=(failed("a"), failed("b", "Traceback")),
            ),
            1,
        ),
        (Scripted(snapshot("a", "diverged"), events=(diverged("a"),)), 1),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_the_exit_code_depends_on_how_every_run_ended(session, code, as_json, capsys):
    assert run_headless(session, as_json=as_json) == code
    assert session.stopped_with_save


def test_a_problem_that_runs_share_is_printed_once(capsys):
    events = (failed("a"), failed("b"))
    run_headless(
        Scripted(snapshot("a", "failed"), snapshot("b", "failed"), events=events), as_json=False
    )
    assert capsys.readouterr().err == "error: no such device\n"


def test_an_internal_error_names_the_file_with_its_traceback(capsys):
    session = Scripted(snapshot("a", "failed"), events=(failed("a", "Traceback ..."),))
    run_headless(session, as_json=False)
    (line,) = capsys.readouterr().err.splitlines()
    assert "internal error" in line
    assert "events.jsonl of run a" in line


def test_unsaved_iterations_are_reported(capsys):
    run_headless(Scripted(snapshot("a", "finished", unsaved=True)), as_json=False)
    assert "A: iteration 12,300 is not saved" in capsys.readouterr().err


def test_names_from_files_cannot_paint_the_terminal(capsys):
    event = Saved(path="x\x1b[2J\n.safetensors", **stamp("a"))
    run_headless(Scripted(snapshot("a", "finished"), events=(event,)), as_json=False)
    assert "\x1b" not in capsys.readouterr().out


class ClosedPipe(io.TextIOWrapper):
    def __init__(self):
        super().__init__(io.BytesIO())

    def write(self, _):
        raise BrokenPipeError

    flush = write = write


def test_a_closed_pipe_ends_the_runs_with_a_save(monkeypatch):
    session = Scripted(
        snapshot("a", "training"), events=(Saved(path="a/b.safetensors", **stamp("a")),)
    )
    monkeypatch.setattr(sys, "stdout", ClosedPipe())
    with pytest.raises(BrokenPipeError):
        run_headless(session, as_json=False)
    assert session.stopped_with_save


def test_where_output_cannot_be_written_what_is_unsaved_and_the_rescue_are_named(
    monkeypatch, capsys
):
    problem = "runs/a: No space left on device; the run is saved in /rescue/a instead"
    events = (
        Saved(path="a/b.safetensors", **stamp("a")),
        SaveFailed(problem=problem, **stamp("a")),
    )
    session = Scripted(snapshot("a", "training", unsaved=True), events=events)
    monkeypatch.setattr(sys, "stdout", ClosedPipe())
    with pytest.raises(BrokenPipeError):
        run_headless(session, as_json=False)
    err = capsys.readouterr().err
    assert problem in err
    assert "A: iteration 12,300 is not saved" in err


def test_runs_that_could_not_be_started_are_saved_and_end():
    class Refused(Scripted):
        def start(self):
            raise RuntimeError("out of the blue")

    session = Refused(snapshot("a", "training"))
    with pytest.raises(RuntimeError):
        run_headless(session, as_json=False)
    assert session.stopped_with_save


def test_a_line_of_a_random_task_shows_iteration_and_losses():
    evaluated = Evaluated(
        probe="validation",
        index=1_000,
        amplitude=1.0,
        phase=0.0,
        support_x=(),
        support_y=(),
        query_x=(),
        before=(),
        after=(),
        losses=(4.31, 1.0, 0.05),
        training_loss=None,
        **{**stamp("a"), "iteration": 1_000},
    )
    assert event_line(evaluated, snapshot("a")) == (
        "iteration  1,000: random task, loss 4.31 → 0.0500"
    )


def test_a_line_of_a_validation_shows_the_mean_and_its_interval():
    assert event_line(validated(1_000, 4.5, 0.06), snapshot("a")) == (
        "iteration  1,000: validation, loss 4.50 → 0.0600 ± 0.0060 on 2 tasks"
    )
    event = msgspec.structs.replace(validated(0, 4.5, None), diverged=(0, 2))
    assert event_line(event, snapshot("a")) == (
        "iteration      0: validation, loss 4.50 → not finite on 2 tasks, 2 diverged"
    )


def test_every_other_event_has_its_line():
    shot = snapshot("a")
    first = Started(engine="torch", device="cpu", target=50_000, **{**stamp("a"), "iteration": 0})
    assert event_line(first, shot) == "training (torch engine, cpu) to 50,000"
    later = Started(engine="torch", device="cpu", target=50_000, **stamp("a"))
    assert event_line(later, shot).endswith("from 12,300 to 50,000")
    over = Started(engine="torch", device="cpu", target=12_300, **stamp("a"))
    assert "continue with --iterations N" in event_line(over, shot)
    finished = Finished(**stamp("a"))
    assert (
        event_line(finished, shot)
        == "finished 12,300 iterations in 0:12, best validation loss 0.250"
    )
    assert event_line(Stopped(**stamp("a")), shot) == "stopped at 12,300 of 50,000"
    unsaved = SaveFailed(problem="disk full", **stamp("a"))
    assert problem_line(unsaved, "A") == "A could not be saved: disk full"


def test_events_of_restarted_runs_are_printed_with_their_title(capsys):
    class Hasty(FakeSession):
        """Runs are restarted while events are read."""

        def events(self, since, reader="client"):
            if "restart" not in self.calls:
                self.restart()
                self.finish("fomaml-2")
            return super().events(since, reader)

    Report(Hasty(), as_json=False).finish()
    assert "FOMAML   finished 50,000 iterations" in capsys.readouterr().out


def test_the_bar_shows_the_status_of_a_run():
    assert status(snapshot("a", "loading")) == "starting"
    assert status(snapshot("a", "loading", preparing="compiling")) == "compiling"
    assert status(snapshot("a")) == "1,000 it/s  0:37 left  loss 0.500"
    assert status(snapshot("a", "paused", rate=0.0)) == "paused"


# With real runs.


def plans(out: Path):
    small = {"network": NetworkConfig(hidden=(6,)), "iterations": 250, "eval_interval": 50}
    configs = (RunConfig(algorithm=algorithm, **small) for algorithm in (Fomaml(), Reptile()))
    return [plan_new(config, out, "small") for config in configs]


def events_on_disk(out: Path) -> dict[str, list[bytes]]:
    return {path.parent.name: path.read_bytes().splitlines() for path in out.glob("*/events.jsonl")}


def test_json_lines_are_the_very_lines_of_the_logs(tmp_path, capfdbinary):
    assert run_headless(LocalSession(plans(tmp_path)), as_json=True) == 0
    printed = defaultdict(list)
    out, err = capfdbinary.readouterr()
    for line in out.splitlines():
        printed[msgspec.json.decode(line)["run"]].append(line)
    assert printed == events_on_disk(tmp_path)
    assert b"finished 250 iterations" in err


def test_lines_show_every_evaluation_and_the_saved_files(tmp_path, capsys):
    assert run_headless(LocalSession(plans(tmp_path)), as_json=False) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert sum(": random task, loss " in line for line in lines) == 10
    assert sum(": validation, loss " in line for line in lines) == 6  # of 0, 100 and 250
    for name in ("fomaml-small", "reptile-small"):
        saved = tmp_path / name / "000000250.safetensors"
        assert any(line.endswith(f"saved {saved}") for line in lines)
    assert lines[-1].startswith("evaluate with: tui-meta eval ")


def test_runs_of_one_algorithm_have_different_titles(tmp_path, capsys):
    config = RunConfig(algorithm=Fomaml(), network=NetworkConfig(hidden=(6,)), iterations=10)
    both = [plan_new(config, tmp_path, name) for name in ("one", "two")]
    run_headless(LocalSession(both), as_json=False)
    out = capsys.readouterr().out
    assert "FOMAML   finished" in out
    assert "FOMAML 2 finished" in out


def test_the_same_seed_reports_the_same_losses(tmp_path, capfdbinary):
    losses = []
    for out in (tmp_path / "a", tmp_path / "b"):
        run_headless(LocalSession(plans(out)), as_json=True)
        records = map(msgspec.json.decode, capfdbinary.readouterr().out.splitlines())
        losses.append(
            {
                (one["run"], one["iteration"]): one["losses"]
                for one in records
                if one["event"] == "evaluated"
            }
        )
    assert losses[0] == losses[1]
    assert len(losses[0]) == 10


def test_resuming_a_finished_run_explains_how_to_continue(tmp_path, capsys):
    run_headless(LocalSession(plans(tmp_path)), as_json=False)
    capsys.readouterr()
    again = [plan_resumed(path) for path in sorted(tmp_path.iterdir())]
    assert run_headless(LocalSession(again), as_json=False) == 0
    assert capsys.readouterr().out.count("continue with --iterations N") == 2


@pytest.mark.parametrize("as_json", [False, True])
def test_at_the_end_groups_are_compared_over_their_seeds(
    as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    session = grouped_session(3, 0.01, 0.02)
    session.start()
    report = Report(session, as_json=as_json)
    report.print_verdict(lambda: False)
    assert not capsys.readouterr().out, "some are still training"
    for run in session.snapshots():
        session.finish(run)
    report.print_verdict(lambda: False)
    out, err = capsys.readouterr()
    said = (err if as_json else out).splitlines()
    assert said[0] == "evaluating 6 runs on the test tasks"
    assert said[1].startswith("1,000 tasks, 10 points, 32 steps  mean ± 95 % interval")
    assert said[2].startswith("Reptile inner_lr=0.01             0.127 ± 0.076 over 3 seeds  best")
    assert len(said) == 6
    assert not (out if as_json else err)


def test_runs_without_seeds_are_not_evaluated_at_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    session = FakeSession({"fomaml": 50_000, "reptile": 50_000})
    session.start()
    Report(session, as_json=False).print_verdict(lambda: False)
    assert not capsys.readouterr().out
