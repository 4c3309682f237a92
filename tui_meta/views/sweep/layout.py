"""Layout of the Sweep screen for any terminal size."""

from dataclasses import dataclass

BESIDE_WIDTH = 120
"""Columns from which the chart is beside the table, if the table leaves room for it."""

_LEAST_CHART = 46
_LEAST_TABLE = 40
_LEAST_STACKED = 16
"""Rows from which the chart is below the table."""


@dataclass(frozen=True)
class SweepLayout:
    """The cells of the table; the chart takes the others, if it is shown."""

    table: bool = True
    chart: bool = True
    beside: bool = False
    table_width: int = 0
    table_rows: int = 0


def arrange(
    width: int, height: int, table_width: int, table_rows: int, *, turned: bool
) -> SweepLayout:
    """Return the layout for ``width`` by ``height`` cells, and what the table would take.

    Where there is room for one of them, the chart is shown if the user has ``turned`` to it.
    """
    taken = max(_LEAST_TABLE, table_width + 1)
    if width >= BESIDE_WIDTH and width - taken >= _LEAST_CHART:
        return SweepLayout(beside=True, table_width=taken, table_rows=height)
    if height >= _LEAST_STACKED:
        return SweepLayout(table_width=width, table_rows=min(table_rows, height * 2 // 5))
    return SweepLayout(not turned, turned, table_width=width, table_rows=height)
