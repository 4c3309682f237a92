"""A sweep's folder is watched in a terminal while another process trains it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from tests.support.dashboard.sweep_status import GRID
from tests.support.sweeps import loss_of, make_sweep, result, write_results
from tests.support.terminals.dashboards import PROGRAM
from tests.support.terminals.keyboard import press
from tests.support.terminals.terminal import Terminal


def test_results_appear_as_they_are_written(tmp_path: Path) -> None:
    table = {"algorithms": ["reptile"], "seeds": 2, "sweep": GRID}
    runs = make_sweep(tmp_path / "rates", table, lambda run: None)
    watched = [*PROGRAM, "sweep", "rates", "--watch"]
    with closing(Terminal(watched, cwd=tmp_path, synchronized=True)) as terminal:
        terminal.wait_for("rates: 0 of 12 runs done")
        write_results(tmp_path / "rates", [result(run, loss_of(run)) for run in runs[:6]])
        terminal.wait_for("rates: 6 of 12 runs done")
        terminal.wait_for("best so far: reptile network.hidden=8 inner_lr=0.02")
        press(terminal, "q")
        assert terminal.wait_for_end() == 0
        assert terminal.left_behind() == []
    assert list(tmp_path.iterdir()) == [tmp_path / "rates"]
