"""Copies and screenshots of what a screen shows, in the user's state folder.

They are not kept in the working folder, because a client may be attached from any folder, also from
one that is read-only.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textual.screen import Screen

from core.user_folders import user_folder
from tui_meta.widgets.chart import Chart


def keep_copy(name: str, text: str) -> Path:
    """Write a copy to a file of its own; raises ``OSError``."""
    return _write_files("copies", {f"{name}.tsv": text})[0]


def keep_picture(screen: Screen[Any], name: str, svg: str, files: Mapping[str, str]) -> list[Path]:
    """Write a screenshot, each chart alone as SVG and CSV, and ``files``; raises ``OSError``.

    The files of a chart are named after the screen, whose ``name`` is given, and the chart.
    """
    from tui_meta.views.plots.svg import plot_svg  # late: the first frame has no need of it
    from tui_meta.views.tabular import plot_rows, separated

    texts = {"screen.svg": svg}
    for chart in screen.query(Chart):
        if chart.plot and chart.plot.series and chart.region.area and chart.is_on_screen:
            place = chart.panel or (chart.parent and chart.parent.id) or "chart"
            stem = name if name == place else f"{name}-{place}"
            texts[f"{stem}.svg"] = plot_svg(chart.plot)
            texts[f"{stem}.csv"] = separated(plot_rows(chart.plot), ",")
    texts |= {f"{name}-{end}": text for end, text in files.items()}
    return _write_files("pictures", texts)


def from_home(path: Path) -> str:
    """Return the path as a user would type it, with ``~`` where possible."""
    home = os.path.expanduser("~")
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def _write_files(folder: str, texts: Mapping[str, str]) -> list[Path]:
    """Write files whose names begin with the time; existing files are never replaced."""
    parent = user_folder("state") / folder
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    number = 1
    while any(parent.glob(f"{stamp}-*")):
        number += 1
        stamp = f"{time.strftime('%Y%m%d-%H%M%S')}.{number}"
    written = []
    for name, text in texts.items():
        path = parent / f"{stamp}-{name}"
        with path.open("x", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        written.append(path)
    return written
