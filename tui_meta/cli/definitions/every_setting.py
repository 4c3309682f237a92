"""Commands that take the settings of every algorithm and task family.

To make these flags, and to analyse them, takes as long as all else that a start of the parser
needs; ``training.train`` takes those that default runs have.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from tui_meta.cli.definitions import training
from tui_meta.cli.definitions.parameters import (
    ConfigFile,
    DryRun,
    JsonResult,
    Notify,
    SweepPath,
    Workers,
    switch,
)
from tui_meta.cli.flags import flags, run_flags

if TYPE_CHECKING:
    _Settings = dict[str, Any]
    _RunSettings = dict[str, Any]
else:
    _Settings = flags()
    _RunSettings = run_flags(_Settings)

Settings = Annotated[_Settings, Parameter(name="*")]
RunSettings = Annotated[_RunSettings, Parameter(name="*")]


def _with_every_setting(command: Callable[..., int]) -> Callable[..., int]:
    """Return ``command`` with all settings in place of those that it has."""

    @functools.wraps(command)
    def complete(**given: Any) -> int:
        return command(**given)

    complete.__annotations__ = {**command.__annotations__, "settings": Settings}
    return complete


train = _with_every_setting(training.train)


def sweep(
    folder: SweepPath,
    /,
    *,
    config: ConfigFile = None,
    settings: RunSettings = {},  # noqa: B006  (only read)
    store: Annotated[
        Literal["final", "all", "none"],
        Parameter(help="What is kept of a run: final network, whole run folder, or its result"),
    ] = "final",
    workers: Workers = None,
    scheduler: Annotated[
        str | None,
        Parameter(help="Dask scheduler whose workers train: tcp://host:port, or its file"),
    ] = None,
    shard: Annotated[str, Parameter(help="Part to train, of N parts", metavar="I/N")] = "1/1",
    dry_run: DryRun = False,
    notify: Notify = None,
    json: JsonResult = False,
    watch: Annotated[
        bool, switch("Show the sweep in the dashboard while others train it; train nothing")
    ] = False,
) -> int:
    from tui_meta.cli.commands.sweep import sweep, watch_sweep

    if watch:
        given = (settings, config, workers, scheduler, dry_run, notify, json, shard != "1/1")
        return watch_sweep(folder, alone=not any(given))
    return sweep(
        folder,
        settings,
        config,
        store=store,
        workers=workers,
        scheduler=scheduler,
        shard=shard,
        dry_run=dry_run,
        notify=notify,
        as_json=json,
    )


def show_config(*, config: ConfigFile = None, settings: Settings = {}) -> int:  # noqa: B006
    from tui_meta.cli.commands.config import show_config

    return show_config(settings, config)
