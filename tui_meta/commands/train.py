"""``tui-meta train``: runs from scratch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.config import RunConfig, Saving
from core.engines import make_engine
from core.plan import Plan
from core.session import plan_new
from tui_meta.commands.launch import load_face, require_terminal, show
from tui_meta.config_file import read_config_file
from tui_meta.interrupts import ending_at_once
from tui_meta.settings import Launch, configure


def train(given: Mapping[str, Any], config: Path | None, *, headless: bool, as_json: bool) -> int:
    """Train the algorithms that the flags ``given`` and the file ``config`` ask for."""
    file = read_config_file(config) if config else {}
    launch, saving, configs = configure(given, file, config)
    if not headless:
        require_terminal()
    with ending_at_once():
        _require_engines(configs)
    load_face(headless=headless)
    return show(_plans(launch, saving, configs), headless=headless, as_json=as_json)


def _require_engines(configs: Sequence[RunConfig]) -> None:
    """Raise ``EngineError`` for what is asked for and is not there, before a folder is made.

    What every machine has is not tried: it would import PyTorch before the first frame.
    """
    for config in configs:
        if config.engine == "fused" or config.device not in ("auto", "cpu"):
            make_engine(config)


def _plans(launch: Launch, saving: Saving, configs: Sequence[RunConfig]) -> list[Plan]:
    """A plan for each configuration; where one is not possible, no folder is left of the others."""
    plans: list[Plan] = []
    try:
        for config in configs:
            plans.append(plan_new(config, Path(launch.out), launch.name, launch.pace, saving))
    except BaseException:
        for plan in plans:
            plan.folder.discard()
        raise
    return plans
