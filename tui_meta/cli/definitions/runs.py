"""Commands about runs that were trained: arguments, flags and help texts.

Nothing heavy is imported before a command is known to be valid.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from tui_meta.app.signals import interrupt_at_once
from tui_meta.cli.definitions.app import app
from tui_meta.cli.definitions.parameters import (
    ConfigFile,
    Device,
    JsonResult,
    Paths,
    Protocol,
    Settings,
    SweepPath,
    several,
    switch,
)


@app.command(
    name="eval",
    sort_key=3,
    help_epilogue=(
        "Examples:\n"
        "  tui-meta eval checkpoints/fomaml-source checkpoints/fomaml-mine\n"
        "  tui-meta eval checkpoints/fomaml-source --shots 5 --steps 1,5,10\n"
        "  tui-meta eval checkpoints/fomaml-source --protocol finn-5-shot\n"
    ),
    help="Evaluate runs: three reference evaluations, or one few-shot protocol.",
)
def evaluate(
    paths: Paths,
    /,
    *,
    protocol: Protocol = {},  # noqa: B006  (only read)
    device: Device = "auto",
    json: JsonResult = False,
) -> int:
    from tui_meta.cli.commands.evaluate import evaluate

    with interrupt_at_once():
        return evaluate(paths, protocol, device=device, as_json=json)


@app.command(
    sort_key=4,
    help_epilogue="Example: tui-meta compare checkpoints/fomaml-mine checkpoints/reptile-mine\n",
    help="Paired comparison of two runs on the same tasks, with 95% confidence intervals.",
)
def compare(
    first: Annotated[Path, Parameter(help="First run (folder or checkpoint), A")],
    second: Annotated[Path, Parameter(help="Second run (folder or checkpoint), B")],
    /,
    *,
    protocol: Protocol = {},  # noqa: B006  (only read)
    device: Device = "auto",
    json: JsonResult = False,
) -> int:
    from tui_meta.cli.commands.compare import compare

    with interrupt_at_once():
        return compare(first, second, protocol, device=device, as_json=json)


@app.command(
    sort_key=5,
    help_epilogue=(
        "When piped: tab-separated name, algorithm, state, iteration, target, best validation\n"
        "loss, its iteration, age in seconds, the training process or the problem, and the ends\n"
        "of the 95% interval of that loss.\n"
    ),
    help="List runs: settings that differ, state, iteration, validation loss, last activity.",
)
def runs(
    folder: Annotated[Path, Parameter(help="Parent folder of runs")] = Path("checkpoints"),
    /,
    *,
    sort: Annotated[
        Literal["age", "name", "state", "iteration", "validation", "best"],
        Parameter(help="Sort order; best is another name of validation"),
    ] = "age",
    json: JsonResult = False,
) -> int:
    from tui_meta.cli.commands.runs import runs

    return runs(folder, sort="validation" if sort == "best" else sort, as_json=json)


@app.command(
    sort_key=6,
    help_epilogue="Example: tui-meta show checkpoints/fomaml-source\n",
    help="Show one run: settings, provenance, checkpoints, evaluations and loss curve.",
)
def show(path: Annotated[Path, Parameter(help="Run folder, or a checkpoint file in it")], /) -> int:
    from tui_meta.cli.commands.show import show

    return show(path)


@app.command(
    sort_key=7,
    help_epilogue="Example: tui-meta export checkpoints/* --to parquet\n",
    help="Export training, validation and evaluation losses for other tools.",
)
def export(
    paths: Annotated[list[Path], several("Run folders", "PATH")],
    /,
    *,
    to: Annotated[Literal["csv", "parquet", "tensorboard"], Parameter(help="Format")],
    out: Annotated[
        str | None,
        Parameter(
            help="Output file or folder, - for standard output; for tensorboard, the log "
            "directory (default: RUN.csv or RUN.parquet, of several runs.csv or runs.parquet; "
            "tensorboard/)",
            metavar="PATH",
            allow_leading_hyphen=True,
        ),
    ] = None,
    force: Annotated[bool, switch("Overwrite an existing file")] = False,
) -> int:
    from tui_meta.cli.commands.export import export

    return export(paths, to=to, out=out, force=force)


@app.command(
    name="config",
    sort_key=7.5,
    help_epilogue=("Example: tui-meta config --seed 3 > my.toml; tui-meta --config my.toml\n"),
    help="Print all settings as a TOML file for --config.",
)
def show_config(*, config: ConfigFile = None, settings: Settings = {}) -> int:  # noqa: B006
    from tui_meta.cli.commands.config import show_config

    return show_config(settings, config)


@app.command(
    sort_key=8,
    help_epilogue="Exit code: 0 if settings and results are identical, 1 if not, 2 for errors.\n",
    help="Show differences in settings, versions and results between two runs.",
)
def diff(
    first: Annotated[Path, Parameter(help="First run folder, A")],
    second: Annotated[Path, Parameter(help="Second run folder, B")],
    /,
) -> int:
    from tui_meta.cli.commands.diff import diff

    return diff(first, second)


@app.command(
    sort_key=8.5,
    help_epilogue=(
        "csv has a row for each run, the others one for each group.\n"
        "Example: tui-meta report rates --to latex --out rates.tex --figure rates.pdf\n"
    ),
    help="Report a sweep: means with intervals over seeds, as a table and as a figure.",
)
def report(
    folder: SweepPath,
    /,
    *,
    to: Annotated[
        Literal["markdown", "csv", "latex"], Parameter(help="Format of the table")
    ] = "markdown",
    out: Annotated[
        Path | None, Parameter(help="Output file (default: standard output)", metavar="FILE")
    ] = None,
    figure: Annotated[
        Path | None,
        Parameter(help="Draw the curves into this file, such as curves.pdf", metavar="FILE"),
    ] = None,
) -> int:
    from tui_meta.cli.commands.report import report

    return report(folder, to=to, out=out, figure=figure)


@app.command(
    name="rm",
    sort_key=9,
    help_epilogue="Example: tui-meta rm checkpoints/fomaml-mine checkpoints/reptile-mine\n",
    help="Delete runs (only files created by tui-meta, never a run in training).",
)
def remove(
    paths: Annotated[list[Path], several("Run folders", "PATH")],
    /,
    *,
    yes: Annotated[bool, switch("Skip the confirmation")] = False,
) -> int:
    from tui_meta.cli.commands.remove import remove

    return remove(paths, yes=yes)
