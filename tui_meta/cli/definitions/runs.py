"""Commands about runs that were trained: arguments, flags and help texts.

Nothing heavy is imported before a command is known to be valid.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from tui_meta.app.signals import interrupt_at_once
from tui_meta.cli.definitions.parameters import (
    Device,
    JsonResult,
    Paths,
    SweepPath,
    several,
    switch,
)
from tui_meta.cli.flags import protocol_flags

if TYPE_CHECKING:
    _Protocol = dict[str, Any]
else:
    _Protocol = protocol_flags()

Protocol = Annotated[_Protocol, Parameter(name="*")]


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


def show(path: Annotated[Path, Parameter(help="Run folder, or a checkpoint file in it")], /) -> int:
    from tui_meta.cli.commands.show import show

    return show(path)


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


def diff(
    first: Annotated[Path, Parameter(help="First run folder, A")],
    second: Annotated[Path, Parameter(help="Second run folder, B")],
    /,
) -> int:
    from tui_meta.cli.commands.diff import diff

    return diff(first, second)


def report(
    folder: SweepPath,
    /,
    *,
    to: Annotated[
        Literal["markdown", "csv", "latex"], Parameter(help="Format of the table")
    ] = "markdown",
    out: Annotated[
        str | None,
        Parameter(
            help="Output file or folder (default: -, standard output)",
            metavar="PATH",
            allow_leading_hyphen=True,
        ),
    ] = None,
    figure: Annotated[
        str | None,
        Parameter(
            help="Draw the curves into this file, such as curves.pdf, or folder",
            metavar="PATH",
            allow_leading_hyphen=True,
        ),
    ] = None,
) -> int:
    from tui_meta.cli.commands.report import report

    return report(folder, to=to, out=out, figure=figure)


def remove(
    paths: Annotated[list[Path], several("Run folders", "PATH")],
    /,
    *,
    yes: Annotated[bool, switch("Skip the confirmation")] = False,
) -> int:
    from tui_meta.cli.commands.remove import remove

    return remove(paths, yes=yes)
