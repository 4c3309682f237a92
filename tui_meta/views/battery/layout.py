"""Layout of the battery for any terminal size."""

from dataclasses import dataclass

HISTOGRAM, HEAT, WORST = "histogram", "heat", "worst"
PANELS = (HISTOGRAM, HEAT, WORST)

_WORST_ROWS = 12
_HEAT_ROWS = 11
_AMPLITUDES = 8
_HIGHEST_CELL = 3
_FEWEST_ROWS = 5
_MAP_CELLS = 38
_TWO_BESIDE = 76
_THREE_BESIDE = 112


@dataclass(frozen=True)
class BatteryLayout:
    """``above`` has panels side by side, and ``maps`` says of how many sources a map is below.

    ``brief``: there is no room to say which tasks they were, nor for the pairs. ``turns`` are
    panels of which there is room for one. Cells of the maps are ``cell_rows`` high.
    """

    above: tuple[str, ...]
    maps: int = 0
    cell_rows: int = 1
    brief: bool = False
    turns: tuple[str, ...] = ()
    framed: bool = False

    @property
    def map_rows(self) -> int:
        """Rows of the maps below, with their titles."""
        return _HEAT_ROWS + self.framed + (self.cell_rows - 1) * _AMPLITUDES


def arrange(
    width: int, height: int, sources: int, panel: str, *, framed: bool = False
) -> BatteryLayout:
    """The layout for ``width`` by ``height`` cells below the settings.

    ``panel`` is the one that must be seen, where there is room for it at all. Panels that are
    ``framed`` have a row more, at their lower edge.
    """
    room = height - (1 + sources)
    pairs_and_title = sources
    brief = room - pairs_and_title < _FEWEST_ROWS
    room -= 0 if brief else pairs_and_title
    if room < _FEWEST_ROWS:
        return BatteryLayout((), brief=True)
    maps = min(sources, width // _MAP_CELLS)
    spare = room - _WORST_ROWS - _HEAT_ROWS - 2 * framed
    if spare >= 0 and maps > 1:
        cell_rows = min(1 + spare // (2 * _AMPLITUDES), _HIGHEST_CELL)
        return BatteryLayout((HISTOGRAM, WORST), maps, cell_rows, framed=framed)
    panels = tuple(name for name in PANELS if name != HEAT or room >= _HEAT_ROWS + framed)
    shown = panel if panel in panels else HISTOGRAM
    if width >= _THREE_BESIDE:
        return BatteryLayout(panels, brief=brief)
    if width >= _TWO_BESIDE:
        turns = tuple(name for name in panels if name != WORST)
        beside = (shown if shown in turns else HISTOGRAM, WORST)
        return BatteryLayout(beside, brief=brief, turns=turns if len(turns) > 1 else ())
    return BatteryLayout((shown,), brief=brief, turns=panels)
