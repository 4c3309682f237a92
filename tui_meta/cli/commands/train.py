"""``tui-meta train``: runs from scratch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.session.launch import TrainRequest
from tui_meta.cli.commands.launch import OutputMode, show
from tui_meta.cli.config_file import read_config_file
from tui_meta.cli.settings import configure


def train(
    given: Mapping[str, Any], config: Path | None, mode: OutputMode, dashboard: Mapping[str, Any]
) -> int:
    """Train the algorithms that the flags ``given`` and the file ``config`` name.

    ``dashboard`` holds the dashboard's flags.
    """
    file = read_config_file(config) if config else {}
    launch, saving, configs = configure(given, file, config)
    out = Path(launch.out)
    runs = TrainRequest.of(configs, saving, out=out, name=launch.name, pace=launch.pace)
    return show(runs, mode, dashboard)
