"""``sweep.json`` and results from a stranger: what is sound is used, and nothing else."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import LabError
from core.experiments.specification import specification_of
from core.experiments.summary import summarize
from core.experiments.sweep_folder import SPECIFICATION, SweepFolder
from core.sweeps import open_sweep
from tests.support.hostile.damage import altered, as_json, damaged
from tests.support.hostile.guards import harmless
from tests.support.soak import soak
from tests.support.sweeps import loss_of, result
from tui_meta.cli.commands.report import WRITERS
from tui_meta.cli.experiments import outcome, print_groups, result_line
from tui_meta.output import Output
from tui_meta.views.plots.heat import ramp
from tui_meta.views.sweep.chart_choice import ChartChoice, possible
from tui_meta.views.sweep.charts import Shown, curves_plot, parallel_plot, setting_plot
from tui_meta.views.sweep.folder import SweepReader
from tui_meta.views.sweep.head import best_line, progress_line
from tui_meta.views.sweep.heat_map import HeatMap
from tui_meta.views.sweep.heat_svg import heat_svg
from tui_meta.views.sweep.rows import copied_groups, copied_runs, group_listing, run_listing
from tui_meta.views.sweep.status import SweepStatus
from tui_meta.views.sweep.table import Table

TRIED = settings(max_examples=soak(20, 10_000))

TABLE: dict[str, Any] = {
    "algorithms": ["reptile"],
    "seeds": 2,
    "sweep": {"reptile.inner_lr": [0.005, 0.02, 0.08], "network.hidden": [[8], [16]]},
}
RUNS = specification_of(TABLE).expand()
RESULTS: list[dict[str, Any]] = [
    json.loads(msgspec.json.encode(result(run, loss_of(run)))) for run in RUNS
]
LINES = b"".join(json.dumps(one).encode() + b"\n" for one in RESULTS)
SPECIFIED = json.dumps({"settings": TABLE, "written_by": "9"}).encode()


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:
        (Path(made) / "results").mkdir()
        yield Path(made)


def draw(sweep: SweepStatus) -> None:
    """Make everything that the screen shows of a sweep."""
    tables = [Table(group_listing(sweep))]
    tables += [Table(run_listing(one)) for one in sweep.groups]
    lines = [line for table in tables for line in table.lines(120, 30)]
    lines += [best_line(sweep, 120), progress_line(sweep, "rates", "by name", 120)]
    assert all(span.text.isprintable() for line in lines for span in line)
    list(copied_groups(sweep, [one.name for one in sweep.groups]))
    for group in sweep.groups:
        list(copied_runs(group))
    choice = ChartChoice()
    across, up = choice.across_of(sweep), choice.up_of(sweep)
    for scale in ("linear", "log"):
        shown = Shown(sweep, sweep.groups, scale)
        plots = [curves_plot(shown, None), parallel_plot(shown, None)]
        plots += [setting_plot(shown, across, None)] if across else []
        assert all(plot.x and plot.y for plot in plots)
    if across and up:
        heat = HeatMap(sweep, sweep.groups, across, up)
        heat.lines(60, 20, ramp(color=True, ascii=False), None)
        heat_svg(heat)
    assert possible(sweep)


def check(folder: Path, specified: bytes, results: bytes) -> None:
    (folder / SPECIFICATION).write_bytes(specified)
    (folder / "results" / "one.jsonl").write_bytes(results)
    sweep = SweepFolder(folder)
    with harmless():
        try:
            found, runs = sweep.results(), sweep.specification().expand()
            status = SweepReader(folder).look(1.0)
        except LabError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017  (a refusal is allowed)
            return
        groups = summarize(runs, found)
        for write in WRITERS.values():
            write(groups)
        output = Output()
        output.file = io.StringIO()
        print_groups(output, groups)
        said = [outcome(found.values()), *map(result_line, found.values())]
        output.print_line("".join(said))
        open_sweep(folder).records()
        draw(status)


@TRIED
@given(results=damaged(LINES))
def test_damaged_results(folder: Path, results: bytes) -> None:
    check(folder, SPECIFIED, results)


@TRIED
@given(results=st.lists(st.sampled_from(RESULTS).flatmap(altered).map(as_json), max_size=12))
def test_results_with_other_values(folder: Path, results: list[str]) -> None:
    check(folder, SPECIFIED, "".join(f"{line}\n" for line in results).encode())


@TRIED
@given(specified=damaged(SPECIFIED))
def test_a_damaged_specification(folder: Path, specified: bytes) -> None:
    check(folder, specified, LINES)


@TRIED
@given(settings=altered(TABLE))
def test_a_specification_with_other_values(folder: Path, settings: Any) -> None:
    check(folder, as_json({"settings": settings}).encode(), LINES)
